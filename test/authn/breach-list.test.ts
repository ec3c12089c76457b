import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type BreachBuildOptions, buildBreachList, verifyBreachList } from '../../src/authn/password/breach-build.ts'
import { breachKey, openBreachList, writeHeader } from '../../src/authn/password/breach-list.ts'
import { throwAwayFolder } from '../support/folder.ts'

function sha1(password: string): string {
  return hash('sha1', password, 'hex').toUpperCase()
}

/** Text as a stream hands it on: cut where it happens to be. */
async function* cut(text: string | Buffer, bytes = 7): AsyncGenerator<Buffer> {
  const all = Buffer.from(text as string)
  for (let from = 0; from < all.length; from += bytes) yield all.subarray(from, from + bytes)
}

async function built(text: string | Buffer, options: BreachBuildOptions, bytes?: number) {
  const outcome = await buildBreachList(cut(text, bytes), options)
  if ('mistake' in outcome) assert.fail(`line ${outcome.line}: ${outcome.mistake}`)
  return outcome
}

test('A38: hashes of a published dump, unsorted and repeated, become a list that knows each of them and no other', async (context) => {
  const out = join(throwAwayFolder(context), 'list')
  // The hash of `password` in every copy of the published dump, whatever ours makes of it.
  const known = '5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824'
  const lines = Array.from({ length: 2_000 }, (_, at) => `${sha1(`leaked ${(at * 7_919) % 1_500}`)}:${at + 1}`)
  const outcome = await built([known, ...lines].join('\r\n'), { out, keysHeld: 97 }, 61)
  assert.deepEqual(outcome, { kind: 'hashes', lines: 2_001, skipped: 0, count: 1_501 })
  const list = openBreachList(out)
  assert.equal(list.count, 1_501)
  assert.equal(list.has('password'), true)
  for (let at = 0; at < 1_500; at++) assert.equal(list.has(`leaked ${at}`), true, String(at))
  for (let at = 1_500; at < 4_000; at++) assert.equal(list.has(`leaked ${at}`), false, String(at))
  assert.deepEqual(verifyBreachList(out), { count: 1_501 })
})

test('A38: passwords, one a line, are hashed as NFC as they stand, from old dumps too', async (context) => {
  const out = join(throwAwayFolder(context), 'list')
  const dump = Buffer.concat([
    Buffer.from('\ufeffhunter2\r\n\r\n  spaces  \ncafe\u0301\n'),
    Buffer.from('contrase\u00f1a\n', 'latin1'),
    Buffer.from(`a:b:c\nwith a \0 in it\n${'x'.repeat(1_000_000)}\n${sha1('bare')}\nlast, without an end`),
  ])
  const outcome = await built(dump, { out }, 4_999)
  assert.deepEqual(outcome, { kind: 'passwords', lines: 10, skipped: 1, count: 8 })
  const list = openBreachList(out)
  const found = ['hunter2', '  spaces  ', 'caf\u00e9', 'cafe\u0301', 'contrase\u00f1a', 'a:b:c', 'with a \0 in it']
  for (const password of [...found, sha1('bare'), 'last, without an end'])
    assert.equal(list.has(password), true, password)
  for (const password of ['Hunter2', 'spaces', '', '\ufeffhunter2', 'hunter2\r', 'x'.repeat(4_000), 'bare'])
    assert.equal(list.has(password), false, password)
})

test('A38: `countMin` counts what stands behind a hash, and how often a password is in the dump', async (context) => {
  const out = join(throwAwayFolder(context), 'list')
  const hashes = await built(`${sha1('rare')}:9\n${sha1('often')}:10\n${sha1('always')}:123456789012\n`, {
    out,
    countMin: 10,
  })
  assert.equal(hashes.count, 2)
  assert.equal(openBreachList(out).has('rare'), false)
  assert.equal(openBreachList(out).has('often'), true)
  const passwords = await built('twice\nonce\nthrice\ntwice\nthrice\nthrice\n', { out, countMin: 2, keysHeld: 2 })
  assert.equal(passwords.count, 2, 'counted across what was set aside')
  assert.deepEqual(
    ['once', 'twice', 'thrice'].map((password) => openBreachList(out).has(password)),
    [false, true, true],
  )
})

test('a dump that is two things at once, or nothing, is refused with its line, and what was there before stays', async (context) => {
  const folder = throwAwayFolder(context)
  const out = join(folder, 'list')
  await built('the list of yesterday\n', { out })
  const before = readFileSync(out)
  const cases: readonly (readonly [dump: string, line: number, why: RegExp])[] = [
    [`${sha1('a')}:1\n${sha1('b')}:2\nhunter2\n`, 3, /expected a SHA-1/],
    [`${sha1('a')}:1\n${sha1('b')}\n`, 2, /expected a SHA-1/],
    [`${sha1('a')}:1\n${sha1('b')}:\n`, 2, /expected a SHA-1/],
    [`${sha1('a')}:1\n${sha1('b')}:-2\n`, 2, /expected a SHA-1/],
    [`${sha1('a')}:1\n\n${sha1('b').slice(1)}g:2`, 3, /expected a SHA-1/],
    [`${sha1('a')}:1\n${'f'.repeat(10_000)}\n`, 2, /thousands of characters/],
    [`hunter2\n${sha1('a')}:1\n`, 2, /got a hash/],
    [`hunter2\nletmein\n${sha1('a').toLowerCase()}:1`, 3, /got a hash/],
    ['', 0, /nothing in it/],
    ['\n\r\n\n', 3, /nothing in it/],
    ['once\n', 1, /nothing in it/],
  ]
  for (const [dump, line, why] of cases) {
    const outcome = await buildBreachList(cut(dump), { out, countMin: dump === 'once\n' ? 2 : 1 })
    assert.ok('mistake' in outcome, dump)
    assert.equal(outcome.line, line, dump)
    assert.match(outcome.mistake, why)
    assert.doesNotMatch(outcome.mistake, /hunter2/)
  }
  assert.ok(readFileSync(out).equals(before))
  assert.deepEqual(readdirSync(folder), ['list'], 'nothing is left lying about')
})

test('a dump that breaks off is a fault, and what was there before stays', async (context) => {
  const folder = throwAwayFolder(context)
  const out = join(folder, 'list')
  await built('the list of yesterday\n', { out })
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from('one\ntwo\n')
    throw new Error('the disk is gone')
  }
  await assert.rejects(buildBreachList(broken(), { out }), { name: 'Fault', message: /the disk is gone/ })
  assert.equal(openBreachList(out).has('the list of yesterday'), true)
  const nowhere = join(folder, 'no', 'list')
  await assert.rejects(buildBreachList(cut('one\n'), { out: nowhere }), { name: 'Fault', message: /no\/list/ })
  assert.deepEqual(readdirSync(folder), ['list'])
})

test('A38: a list that is cut off, changed, of another version or no list is a fault that names it', async (context) => {
  const folder = throwAwayFolder(context)
  const out = join(folder, 'list')
  await built(Array.from({ length: 5_000 }, (_, at) => `leaked ${at}`).join('\n'), { out }, 1_000)
  const whole = readFileSync(out)
  const openings: readonly (readonly [name: string, bytes: Buffer, why: RegExp])[] = [
    ['empty', Buffer.alloc(0), /is cut off/],
    ['half a header', whole.subarray(0, 40), /is cut off/],
    ['one byte short', whole.subarray(0, -1), /should have 30064 bytes, and has 30063/],
    ['one byte more', Buffer.concat([whole, Buffer.alloc(1)]), /should have 30064 bytes, and has 30065/],
    ['another magic', changed(whole, 0), /is not one/],
    ['a dump', Buffer.from(`${sha1('a')}:1\n`.repeat(10)), /is not one/],
    ...[9, 15, 23, 24, 55, 56, 63].map((at) => [`header ${at}`, changed(whole, at), /damaged header/] as const),
    ['another version', resealed(changed(whole, 11)), /version 0, and version 1/],
    ['an endless count', resealed(changed(whole, 16)), /should have/],
  ]
  for (const [name, bytes, why] of openings) {
    const path = join(folder, 'damaged')
    writeFileSync(path, bytes)
    assert.throws(() => openBreachList(path), named(path, why), name)
    assert.throws(() => verifyBreachList(path), named(path, why), name)
  }
  for (const [path, why] of [
    [join(folder, 'absent'), /ENOENT/],
    [folder, /not a file/],
  ] as const)
    assert.throws(() => openBreachList(path), named(path, why))

  const path = join(folder, 'damaged')
  writeFileSync(path, changed(whole, 15_000))
  assert.throws(() => verifyBreachList(path), named(path, /order|not what it was/))
  writeFileSync(path, Buffer.concat([whole.subarray(0, 64), Buffer.from(whole.subarray(64)).reverse()]))
  assert.throws(() => openBreachList(path).has('leaked 1'), named(path, /not in order/))
  const body = Buffer.concat([whole.subarray(70), whole.subarray(64, 70)])
  writeFileSync(path, Buffer.concat([writeHeader({ count: 5_000, digest: hash('sha256', body, 'buffer') }), body]))
  assert.throws(() => verifyBreachList(path), named(path, /not in order at entry 4999/))
  writeFileSync(path, whole)
  const list = openBreachList(path)
  truncateSync(path, 20_000)
  assert.throws(() => list.has('leaked 1'), named(path, /should have/), 'cut off while it is in use')
})

test('A38: a list of 200,000, sorted piece by piece and merged, knows its own and mistakes no others', async (context) => {
  const folder = throwAwayFolder(context)
  const [dump, out] = [join(folder, 'dump'), join(folder, 'list')]
  const count = 200_000
  writeFileSync(dump, Array.from({ length: count }, (_, at) => `${sha1(`p${at}`)}:${1 + (at % 9)}\n`).join(''))
  const told: number[] = []
  const outcome = await buildBreachList(createReadStream(dump), {
    out,
    keysHeld: 9_000,
    onProgress: (n) => told.push(n),
  })
  assert.deepEqual(outcome, { kind: 'hashes', lines: count, skipped: 0, count })
  assert.equal(statSync(out).size, 64 + 6 * count)
  assert.equal(told.at(-1), count)
  assert.deepEqual(
    told,
    told.toSorted((a, b) => a - b),
  )
  assert.deepEqual(verifyBreachList(out), { count })
  const list = openBreachList(out)
  let [known, mistaken] = [0, 0]
  for (let at = 0; at < 20_000; at++) if (list.has(`p${at * 10}`)) known++
  for (let at = 0; at < 20_000; at++) if (list.has(`q${at}`)) mistaken++
  assert.deepEqual({ known, mistaken }, { known: 20_000, mistaken: 0 })
})

test('A38: keys that are spread unevenly, the least and the greatest too, are found', async (context) => {
  const out = join(throwAwayFolder(context), 'list')
  const crowd = Array.from({ length: 30_000 }, (_, at) => (2 ** 47 + at).toString(16).padStart(12, '0'))
  const wanted = breachKey('wanted').toString(16).padStart(12, '0')
  const keys = ['000000000000', 'ffffffffffff', wanted, ...crowd]
  const dump = keys.map((key) => `${key}${'0'.repeat(28)}:1\n`).join('')
  assert.equal((await built(dump, { out, keysHeld: 1_000 }, 65_536)).count, 30_003)
  assert.equal(openBreachList(out).has('wanted'), true)
  assert.equal(openBreachList(out).has('unwanted'), false)
  assert.deepEqual(verifyBreachList(out), { count: 30_003 })
})

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

/** A header that vouches for itself again. */
function resealed(bytes: Buffer): Buffer {
  hash('sha256', bytes.subarray(0, 56), 'buffer').copy(bytes, 56, 0, 8)
  return bytes
}

function named(path: string, why: RegExp): (error: Error) => boolean {
  return (error) => {
    assert.equal(error.name, 'Fault')
    assert.ok(error.message.includes(path), error.message)
    assert.match(error.message, why)
    return true
  }
}
