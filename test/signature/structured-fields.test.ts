import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type BareItem,
  type Dictionary,
  type Item,
  isMalformed,
  type Member,
  type Parameters,
  parseDictionary,
  parseItem,
  parseList,
  serializeBareItem,
  serializeDictionary,
  serializeList,
  serializeMember,
} from '../../src/wire/structured-fields.ts'

function spelled(text: string): string | undefined {
  const parsed = parseDictionary(text)
  return isMalformed(parsed) ? undefined : serializeDictionary(parsed)
}

test('AK3: the examples of RFC 9651 §3 are read, and written canonically', () => {
  for (const [text, canonical] of [
    ['en="Applepie", da=:w4ZibGV0w6ZydGU=:', undefined],
    ['a=?0, b, c; foo=bar', 'a=?0, b, c;foo=bar'],
    ['rating=1.5, feelings=(joy sadness)', undefined],
    ['a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid', undefined],
    ['foo=1, bar=2', undefined],
    ['', undefined],
    ['  a=1  ,\t b=2 ', 'a=1, b=2'],
    ['a=01, b=-0, c=1.10, d=-1.0', 'a=1, b=0, c=1.1, d=-1.0'],
    ['a=@1659578233, b=%"This is intended for display to %c3%bcsers."', undefined],
    ['*k.e-y_1=to*ken:/, q="a \\"quoted\\" \\\\"', undefined],
    ['a=( 1   2 );x, b=()', 'a=(1 2);x, b=()'],
    ['a=999999999999999, b=-999999999999.999', undefined],
  ] as const)
    assert.equal(spelled(text), canonical ?? text, text)
  const list = parseList('("foo" "bar"), ("baz"), ("bat" "one"), (), sugar;x=?0')
  assert.ok(!isMalformed(list))
  assert.equal(serializeList(list), '("foo" "bar"), ("baz"), ("bat" "one"), (), sugar;x=?0')
  const item = parseItem(' 5; foo=bar ')
  assert.ok(!isMalformed(item))
  assert.equal(serializeMember(item), '5;foo=bar')
})

test('AK3: what is no structured field, and what could be read in two ways, is malformed', () => {
  for (const text of [
    'a=1,',
    ',a=1',
    'a=1,,b=2',
    'a=1 b=2',
    'a=1\n',
    'A=1',
    '1a=1',
    'a =1',
    'a= 1',
    'a=',
    'a=1;',
    'a=1;X',
    'a=1;x=',
    'a=1, a=2',
    'a=1;x=1;x=2',
    'a="x',
    'a="\\x"',
    'a="\u00e9"',
    'a="\t"',
    "a='x'",
    'a=(1',
    'a=(1"x")',
    'a=(1\t2)',
    'a=((1))',
    'a=:AA:',
    'a=:AAA:',
    'a=:AB==:',
    'a=:AAB=:',
    'a=:AA==',
    'a=:AA-_:',
    'a=:A A=:',
    'a=?2',
    'a=?',
    'a=1000000000000000',
    'a=1.',
    'a=.1',
    'a=1.0000',
    'a=1000000000000.0',
    'a=--1',
    'a=+1',
    'a=1e3',
    'a=@1.5',
    'a=%"%FF"',
    'a=%"%ff"',
    'a=%"%C3%BC"',
    'a=%x',
  ])
    assert.equal(spelled(text), undefined, JSON.stringify(text))
  const parsed = parseDictionary('a=1, b=(x')
  assert.match(isMalformed(parsed) ? parsed.problem : '', /^expected a space or the end of the list at 10$/)
  assert.ok(isMalformed(parseItem('1, 2')))
  assert.ok(isMalformed(parseItem('')))
  assert.ok(isMalformed(parseList('a,')))
})

test('AK3: what has no spelling is not written', () => {
  for (const bare of [
    { type: 'integer', value: 1e15 },
    { type: 'integer', value: 1.5 },
    { type: 'date', value: Number.NaN },
    { type: 'decimal', value: 1e12 },
    { type: 'decimal', value: Number.NaN },
    { type: 'string', value: 'a\nb' },
    { type: 'string', value: '\u00e9' },
  ] as const)
    assert.throws(() => serializeBareItem(bare), TypeError)
})

const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,8}$/)
const bare: fc.Arbitrary<BareItem> = fc.oneof(
  fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map((value) => integer('integer', value)),
  fc.integer({ min: 0, max: 999_999_999_999_999 }).map((value) => integer('date', value)),
  fc.integer({ min: -999_999_999, max: 999_999_999 }).map((value) => integer('decimal', value / 1000 + 0)),
  fc.stringMatching(/^[\x20-\x7e]{0,20}$/).map((value) => ({ type: 'string', value }) as const),
  fc
    .stringMatching(/^[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]{0,10}$/)
    .map((value) => ({ type: 'token', value }) as const),
  fc.string({ unit: 'binary', maxLength: 12 }).map((value) => ({ type: 'display', value }) as const),
  fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => ({ type: 'bytes', base64: Buffer.from(bytes).toString('base64') }) as const),
  fc.boolean().map((value) => ({ type: 'boolean', value }) as const),
)
const parameters: fc.Arbitrary<Parameters> = fc
  .uniqueArray(fc.tuple(key, bare), { selector: ([name]) => name, maxLength: 4 })
  .map((pairs) => new Map(pairs))
const plain = { noNullPrototype: true } as const
const item: fc.Arbitrary<Item> = fc.record({ item: bare, parameters }, plain)
const member: fc.Arbitrary<Member> = fc.oneof(
  item,
  fc.record({ items: fc.array(item, { maxLength: 5 }), parameters }, plain),
)
const dictionary: fc.Arbitrary<Dictionary> = fc
  .uniqueArray(fc.tuple(key, member), { selector: ([name]) => name, maxLength: 5 })
  .map((pairs) => new Map(pairs))

function integer(type: 'integer' | 'date' | 'decimal', value: number): BareItem {
  return { type, value: value === 0 ? 0 : value }
}

test('AK3: whatever is written is read as it was', () => {
  fc.assert(fc.property(dictionary, (value) => assert.deepEqual(parseDictionary(serializeDictionary(value)), value)))
})

test('AK3: whatever is read is written in one spelling, which is read alike, and reading never throws', () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      '=',
      ',',
      ';',
      ' ',
      '(',
      ')',
      '"',
      '\\',
      ':',
      '?',
      '@',
      '%',
      '-',
      '.',
      '1',
      '0',
      'AA==',
      '*',
      '\t',
      '\n',
      '\0',
      'ü',
    ),
    fc.string({ maxLength: 3 }),
  )
  const text = fc.array(pieces, { maxLength: 24 }).map((some) => some.join(''))
  fc.assert(
    fc.property(text, (some) => {
      const once = spelled(some)
      if (once !== undefined) assert.equal(spelled(once), once)
    }),
    { numRuns: 3_000 },
  )
})

test('AK3: reading takes time by the length of the text, whatever it is', () => {
  const n = 100_000
  for (const text of [
    '('.repeat(n),
    `a="${'\\"'.repeat(n)}`,
    `a=${' '.repeat(n)}`,
    `a=1${' '.repeat(n)}b`,
    `a=:${'A'.repeat(n + 1)}:`,
    `a=(${'1 '.repeat(n)}`,
    `a;${'b'.repeat(n)}=`,
    `a=%"${'%c3'.repeat(n)}"`,
  ]) {
    const before = process.hrtime.bigint()
    spelled(text)
    assert.ok(process.hrtime.bigint() - before < 2_000_000_000n, text.slice(0, 8)) // by its square it would be minutes
  }
})
