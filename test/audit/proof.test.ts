// Proofs, as an operator makes them and as somebody else checks them.
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { checkByHand } from './proof-by-hand.ts'

interface Place {
  readonly dir: string
  readonly store: string
  readonly call: (...args: readonly string[]) => Promise<Outcome>
  /** The events of the record, as they are stored. */
  readonly events: () => Promise<readonly { readonly id: string; readonly body: string; readonly seq: number }[]>
}

function place(context: TestContext): Place {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const store = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store }))
  return {
    dir,
    store,
    call: (...args) => run(audit, [...args, '--config', config, '--data', dir]),
    async events() {
      const { db, close } = await openStore(store)
      const rows = await db.selectFrom('audit_events').select(['id', 'body', 'seq']).orderBy('seq').execute()
      await close()
      return rows
    },
  }
}

test('AU2: a checkpoint is made by command, printed, and remembered', async (context) => {
  const { call, events } = place(context)
  const made = await call('checkpoint')
  assert.deepEqual([made.code, made.err], [0, ''])
  assert.match(made.out, /^gatehouse\/[0-9a-f]{16}\/audit\n1\n/)
  const [event] = await events()
  const { action, actor, type } = JSON.parse(event?.body ?? '')
  assert.deepEqual(
    { action, actor, type },
    {
      action: 'audit.checkpoint',
      actor: { id: 'operator', type: 'system' },
      type: 'admin_action',
    },
  )
  const again = await call('checkpoint')
  assert.match(again.out, /^gatehouse\/[0-9a-f]{16}\/audit\n2\n[^\n]+\nchain [^\n]+\nprevious 1\n/)
  const whole = await call('verify')
  assert.deepEqual([whole.code, whole.err], [0, ''])
  assert.match(whole.out, /^the chain is whole: 2 events and 2 checkpoints, the last event has hash [0-9a-f]{64}\n$/)
})

test('A60: an event is proven by command, and the proof is checked without the house, by others and by us', async (context) => {
  const { dir, call, events } = place(context)
  for (let times = 0; times < 5; times++) await call('checkpoint')
  const [, event] = await events()
  const out = join(dir, 'proof.json')
  const proven = await call('prove', event?.id ?? '', '--out', out)
  assert.deepEqual([proven.code, proven.err], [0, `done: the proof is in ${out}\n`])
  assert.equal(statSync(out).mode & 0o777, 0o600)
  const proof = JSON.parse(readFileSync(out, 'utf8'))
  assert.deepEqual([proof.body, proof.seq, proof.index, proof.size], [event?.body, 2, 1, 2])
  assert.deepEqual(proof.event, JSON.parse(proof.body))
  const x = Buffer.from(proof.key.split('+').slice(2).join('+'), 'base64').subarray(1).toString('base64url')
  checkByHand(proof, x)
  const later = JSON.parse((await call('prove', event?.id ?? '', '--size', '4')).out)
  assert.deepEqual([later.size, later.path.length], [4, 2])
  checkByHand(later, x)
  for (const wrong of [
    { body: proof.body.replace('"system"', '"user"') },
    { path: later.path },
    { checkpoint: later.checkpoint },
    { index: 0, seq: 1 },
  ])
    assert.throws(() => checkByHand({ ...proof, ...wrong }, x))

  const check = (file: string, ...more: string[]): Promise<Outcome> => run(audit, ['check-proof', file, ...more])
  const held = await check(out, '--key', proof.key)
  assert.deepEqual([held.code, held.out], [0, `${event?.body}\n`])
  assert.match(held.err, /^event 2 is one of the 2 in `gatehouse\/[0-9a-f]{16}\/audit` at 20[0-9TZ:.-]+\n$/)
  assert.equal((await check(out, '--key', x)).code, 0, 'the bare key will do')
  assert.match((await check(out)).err, /; whether that is the house it should be, `--key` tells\n$/)
  const forged = join(dir, 'forged.json')
  for (const [wrong, says] of [
    [{ body: proof.body.replace('"system"', '"user"') }, /its path does not lead from the event to the root/],
    [{ index: 0, seq: 1 }, /its path does not lead/],
    [{ size: 3 }, /its checkpoint covers 2 events, not 3/],
    [{ checkpoint: 'nothing' }, /its checkpoint is none/],
    [{ checkpoint: proof.checkpoint.replace('\n2\n', '\n3\n'), size: 3 }, /is not signed by this key/],
  ] as const) {
    writeFileSync(forged, JSON.stringify({ ...proof, ...wrong }))
    const refused = await check(forged, '--key', proof.key)
    assert.deepEqual([refused.code, refused.out], [1, ''])
    assert.match(refused.err, says)
  }
  const other = place(context)
  await other.call('checkpoint')
  const [theirs] = await other.events()
  const stranger = JSON.parse((await other.call('prove', theirs?.id ?? '')).out)
  assert.match((await check(out, '--key', stranger.key)).err, /its checkpoint is of the record/)
  for (const wrong of ['{', '{}', JSON.stringify({ ...proof, index: 5 }), JSON.stringify({ ...proof, path: 'x' })]) {
    writeFileSync(forged, wrong)
    assert.equal((await check(forged)).code, 2, wrong)
  }
  assert.equal((await check(join(dir, 'none.json'))).code, 2)
  assert.match((await check('/dev/zero')).err, /is longer than 262144 bytes/)
  assert.equal((await check(out, '--key', 'nothing')).code, 2)
})

test('A60: an event that was given the id of another is not proven for it', async (context) => {
  const { store, call, events } = place(context)
  for (let times = 0; times < 2; times++) await call('checkpoint')
  const [first, second] = (await events()).map(({ id }) => id)
  const { db, close } = await openStore(store)
  for (const [seq, id] of [
    [1, 'none'],
    [2, first],
    [1, second],
  ] as const)
    await db.updateTable('audit_events').set({ id }).where('seq', '=', seq).execute()
  await close()
  const { code, out, err } = await call('prove', first ?? '')
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /^The record is not what was signed/)
})

test('A60: who reads a proof is remembered, what is not there is refused, and no file is written over', async (context) => {
  const { dir, call, events } = place(context)
  await call('checkpoint')
  const [event] = await events()
  const none = await call('prove', '019b76da-a800-7000-8000-000000000000')
  assert.deepEqual([none.code, none.err], [1, 'no event has the id `019b76da-a800-7000-8000-000000000000`\n'])
  assert.equal((await call('prove', event?.id ?? '', '--size', '99')).code, 1)
  assert.equal((await call('prove', event?.id ?? '', '--size', '-1')).code, 2)
  assert.equal((await call('prove')).code, 2)
  const out = join(dir, 'proof.json')
  assert.equal((await call('prove', event?.id ?? '', '--out', out)).code, 0)
  const before = readFileSync(out, 'utf8')
  assert.equal((await call('prove', event?.id ?? '', '--out', out)).code, 1)
  assert.equal(readFileSync(out, 'utf8'), before)
  await call('checkpoint')
  const told = (await events()).map(({ body }) => JSON.parse(body)).filter(({ type }) => type === 'data_access')
  assert.deepEqual(
    told.map(({ action, actor, resource, details }) => ({ action, actor: actor.id, resource, details })),
    [0, 1].map(() => ({
      action: 'audit.prove',
      actor: 'operator',
      resource: { id: event?.id, type: 'audit' },
      details: { seq: 1, size: 1 },
    })),
  )
})

test('A60: the command finds what was cut off by a file from outside, and judges by the key that was noted', async (context) => {
  const { dir, store, call } = place(context)
  const notes: string[] = []
  for (let times = 0; times < 4; times++) notes.push((await call('checkpoint')).out)
  const anchor = join(dir, 'outside.checkpoints')
  writeFileSync(anchor, notes.map((note) => `${note}\n`).join(''))
  assert.equal((await call('verify', '--anchor', anchor)).code, 0)
  const { db, close } = await openStore(store)
  await db.deleteFrom('audit_events').where('seq', '>', 2).execute()
  await db.deleteFrom('audit_checkpoints').where('size', '>', 2).execute()
  const { hash } = await db.selectFrom('audit_events').select('hash').where('seq', '=', 2).executeTakeFirstOrThrow()
  await db.updateTable('audit_head').set({ seq: 2, hash }).execute()
  await close()
  assert.equal((await call('verify')).code, 0, 'from within nothing is missing')
  const cut = await call('verify', '--anchor', anchor)
  assert.deepEqual([cut.code, cut.out], [1, ''])
  assert.match(
    cut.err,
    /^the chain is broken at event 3: cut-off: the chain ends after event 2, and the checkpoint over 3 events in `/,
  )
  const other = place(context)
  await other.call('checkpoint')
  const key = JSON.parse((await other.call('prove', (await other.events())[0]?.id ?? '')).out).key
  assert.match((await call('verify', '--key', key)).err, /: checkpoint: .* is not signed by this house\n$/)
  assert.equal((await call('verify', '--key', 'nothing')).code, 2)
  assert.equal((await call('verify', '--anchor', join(dir, 'none'))).code, 3)
})
