import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { silent } from '../../src/kernel/log.ts'
import { outputOf } from '../../src/sandbox/children/output-of.ts'
import { Snapshots } from '../../src/sandbox/children/snapshots.ts'
import { throwAwayFolder } from '../support/folder.ts'

function snapshotsIn(folder: string | undefined, make: () => Promise<Uint8Array>, key = 'version-1'): Snapshots {
  return new Snapshots({ folder, key, make, clock: systemClock, log: silent })
}

function counted(text: string): { readonly make: () => Promise<Uint8Array>; count(): number } {
  let made = 0
  return {
    make: () => {
      made++
      return Promise.resolve(Buffer.from(text))
    },
    count: () => made,
  }
}

test('a snapshot is made once, for its owner alone, and found by the next house', async (context) => {
  const folder = join(throwAwayFolder(context), 'sandbox')
  const { make, count } = counted('image')
  const [path, again] = await Promise.all([snapshotsIn(folder, make).get(), snapshotsIn(folder, make).get()])
  assert.ok(path !== undefined && path === again)
  assert.equal(readFileSync(path, 'utf8'), 'image')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const before = count()
  assert.equal(await snapshotsIn(folder, make).get(), path)
  assert.deepEqual([count(), readdirSync(folder).length], [before, 1])
})

test('two houses that make different ones at once each have a whole one', async (context) => {
  const folder = throwAwayFolder(context)
  const texts = ['one', 'two', 'three', 'four']
  const paths = await Promise.all(texts.map((text) => snapshotsIn(folder, counted(text).make).get()))
  assert.deepEqual(
    paths.map((path) => readFileSync(path ?? '', 'utf8')).every((text) => texts.includes(text)),
    true,
  )
  assert.ok(readdirSync(folder).every((name) => name.endsWith('.snapshot')))
})

for (const [what, harm] of Object.entries({
  'cut short': (path: string) => truncateSync(path, 2),
  changed: (path: string) => writeFileSync(path, 'imagE'),
  emptied: (path: string) => truncateSync(path, 0),
}))
  test(`a snapshot that was ${what} is made anew`, async (context) => {
    const folder = throwAwayFolder(context)
    const { make, count } = counted('image')
    const snapshots = snapshotsIn(folder, make)
    const path = (await snapshots.get()) ?? ''
    harm(path)
    assert.equal(await snapshots.get(), path) // it is believed until a child does not start with it
    snapshots.distrust()
    assert.equal(readFileSync((await snapshots.get()) ?? '', 'utf8'), 'image')
    assert.equal(count(), 2)
  })

test('another version has another snapshot, and old ones do not pile up', async (context) => {
  const folder = throwAwayFolder(context)
  const versions = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6']
  for (const [at, version] of versions.entries()) {
    const path = (await snapshotsIn(folder, counted(version).make, version).get()) ?? ''
    assert.equal(readFileSync(path, 'utf8'), version)
    utimesSync(path, 1000 + at, 1000 + at)
  }
  writeFileSync(join(folder, '.dead.draft'), 'half')
  utimesSync(join(folder, '.dead.draft'), 1000, 1000)
  writeFileSync(join(folder, 'notes.txt'), 'not ours')
  await snapshotsIn(folder, counted('v7').make, 'v7').get()
  const names = readdirSync(folder)
  assert.deepEqual(
    names
      .filter((name) => name.endsWith('.snapshot'))
      .map((name) => name.split('-')[1])
      .sort(),
    ['v4', 'v5', 'v6', 'v7'],
  )
  assert.ok(names.includes('notes.txt') && !names.includes('.dead.draft'))
})

test('without a folder it lies in one of its own, which goes with the house', async () => {
  const snapshots = snapshotsIn(undefined, counted('image').make)
  const path = (await snapshots.get()) ?? ''
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  await snapshots.close()
  assert.ok(!existsSync(dirname(path)))
})

test('where none can be made or kept there is none, and nothing fails', async (context) => {
  const failing = snapshotsIn(throwAwayFolder(context), () => Promise.reject(new Error('no')))
  assert.equal(await failing.get(), undefined)
  const file = join(throwAwayFolder(context), 'file')
  writeFileSync(file, '')
  assert.equal(await snapshotsIn(file, counted('image').make).get(), undefined)
  await failing.close()
})

test('what a maker writes is taken whole, and only from one that ends well, in time and in bounds', async () => {
  const run = (code: string, bounds: { bytesMax?: number; timeMs?: number; signal?: AbortSignal } = {}) =>
    outputOf({ command: process.execPath, args: ['-e', code], feeds: [] }, 'told', {
      bytesMax: 1000,
      timeMs: 20_000,
      signal: new AbortController().signal,
      ...bounds,
    })
  assert.equal((await run('process.stdin.pipe(process.stdout)')).toString(), 'told\n')
  await assert.rejects(run('console.error("no wasm"); process.exit(2)'), /it ended with 2: no wasm/)
  await assert.rejects(
    run('process.stdout.write("x".repeat(1001)); setTimeout(() => {}, 60000)'),
    /more than 1000 bytes/,
  )
  await assert.rejects(run('setTimeout(() => {}, 60000)', { timeMs: 300 }), /more than 300 ms/)
  await assert.rejects(run('setTimeout(() => {}, 60000)', { signal: AbortSignal.abort() }), /not needed any more/)
  const nowhere = { command: '/nowhere/node', args: [], feeds: [] }
  const bounds = { bytesMax: 1, timeMs: 1000, signal: new AbortController().signal }
  await assert.rejects(outputOf(nowhere, '', bounds), /ENOENT/)
})
