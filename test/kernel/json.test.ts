import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { canonical, parseStrict } from '../../src/kernel/json.ts'

suite('canonical: RFC 8785', () => {
  test('§3.2.2 and §3.2.4: the sample object comes out as the bytes of the RFC', () => {
    const sample = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`)
    const bytes =
      '7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a' +
      '5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37' +
      '5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d'
    assert.equal(Buffer.from(canonical(sample)).toString('hex'), bytes.replaceAll(' ', ''))
  })

  test('§3.2.3: members are sorted by UTF-16 code units', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    assert.deepEqual(Object.values(JSON.parse(canonical(sample))).toSorted(), Object.values(sample).toSorted())
    const order = ['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew'].map((word) =>
      canonical(sample).indexOf(word),
    )
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  })

  // biome-ignore format: a table
  const numbers: Readonly<Record<string, string>> = {
    '0000000000000000': '0',
    '8000000000000000': '0',
    '0000000000000001': '5e-324',
    '8000000000000001': '-5e-324',
    '7fefffffffffffff': '1.7976931348623157e+308',
    'ffefffffffffffff': '-1.7976931348623157e+308',
    '4340000000000000': '9007199254740992',
    'c340000000000000': '-9007199254740992',
    '4430000000000000': '295147905179352830000',
    '44b52d02c7e14af5': '9.999999999999997e+22',
    '44b52d02c7e14af6': '1e+23',
    '44b52d02c7e14af7': '1.0000000000000001e+23',
    '444b1ae4d6e2ef4e': '999999999999999700000',
    '444b1ae4d6e2ef4f': '999999999999999900000',
    '444b1ae4d6e2ef50': '1e+21',
    '3eb0c6f7a0b5ed8c': '9.999999999999997e-7',
    '3eb0c6f7a0b5ed8d': '0.000001',
    '41b3de4355555553': '333333333.3333332',
    '41b3de4355555554': '333333333.33333325',
    '41b3de4355555555': '333333333.3333333',
    '41b3de4355555556': '333333333.3333334',
    '41b3de4355555557': '333333333.33333343',
    'becbf647612f3696': '-0.0000033333333333333333',
    '43143ff3c1cb0959': '1424953923781206.2',
  }

  test('appendix B: numbers', () => {
    for (const [bits, text] of Object.entries(numbers)) {
      assert.equal(canonical(Buffer.from(bits, 'hex').readDoubleBE()), text)
    }
  })

  test('appendix B: NaN and Infinity have no spelling, nor has what is not JSON', () => {
    const nothing = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '\ud800',
      { '\udc00': 1 },
      undefined,
      [undefined],
      new Array(1),
      1n,
      () => 1,
      new Map(),
      /a/,
    ]
    for (const value of nothing) assert.throws(() => canonical(value), TypeError)
  })

  test('the order of members does not matter, and the text says the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        assert.equal(canonical(value), canonical(reversed(value)))
        assert.deepEqual(JSON.parse(canonical(value)), JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

suite('parseStrict', () => {
  const errorOf = (text: string, depthMax?: number): string => {
    const outcome = parseStrict(text, depthMax === undefined ? {} : { depthMax })
    return 'error' in outcome ? outcome.error : assert.fail(`it took ${text}`)
  }

  test('A6: a member named twice is refused at any depth, however it is spelled', () => {
    for (const text of [
      '{"a":1,"a":2}',
      '[{"b":{"a":1,"x":[],"a":1}}]',
      String.raw`{"a":1,"\u0061":2}`,
      '{"__proto__":1,"__proto__":2}',
      '{"":0,"":0}',
    ]) {
      assert.match(errorOf(text), /^expected each member once, got `[^`]*` again at position \d+/)
    }
    assert.ok('value' in parseStrict('{"a":{"a":1},"b":[{"a":1},{"a":1}]}'), 'in two objects it is no duplicate')
  })

  test('`__proto__` is an own member and changes no prototype', () => {
    const outcome = parseStrict('{"__proto__":{"admin":true}}')
    assert.ok('value' in outcome)
    const value = outcome.value as Record<string, unknown>
    assert.deepEqual(Object.keys(value), ['__proto__'])
    assert.equal(value['admin'], undefined)
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
  })

  test('nesting ends where it is told to, and a million brackets are refused as quickly', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
    assert.ok('value' in parseStrict(nested(64)))
    assert.match(errorOf(nested(65)), /^expected at most 64 levels, got one more at position 64 /)
    assert.match(errorOf('{"a":[{}]}', 2), /^expected at most 2 levels, got one more at position 6 /)
    assert.match(errorOf('['.repeat(1_000_000)), /levels/)
  })

  test('a number that overflows is refused', () => {
    for (const text of ['1e309', '[-1e400]', '9'.repeat(400)])
      assert.match(errorOf(text), /^expected a number below 1\.8e308/)
    assert.ok('value' in parseStrict('[1e308, -0, 5e-324, 1e-400]'))
  })

  test('a mistake is named with its place', () => {
    assert.equal(errorOf('{"a":}'), 'expected a value, got `}` at position 5 (line 1, column 6)')
    assert.equal(errorOf('{\n  "a": 1,\n}'), 'expected a string, got `}` at position 12 (line 3, column 1)')
    assert.equal(errorOf(''), 'expected a value, got the end at position 0 (line 1, column 1)')
    assert.equal(errorOf('[1'), 'expected `,` or `]`, got the end at position 2 (line 1, column 3)')
    assert.equal(errorOf('1 2'), 'expected the end, got `2` at position 2 (line 1, column 3)')
    assert.equal(errorOf('"a\nb"'), 'expected the rest of a string, got U+000A at position 2 (line 1, column 3)')
    assert.equal(errorOf('\ufeff{}'), 'expected a value, got U+FEFF at position 0 (line 1, column 1)')
    assert.doesNotMatch(errorOf('{"a\\u0000\\nb":1,"a\\u0000\\nb":2}'), /[\n\0]/, 'and stays one line')
  })

  test('every JSON text is taken as JSON.parse takes it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 1, '\t'),
        (json, indent) => {
          const text = JSON.stringify(JSON.parse(json), undefined, indent)
          const outcome = parseStrict(text)
          assert.ok('value' in outcome, 'error' in outcome ? outcome.error : '')
          assert.deepEqual(outcome.value, JSON.parse(text))
        },
      ),
    )
  })

  test('what it takes, JSON.parse takes; what JSON.parse refuses, it refuses', () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\\ \n',
      '"a"',
      '"b":',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      'true',
      'null',
      '\\u00e9',
      '\u0001',
      'é',
      '\ud800',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        const outcome = parseStrict(text)
        if ('value' in outcome) assert.deepEqual(outcome.value, JSON.parse(text))
        else if (!/levels|once|below/.test(outcome.error)) assert.throws(() => JSON.parse(text), SyntaxError)
      }),
      { numRuns: 3000 },
    )
  })
})

/** The same value with the members of its objects in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}
