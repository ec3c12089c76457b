// Checkpoints that are kept outside: by real servers and files that fail and come back.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import { type Anchor, anchorsOf } from '../../src/audit/checkpoint/anchors.ts'
import { appendNotes, readNotes } from '../../src/audit/checkpoint/notes-file.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { type AnchorOptions, auditOptions } from '../../src/audit/options.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { checkpointing } from './checkpoint-support.ts'
import { numbers, sampleEvent } from './sample.ts'

interface Place {
  readonly store: Store
  readonly clock: TestClock
  /** Chains an event and signs it: the note. */
  sign(): Promise<string>
  anchor(options: AnchorOptions): Anchor
}

async function place(context: TestContext): Promise<Place> {
  const store = await openStore('sqlite::memory:')
  const clock = testClock()
  const { checkpointer } = await checkpointing(store, { clock })
  const environment = { ANCHOR_SECRET: 'a word between us' }
  let events = 0
  const opened: Anchor[] = []
  context.after(async () => {
    for (const anchor of opened) await anchor.close()
    await store.close()
  })
  return {
    store,
    clock,
    async sign() {
      await appendBatch(store, [eventText(sampleEvent(++events))])
      return (await checkpointer.make())?.note ?? ''
    },
    anchor(options) {
      const [anchor] = anchorsOf([options], { store, clock, random: systemRandom, log: silent, environment })
      opened.push(anchor as Anchor)
      return anchor as Anchor
    },
  }
}

async function notesIn(path: string): Promise<string[]> {
  const notes: string[] = []
  for await (const { note } of readNotes(path)) notes.push(note)
  return notes
}

test('A60: every checkpoint is put into the file, in order, for its owner alone', async (context) => {
  const { sign, anchor } = await place(context)
  const path = join(throwAwayFolder(context), 'audit.checkpoints')
  const file = anchor({ file: path })
  const notes = [await sign(), await sign()]
  await file.turn()
  notes.push(await sign())
  await file.turn()
  await file.turn()
  assert.deepEqual(await notesIn(path), notes)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(readFileSync(path, 'utf8'), notes.map((note) => `${note}\n`).join(''))
})

test('A60: a file whose folder vanishes loses nothing, and stops nothing', async (context) => {
  const { store, clock, sign, anchor } = await place(context)
  const folder = join(throwAwayFolder(context), 'kept')
  const path = join(folder, 'audit.checkpoints')
  mkdirSync(folder)
  const file = anchor({ file: path })
  const notes = [await sign()]
  await file.turn()
  renameSync(folder, `${folder}-away`)
  notes.push(await sign())
  await file.turn()
  assert.match(file.problem ?? '', /ENOENT/)
  const failing = await store.db.selectFrom('audit_followers').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual([failing.name, failing.seq, failing.failures], [`anchor:${path}`, 1, 1])
  assert.match(failing.problem ?? '', /ENOENT/)
  notes.push(await sign())
  renameSync(`${folder}-away`, folder)
  await file.turn()
  assert.deepEqual(await notesIn(path), notes.slice(0, 1), 'not before its time')
  clock.advance(1_000)
  await file.turn()
  assert.deepEqual(await notesIn(path), notes)
  const well = await store.db.selectFrom('audit_followers').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual([file.problem, well.problem, well.failures, well.failing_since], [undefined, null, 0, null])
})

test('A60: a server that answers 500 and comes back has every checkpoint, in order, with the secret', async (context) => {
  const { clock, sign, anchor } = await place(context)
  const got: string[] = []
  let answers: readonly number[] = [500, 302, 404]
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [status = 204, ...rest] = answers
      answers = rest
      asked.push(request.headers['content-type'], request.headers.authorization, `${request.method} ${request.url}`)
      if (status === 204) got.push(Buffer.concat(chunks).toString())
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/here?secret=1`
  const remote = anchor({ url, secret: { env: 'ANCHOR_SECRET' } })
  assert.ok(!remote.name.includes('secret'), 'a query may be secret')
  const notes = [await sign(), await sign(), await sign()]
  for (const [waitMs, problem] of [
    [0, 'it answered 500'],
    [1_000, 'it answered 302'],
    [2_000, 'it answered 404'],
  ] as const) {
    clock.advance(waitMs)
    await remote.turn()
    assert.equal(remote.problem, problem)
  }
  await remote.turn()
  assert.deepEqual([got, asked.length], [[], 9], 'it waits longer each time')
  clock.advance(4_000)
  await remote.turn()
  assert.deepEqual(got, notes)
  assert.deepEqual(
    new Set(asked),
    new Set(['text/plain; charset=utf-8', 'Bearer a word between us', 'POST /here?secret=1']),
  )
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await sign()
  await remote.turn()
  assert.match(remote.problem ?? '', /ECONNREFUSED/)
})

test('A60: of two nodes one delivers; when it is gone, the other goes on after its last', async (context) => {
  const { clock, sign, anchor } = await place(context)
  const path = join(throwAwayFolder(context), 'audit.checkpoints')
  const [one, two] = [anchor({ file: path }), anchor({ file: path })]
  const notes = [await sign()]
  await Promise.all([one.turn(), two.turn()])
  await Promise.all([one.turn(), two.turn()])
  assert.deepEqual(readFileSync(path, 'utf8'), notes.map((note) => `${note}\n`).join(''), 'once')
  const left = async (): Promise<string> => {
    notes.push(await sign())
    return readFileSync(path, 'utf8')
  }
  const before = await left()
  await two.turn()
  assert.equal(readFileSync(path, 'utf8'), before, 'the first holds it')
  clock.advance(29_000)
  await two.turn()
  assert.equal(readFileSync(path, 'utf8'), before)
  clock.advance(1_000)
  await two.turn()
  assert.deepEqual(await notesIn(path), notes, 'the first is silent')
  await left()
  await one.turn()
  assert.equal((await notesIn(path)).length, 2)
  await two.close()
  await one.turn()
  assert.deepEqual(await notesIn(path), notes, 'whoever leaves leaves it at once')
})

test('A60: a file is read in order; half a note and copies are passed over', async (context) => {
  const { sign } = await place(context)
  const path = join(throwAwayFolder(context), 'audit.checkpoints')
  const [a = '', b = '', c = ''] = [await sign(), await sign(), await sign()]
  for (const cutAt of [1, 40, 200, a.length - 100, a.length - 5, a.length - 1, a.length]) {
    rmSync(path, { force: true })
    await appendNotes(path, [a])
    writeFileSync(path, b.slice(0, cutAt), { flag: 'a' })
    assert.deepEqual(await notesIn(path), cutAt >= b.length - 1 ? [a, b] : [a], `cut at ${cutAt}`)
    await appendNotes(path, [b, c])
    assert.deepEqual(await notesIn(path), [a, b, c], `cut at ${cutAt}`)
  }
  rmSync(path)
  await appendNotes(path, [a, b, a, b, c])
  assert.deepEqual(await notesIn(path), [a, b, c])
  rmSync(path)
  await appendNotes(path, [b, a])
  await assert.rejects(notesIn(path), /has a checkpoint over 1 events behind one over 2$/)
  writeFileSync(path, 'nothing\n'.repeat(100))
  await assert.rejects(notesIn(path), /holds no checkpoint$/)
  await assert.rejects(notesIn(`${path}-not`), /cannot be read: ENOENT/)
})

test('A60: an anchor is a file, or an address that nobody between can read', () => {
  const fits = (anchors: unknown): boolean => auditOptions.safeParse({ anchors }).success
  assert.deepEqual(auditOptions.parse({}).anchors, [])
  for (const one of [
    { file: './a' },
    { url: 'https://log.example/x' },
    { url: 'http://localhost:1/x' },
    { url: 'http://[::1]/' },
  ])
    assert.ok(fits([one]), JSON.stringify(one))
  for (const one of [
    {},
    { file: '' },
    { file: './a', url: 'https://log.example' },
    { url: 'http://log.example' },
    { url: 'https://me:it@log.example' },
    { url: 'ftp://log.example' },
    { url: 'https://log.example/#x' },
    { url: 'https://log.example', secret: 'inline' },
  ])
    assert.ok(!fits([one]), JSON.stringify(one))
  assert.ok(!fits([{ url: 'https://log.example/a?b=1' }, { url: 'https://log.example/a?b=2' }]), 'each place once')
  assert.ok(!fits(numbers(9).map((number) => ({ file: `./${number}` }))))
})
