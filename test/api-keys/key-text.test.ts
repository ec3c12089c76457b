import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyTexts } from '../../src/authn/key/key-texts.ts'
import { keyOptions } from '../../src/authn/key/options.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { readKeyText, writeKeyText } from '../../src/kernel/key-text.ts'
import { openLogger } from '../../src/kernel/logger.ts'
import { redact, redactText } from '../../src/kernel/redact.ts'
import { rootKey } from '../../src/keys/root.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base62 = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length })
const prefix = fc.stringMatching(/^[a-z0-9]{1,6}(?:_[a-z0-9]{1,6}){0,2}$/).filter((text) => text.length <= 20)
const key = fc.tuple(prefix, base62(15), base62(43)).map(([a, b, c]) => writeKeyText(a, b, c))

function texts(options: object = {}, secret = 'a root secret for tests, long enough'): KeyTexts {
  return new KeyTexts({ random: systemRandom, root: rootKey(secret), options: keyOptions.parse(options) })
}

test('A53 AK1: a key is prefix, id, 256 bits and a checksum, and the documented expression finds it', () => {
  const made = texts()
  const id = made.newId()
  const text = made.write(id)
  assert.match(text, /^gh_live_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/)
  assert.deepEqual(readKeyText(text), { prefix: 'gh_live', id })
  assert.notEqual(made.write(id), text)
  const many = Array.from({ length: 500 }, () => made.write(made.newId()))
  assert.equal(new Set(many).size, 500)
  for (const one of many) assert.ok(made.isOurs(made.idOf(one) ?? ''), one)
})

test('A53: whatever was written as a key is read as one, and one letter of difference is seen', () => {
  fc.assert(
    fc.property(key, fc.nat(), fc.constantFrom(...alphabet), (text, place, letter) => {
      const read = readKeyText(text)
      assert.ok(read)
      assert.ok(text.startsWith(`${read.prefix}_${read.id}_`))
      const at = place % text.length
      if (text[at] === letter || text[at] === '_') return
      assert.equal(readKeyText(text.slice(0, at) + letter + text.slice(at + 1)), undefined)
    }),
  )
})

test('A53: no other text is read as a key, and none makes the reader fail', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary-ascii', maxLength: 120 }), (text) => readKeyText(text) === undefined))
  const text = texts().write(texts().newId())
  for (const wrong of [
    '',
    ` ${text}`,
    `${text} `,
    `${text}\n`,
    text.slice(1),
    text.slice(0, -1),
    `${text}0`,
    text.toLowerCase(),
  ])
    assert.equal(readKeyText(wrong), undefined, JSON.stringify(wrong))
})

test('A53: an id that nobody made here is told without a query, and so is another house’s key', () => {
  const here = texts()
  const elsewhere = texts({}, 'the root secret of quite another house')
  let passed = 0
  for (let n = 0; n < 2_000; n++) if (here.isOurs(elsewhere.newId())) passed++
  assert.equal(passed, 0)
  for (const id of ['', '\0'.repeat(15), 'x'.repeat(14), '../../etc/passw']) assert.equal(here.isOurs(id), false)
  assert.equal(texts({ prefix: 'acme' }).idOf(here.write(here.newId())), undefined)
  assert.ok(texts({ prefix: 'acme', previousPrefixes: ['gh_live'] }).idOf(here.write(here.newId())))
})

test('DP4 A62: of a key in a log the id stays, whatever its prefix and whatever stands around it', () => {
  fc.assert(
    fc.property(key, fc.constantFrom('', 'Bearer ', 'key=', '?api_key=', '{"token":"', 'x-', ' "'), (text, before) => {
      const { prefix, id } = readKeyText(text) ?? { prefix: '', id: '' }
      const clean = redactText(`${before}${text}" and more`)
      assert.ok(clean.includes(`${prefix}_${id}_[redacted]`), clean)
      assert.ok(!clean.includes(text.slice(-49, -6)), clean)
    }),
  )
  let written = ''
  const log = openLogger('info', { write: (line: string) => void (written += line) })
  const text = texts().write(texts().newId())
  const secret = text.slice(-49)
  log.info(
    { apiKey: text, deep: [{ headers: { 'x-api-key': text, authorization: `Bearer ${text}` } }] },
    `came with ${text}`,
  )
  log.error({ err: new Error(`no such key: ${text}`) }, 'twice')
  assert.ok(!written.includes(secret), written)
  assert.equal(written.split(`gh_live_${text.slice(8, 23)}_[redacted]`).length, 6, written)
})

test('DP4: a key that was cut or mistyped is redacted too, and other texts are left as they were', () => {
  const text = texts({ prefix: 'acme' }).write(texts().newId())
  for (const piece of [text.slice(0, -10), `${text}xyz`, text.replace(/.$/, '!'), text.slice(0, 45)])
    assert.ok(!redactText(`got ${piece}`).includes(text.slice(22, 38)), redactText(piece))
  for (const plain of ['a_b_c', 'snake_case_name_of_a_thing', '/api/keys/0123456789abcde/rotate', 'x'.repeat(5_000)])
    assert.equal(redactText(plain), plain)
  assert.deepEqual(redact({ api_key: 'other' }), { api_key: '[redacted]' })
})

test('DP4: a long line costs no more than its length', () => {
  const line = `${'gh_live_'.repeat(4_000)}${'a_'.repeat(20_000)}${'_0123456789abcde'.repeat(4_000)}`
  const began = performance.now()
  redactText(line)
  assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`)
})

test('AK1: options of keys are held to their bounds, and a mistake names its place', () => {
  assert.equal(keyOptions.parse({}).prefix, 'gh_live')
  for (const [said, path] of [
    [{ prefix: 'Gh' }, 'prefix'],
    [{ prefix: 'a'.repeat(21) }, 'prefix'],
    [{ prefix: '_a' }, 'prefix'],
    [{ overlap: '1y' }, 'overlap'],
    [{ expiry: '2d', expiryMax: '1d' }, 'expiry'],
    [{ perOwner: 0 }, 'perOwner'],
    [{ managed: { ci: { permissions: ['a'], rotateEvery: '1s', file: 'x' } } }, 'managed.ci.rotateEvery'],
    [{ managed: { ci: { permissions: ['a b'], file: 'x' } } }, 'managed.ci.permissions.0'],
    [{ managed: { ci: { permissions: [], file: '' } } }, 'managed.ci.file'],
    [{ managed: { ci: { permissions: [], file: 'x', owner: { user: 'a' } } } }, 'managed.ci.owner'],
    [{ managed: { ci: { permissions: [], file: 'x', addresses: ['10.0.0.1/8'] } } }, 'managed.ci.addresses.0'],
    [{ managed: { a: { permissions: [], file: 'x' }, b: { permissions: [], file: 'x' } } }, 'managed.b.file'],
    [{ managed: { CI: { permissions: [], file: 'x' } } }, 'managed.CI'],
    [{ overlapp: '1d' }, ''],
  ] as const) {
    const issues = keyOptions.safeParse(said).error?.issues ?? []
    assert.deepEqual(
      issues.map((issue) => issue.path.join('.')),
      [path],
      JSON.stringify(said),
    )
  }
})
