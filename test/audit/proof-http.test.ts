// Proofs through the front door: an administrator asks for them, a third party checks them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { latestCheckpoint } from '../../src/audit/checkpoint/rows.ts'
import { person, startHouse, type TestHouse } from '../support/house.ts'
import { checkpointing } from './checkpoint-support.ts'
import * as reference from './merkle-reference.ts'
import { checkByHand, type ProofJson } from './proof-by-hand.ts'

interface Somebody {
  readonly id: string
  readonly access_token: string
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

let at: TestHouse
let auditor: Somebody
let key: string
const closing: (() => unknown)[] = []

before(async () => {
  const roles = { auditor: { permissions: ['audit:view'] }, user: { permissions: [] } }
  at = await startHouse({ after: (close: () => unknown) => void closing.push(close) } as never, { roles })
  auditor = await somebody('auditor')
  key = String(((await ask('/.well-known/gatehouse/audit-key')).body['jwk'] as { x: string }).x)
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

let people = 0

/** Somebody new, who signed in by their password. */
async function somebody(role: string): Promise<Somebody> {
  const { accounts, store } = at.house
  const email = `person-${++people}@example.com`
  const made = await accounts.create(store.db, { ...person, email, roles: [role] })
  if (!('account' in made)) assert.fail(JSON.stringify(made))
  const response = await fetch(`${at.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: person.password }),
  })
  assert.equal(response.status, 200)
  const { access_token } = (await response.json()) as { access_token: string }
  return { id: made.account.id, access_token }
}

async function ask(path: string, who?: Somebody): Promise<Answer> {
  const headers: Record<string, string> = who === undefined ? {} : { authorization: `Bearer ${who.access_token}` }
  const response = await fetch(at.url + path, { headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

/** Signs the record as it is, as the house does by itself, and answers how many events that covers. */
async function sign(): Promise<number> {
  const { audit, checkpointKey, store } = at.house
  await audit.flush()
  const { checkpointer } = await checkpointing(store, { key: checkpointKey })
  await checkpointer.make()
  return (await latestCheckpoint(store.db))?.size ?? 0
}

/** The sign-in of somebody, by its id. */
async function signIn(of: Somebody): Promise<string> {
  const { audit, store } = at.house
  await audit.flush()
  const events = store.db.selectFrom('audit_events').select('id').where('action', '=', 'sign-in')
  return (await events.where('actor', '=', of.id).executeTakeFirstOrThrow()).id
}

test('A60: an administrator has the proof of their own sign-in, and somebody else checks it', async () => {
  const id = await signIn(auditor)
  const size = await sign()
  const answer = await ask(`/api/admin/audit/events/${id}/proof`, auditor)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const proof = answer.body as unknown as ProofJson & { event: Record<string, unknown>; format: string }
  assert.equal(proof.format, 'gatehouse-audit-proof/1')
  assert.equal(proof.size, size)
  checkByHand(proof, key)
  assert.throws(
    () => checkByHand({ ...proof, body: proof.body.replace('sign-in', 'sign-on') }, key),
    /the path is wrong/,
  )
  assert.throws(() => checkByHand(proof, Buffer.alloc(32, 1).toString('base64url')), /the key id is wrong/)
  const { action, address } = proof.event
  assert.deepEqual([action, address], ['sign-in', '127.0.0.1'], 'the event as it happened')
  assert.equal(JSON.parse(proof.body).id, id)
})

test('A60: who asked for a proof is in the record', async () => {
  const id = await signIn(auditor)
  await sign()
  assert.equal((await ask(`/api/admin/audit/events/${id}/proof`, auditor)).status, 200)
  const { audit, store } = at.house
  await audit.flush()
  const rows = await store.db.selectFrom('audit_events').selectAll().where('action', '=', 'audit.prove').execute()
  const last = rows.at(-1)
  assert.deepEqual(
    [last?.type, last?.actor, last?.resource_type, last?.resource],
    ['data_access', auditor.id, 'audit', id],
  )
})

test('A60: what no checkpoint covers yet is told so, and what is not there is not found', async () => {
  await sign()
  const late = await somebody('auditor')
  const id = await signIn(late)
  const early = await ask(`/api/admin/audit/events/${id}/proof`, auditor)
  assert.equal(early.status, 409)
  assert.match(String(early.body['detail']), /^No checkpoint covers this event yet/)
  const size = await sign()
  const wanted = await ask(`/api/admin/audit/events/${id}/proof?size=${size}`, auditor)
  assert.equal(wanted.body['size'], size)
  assert.equal((await ask(`/api/admin/audit/events/${id}/proof?size=1000000`, auditor)).status, 404)
  assert.equal((await ask('/api/admin/audit/events/none/proof', auditor)).status, 404)
  for (const query of ['size=0', 'size=x', 'size=1&size=2', 'seq=1'])
    assert.equal((await ask(`/api/admin/audit/events/${id}/proof?${query}`, auditor)).status, 422, query)
  const user = await somebody('user')
  for (const path of [`events/${id}/proof`, 'checkpoints', 'consistency?from=1']) {
    assert.equal((await ask(`/api/admin/audit/${path}`, user)).status, 403, path)
    assert.equal((await ask(`/api/admin/audit/${path}`)).status, 401, path)
  }
})

test('A60: two checkpoints are shown to be of one record that was only added to', async () => {
  const from = await sign()
  await somebody('auditor')
  const to = await sign()
  const answer = await ask(`/api/admin/audit/consistency?from=${from}`, auditor)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const rows = await at.house.store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()
  const leaves = rows.map(({ body }) => reference.leaf(body)).slice(0, to)
  assert.deepEqual(
    answer.body['path'],
    reference.proof(from, leaves).map((hash) => hash.toString('base64')),
  )
  assert.equal(answer.body['to'], to)
  assert.equal(String(answer.body['to_checkpoint']).split('\n')[2], reference.root(leaves).toString('base64'))
  assert.equal((await ask(`/api/admin/audit/consistency?from=${from}&to=${to}`, auditor)).status, 200)
  for (const [query, status] of [
    ['', 422],
    ['?from=x', 422],
    [`?from=${to}&to=${from}`, 404],
    ['?from=1000000', 404],
  ] as const)
    assert.equal((await ask(`/api/admin/audit/consistency${query}`, auditor)).status, status, query)
})

test('A60: checkpoints are listed by pages, from the latest on, and leave no line in the record', async () => {
  await sign()
  await somebody('auditor')
  await sign()
  const { audit, store } = at.house
  await audit.flush()
  const proofs = async (): Promise<number> =>
    (await store.db.selectFrom('audit_events').select('seq').where('action', '=', 'audit.prove').execute()).length
  const before = await proofs()
  const sizes: number[] = []
  let after = ''
  do {
    const { body, status } = await ask(`/api/admin/audit/checkpoints?limit=1${after}`, auditor)
    assert.equal(status, 200)
    const [one] = body['checkpoints'] as readonly { size: number; note: string; root: string; chain: string }[]
    if (one === undefined) assert.fail('an empty page')
    assert.equal(one.note.split('\n')[1], String(one.size))
    sizes.push(one.size)
    after = body['next'] === undefined ? '' : `&after=${body['next']}`
  } while (after !== '')
  assert.ok(sizes.length >= 2)
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  )
  await audit.flush()
  assert.equal(await proofs(), before)
  assert.equal((await ask('/api/admin/audit/checkpoints?after=x', auditor)).status, 422)
})

test('A60: the key is public, and the same for every asker', async () => {
  const { status, body, headers } = await ask('/.well-known/gatehouse/audit-key')
  assert.deepEqual([status, headers.get('cache-control')], [200, 'public, max-age=3600'])
  const { kty, crv, alg, d } = body['jwk'] as Record<string, unknown>
  assert.deepEqual({ kty, crv, alg, d }, { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', d: undefined })
  assert.match(String(body['key']), /^gatehouse\/[0-9a-f]{16}\/audit\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
  assert.equal(String(body['key']).split('+')[0], body['name'])
})

test('A60: nothing is proven of a record that is not what was signed', async () => {
  const id = await signIn(auditor)
  await sign()
  const { db } = at.house.store
  const { body } = await db.selectFrom('audit_events').select('body').where('id', '=', id).executeTakeFirstOrThrow()
  const set = (text: string): Promise<unknown> =>
    db.updateTable('audit_events').set({ body: text }).where('id', '=', id).execute()
  await set(body.replace('sign-in', 'sign-on'))
  const answer = await ask(`/api/admin/audit/events/${id}/proof`, auditor)
  await set(body)
  assert.equal(answer.status, 409)
  assert.match(String(answer.body['detail']), /^The record is not what was signed/)
})
