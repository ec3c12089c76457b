import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type PersonalKind, personalKindNames } from '../../../src/inspection/personal/kinds.ts'
import { formsOf, kindsOf, personalOptions } from '../../../src/inspection/personal/options.ts'
import { openRedaction, redactionForms } from '../../../src/inspection/personal/redact.ts'
import { openPersonalScanner } from '../../../src/inspection/personal/scanner.ts'
import { openTokens, sealTokens } from '../../../src/inspection/personal/tokens.ts'
import { openSecretScanner } from '../../../src/inspection/secrets/scanner.ts'
import { published } from './examples.ts'

const key = Buffer.alloc(32, 7)
const scanner = openPersonalScanner({ kinds: personalKindNames })
const secrets = openSecretScanner()
const written = 'Ada, ada@example.com, +1 212 555 0199, 219-09-9998, 4111 1111 1111 1111, GB82 WEST 1234 5698 7654 32'

function redacted(form: (typeof redactionForms)[number], text: string): string {
  return openRedaction({ form, key }).redact(text, scanner.scan(text))
}

suite('CT4: forms of redaction', () => {
  test('label: what the requirement says', () => {
    assert.equal(redacted('label', written), 'Ada, [EMAIL], XXX-XXX-XXXX, XXX-XX-XXXX, XXXX-XXXX-XXXX-XXXX, [IBAN]')
  })

  test('mask: the first letter and the domain, the last four', () => {
    assert.equal(
      redacted('mask', written),
      'Ada, a***@example.com, XXX-XXX-0199, XXX-XX-9998, XXXX-XXXX-XXXX-1111, ****5432',
    )
  })

  test('hash: the same for the same value, another in another house and for another kind', () => {
    const text = 'ada@example.com bob@example.com ada@example.com'
    const [one, other, again] = redacted('hash', text).split(' ')
    assert.match(one as string, /^\[email:[A-Za-z]{16}\]$/)
    assert.equal(again, one)
    assert.notEqual(other, one)
    const elsewhere = openRedaction({ form: 'hash', key: Buffer.alloc(32, 8) })
    assert.notEqual(elsewhere.redact(text, scanner.scan(text)).split(' ')[0], one)
    const match = { rule: 'x', start: 0, end: 9, confidence: 1 }
    const house = openRedaction({ form: 'hash', key })
    const letters = (kind: PersonalKind): string | undefined =>
      house.replacement('219099998', { kind, ...match }).split(':')[1]
    assert.notEqual(letters('ssn'), letters('tax-id'))
  })

  test('forms by kind; one that needs a key is refused without it, before anything is written', () => {
    const mixed = openRedaction({ form: 'label', forms: { email: 'mask' } })
    assert.equal(
      mixed.redact('ada@example.com 219-09-9998', scanner.scan('ada@example.com 219-09-9998')),
      'a***@example.com XXX-XX-XXXX',
    )
    for (const form of ['hash', 'token'] as const)
      assert.throws(() => openRedaction({ forms: { email: form } }), /needs a key/)
  })
})

suite('CT4: tokens are opened again by whoever has the key', () => {
  test('every value comes back, wherever it stands', () => {
    const sealed = redacted('token', written)
    assert.doesNotMatch(sealed, /ada@|0199|9998|1111|5432/)
    assert.equal(openTokens(key).open(`> ${sealed} <`), `> ${written} <`)
  })

  test('any text of any kind comes back', () => {
    const { seal } = sealTokens(key)
    const { open } = openTokens(key)
    fc.assert(
      fc.property(
        fc.constantFrom(...personalKindNames),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
        (kind, text) => {
          assert.equal(open(seal(kind, text)), text)
          assert.equal(seal(kind, text), seal(kind, text))
        },
      ),
    )
  })

  test('a forged, a changed, a moved and a foreign one stays shut', () => {
    const token = sealTokens(key).seal('email', 'ada@example.com')
    assert.equal(openTokens(Buffer.alloc(32, 8)).open(token), token)
    const moved = token.replace('[email:', '[ssn:')
    assert.equal(openTokens(key).open(moved), moved, 'of another kind')
    for (let at = '[email:tok_'.length; at < token.length - 1; at++) {
      const changed = token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1)
      assert.equal(openTokens(key).open(changed), changed)
    }
    for (const text of [
      '[email:tok_]',
      `[email:tok_${'a'.repeat(80)}]`,
      `[nothing:tok_${'a'.repeat(80)}]`,
      '[email:tok_'.repeat(50),
    ])
      assert.equal(openTokens(key).open(text), text)
  })

  test('a key of another length is refused', () => {
    assert.throws(() => sealTokens(Buffer.alloc(16)), /32 bytes, got 16/)
  })
})

suite('CT4: redacting twice is redacting once', () => {
  const words = [
    'ssn ',
    'passport: ',
    'my phone is ',
    'password = ',
    'card ',
    'account number ',
    'lives at ',
    'born ',
    'token: ',
    '{"api_key": "',
    'NIF ',
    '',
  ]
  for (const form of redactionForms)
    test(`what ${form} writes is found by no scanner, whatever stands around it`, () => {
      const { replacement } = openRedaction({ form, key })
      for (const [, value] of published)
        for (const kind of [...personalKindNames, 'api-key', 'password'] as const) {
          const instead = replacement(kind === 'email' ? 'ada@example.com' : value, {
            kind,
            rule: 'x',
            start: 0,
            end: kind === 'email' ? 15 : value.length,
            confidence: 1,
          })
          for (const before of words)
            for (const after of ['', ' ', '.', '"}', ' office']) {
              const text = before + instead + after
              assert.deepEqual(scanner.scan(text), [], text)
              assert.deepEqual(secrets.scan(text), [], text)
            }
        }
    })

  for (const form of redactionForms)
    test(`${form}: texts with several values`, () => {
      const { redact } = openRedaction({ form, key })
      const once = (text: string): string => redact(text, scanner.scan(text))
      const piece = fc.constantFrom(
        ...published.map(([, value, context]) => context + value),
        'ada@example.com',
        '+442079460958',
        '212-555-0199',
        'born 1980-02-29',
      )
      fc.assert(
        fc.property(
          fc.array(piece, { maxLength: 6 }),
          fc.constantFrom(', ', '; ', '\n', ' and '),
          (pieces, between) => {
            const clean = once(pieces.join(between))
            assert.equal(once(clean), clean)
          },
        ),
      )
    })
})

suite('options', () => {
  const read = (given: unknown) => personalOptions.parse(given)
  test('a mode alone is for both ways', () => {
    assert.deepEqual(read('redact'), { requests: 'redact', answers: 'redact' })
  })
  test('kinds: a list and no others, or of single kinds whether and how', () => {
    assert.deepEqual(kindsOf(read({ answers: 'redact', kinds: ['email', 'ip'] })), ['email', 'ip'])
    const some = read({ kinds: { email: 'mask', phone: 'off', ip: 'on' } })
    assert.ok(kindsOf(some).includes('ip') && kindsOf(some).includes('card') && !kindsOf(some).includes('phone'))
    assert.deepEqual(formsOf(some), { email: 'mask' })
  })
  test('an unknown kind, form or member is refused', () => {
    for (const given of [
      { kinds: ['emails'] },
      { kinds: { email: 'starred' } },
      { form: 'none' },
      { answer: 'log' },
      'on',
    ])
      assert.throws(() => read(given))
  })
  test('addresses of the internet, dates and the like are not looked for unless asked', () => {
    const kinds = kindsOf(read('log'))
    for (const kind of ['ip', 'mac', 'url', 'age', 'address', 'wallet'] as const) assert.ok(!kinds.includes(kind))
    for (const kind of ['email', 'phone', 'card', 'ssn', 'iban', 'national-id', 'passport'] as const)
      assert.ok(kinds.includes(kind))
  })
})
