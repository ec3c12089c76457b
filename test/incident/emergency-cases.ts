// The whole house in an emergency, through the front door, on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sessionCookie } from '../../src/gate/cookie-names.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer, PeopleHouse } from '../support/people.ts'
import { outcomes, playbookScene, type RunBody, runningClock, type Scene, type Somebody } from './playbook-scene.ts'
import type { FreshStore } from './scene.ts'

export function emergencyCases(fresh: FreshStore): void {
  test('A68: an emergency makes every token, session and key void on the next request, and on every node', async (context) => {
    const at = await playbookScene(context, fresh, {}, runningClock())
    const somebody = await at.somebody('user')
    const made = await at.here.api(
      'POST',
      '/api/keys',
      { name: 'a key', permissions: ['notes:read'] },
      bearerOf(somebody),
    )
    const key = String(made.body['key'])
    const cookie = await browserOf(at, somebody)
    const before = await Promise.all([at.here, at.there].map((house) => credentials(at, house, somebody, key, cookie)))
    assert.deepEqual(before, Array(2).fill([200, 200, 200]))
    const kids = await kidsAt(at.here)

    const body = { reason: 'a dump of the store is on the net', all: true, keys: true, keep_me: true }
    const answer = await at.ask('POST', '/incidents/emergency', body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.deepEqual(await credentials(at, at.here, somebody, key, cookie), [401, 401, 401])
    assert.deepEqual([await at.enters(somebody), await at.refreshes(somebody)], [401, 401])
    assert.equal(await at.refreshes(somebody, at.there), 401, 'in the store it holds at once')
    await at.turn()
    await eventually(async () => {
      const there = await credentials(at, at.there, somebody, key, cookie)
      return there.every((status) => status === 401) ? true : undefined
    })
    const after = await kidsAt(at.here)
    assert.deepEqual(
      after.filter((kid) => kids.includes(kid)),
      [],
      'no key from before verifies',
    )

    const kept = answer.body['tokens'] as Somebody
    assert.equal((await at.ask('GET', '/freeze', undefined, kept)).body['frozen'], true)
    const { body: run } = await at.ask('GET', `/playbooks/runs/${String(answer.body['id'])}`, undefined, kept)
    assert.deepEqual(
      (run as unknown as RunBody).steps.map((step) => [step.do, step.status]),
      ['cut-off', 'signing-keys.rotate', 'changes.freeze', 'audit.snapshot', 'keys.sweep', 'sessions.sweep'].map(
        (one) => [one, 'done'],
      ),
    )
    const { store } = at.here.house
    const living = await store.db.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()
    assert.equal(living.length, 1, 'of whoever asked')
    const incident = await at.ask('GET', `/incidents/${String(run['incident'])}`, undefined, kept)
    assert.deepEqual([incident.body['type'], incident.body['severity']], ['emergency', 'critical'])
    for (const action of [
      'incident.open',
      'token.revoke',
      'signing-key.remove',
      'changes.freeze',
      'audit.checkpoint',
      'api-key.revoke',
    ])
      assert.ok((await at.events(action)).length > 0, action)
    assert.equal((await at.somebody('user')).refresh_token.length > 0, true)
    assert.equal(await at.enters(await at.somebody('user')), 200, 'whoever signs in again comes in')
  })

  test('A68: what is named ends, and nothing else: an account, a role, what began before a moment', async (context) => {
    const at = await playbookScene(context, fresh)
    const [one, other, responder] = [
      await at.somebody('user'),
      await at.somebody('user'),
      await at.somebody('responder'),
    ]
    await emergency(at, { user: one.id })
    assert.deepEqual([await at.enters(one), await at.refreshes(one), await at.enters(other)], [401, 401, 200])
    await at.ask('DELETE', '/freeze')
    await emergency(at, { role: 'responder' })
    assert.deepEqual([await at.enters(responder), await at.enters(other)], [401, 200])
    await at.ask('DELETE', '/freeze')

    // A session from long before with a token of just now.
    await at.advance(3_600_000)
    const renewed = await at.here.api('POST', '/api/auth/token/refresh', { refresh_token: other.refresh_token })
    assert.equal(renewed.status, 200)
    const old = { ...other, ...(renewed.body as object) } as Somebody
    const [young, root] = [await at.somebody('user'), await at.somebody('admin')]
    assert.equal(await at.enters(old), 200)
    const before = new Date(at.now() - 1_000).toISOString()
    await emergency(at, { before }, root)
    assert.deepEqual([await at.enters(old), await at.refreshes(old)], [401, 401])
    assert.deepEqual([await at.enters(young), await at.enters(root)], [200, 200])
    await eventually(async () => ((await at.enters(old, at.there)) === 401 ? true : undefined))
    await at.turn()
    const { store } = at.here.house
    const row = await store.db
      .selectFrom('sessions')
      .select('ended_at')
      .where('user_id', '=', old.id)
      .executeTakeFirst()
    assert.ok(row?.ended_at)
  })

  test('A68: a dry run of an emergency says what would end, and ends nothing', async (context) => {
    const at = await playbookScene(context, fresh)
    const somebody = await at.somebody('user')
    const answer = await emergency(at, { all: true, keys: true, dry_run: true })
    assert.equal(answer.body['dry_run'], true)
    assert.deepEqual([await at.enters(somebody), await at.refreshes(somebody)], [200, 200])
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], false)
    assert.deepEqual((await at.ask('GET', '/incidents')).body['incidents'], [])
  })

  test('A68: an emergency that a process leaves half-way is gone on with by another, and tokens are void meanwhile', async (context) => {
    const at = await playbookScene(context, fresh, {}, runningClock())
    const people = await Promise.all(Array.from({ length: 12 }, () => at.somebody('user')))
    const { body } = await emergency(at, { all: true, keep_me: true })
    const run = body as unknown as RunBody & { readonly tokens: Somebody }
    assert.equal(run.steps.at(-1)?.status, 'pending', 'rows end after the answer')
    for (const one of people) assert.equal(await at.refreshes(one, at.there), 401)
    await at.there.house.playbooks.runner.advance()
    const done = (await at.ask('GET', `/playbooks/runs/${run.id}`, undefined, run.tokens)).body as unknown as RunBody
    assert.match(outcomes(done).at(-1) ?? '', /^sessions\.sweep done: the rows of sessions end: 14$/)
  })

  test('A68: what an emergency is to end has to be said, and has to be there', async (context) => {
    const at = await playbookScene(context, fresh)
    const wrong = async (body: object, status: number, says: RegExp): Promise<void> => {
      const answer = await at.ask('POST', '/incidents/emergency', { reason: 'for a test', ...body })
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      assert.match(JSON.stringify(answer.body), says)
    }
    await wrong({}, 422, /expected one of/)
    await wrong({ all: true, role: 'user' }, 422, /expected one of/)
    await wrong({ role: 'nobody' }, 422, /no role is called/)
    await wrong({ user: '01900000-0000-7000-8000-000000000000' }, 404, /no account/)
    await wrong({ before: '2999-01-01T00:00:00Z' }, 422, /has passed/)
    await wrong({ all: true, reason: 'two\nlines' }, 422, /one line/)
    const responder = await at.somebody('user')
    assert.equal((await emergency(at, { all: true }, responder, 403)).body['code'], 'permission-required')
  })
}

async function emergency(at: Scene, body: object, who?: Somebody, status = 200): Promise<Answer> {
  const answer = await at.ask('POST', '/incidents/emergency', { reason: 'for a test', ...body }, who)
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  return answer
}

function bearerOf({ access_token }: Somebody): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${access_token}` }
}

/** What a node answers to an access token, a browser and an API key. */
async function credentials(
  at: Scene,
  house: PeopleHouse,
  who: Somebody,
  key: string,
  cookie: string,
): Promise<readonly number[]> {
  const byKey = (await house.api('GET', '/notes', undefined, { 'x-api-key': key })).status
  return [await at.enters(who, house), (await house.api('GET', '/notes', undefined, { cookie })).status, byKey]
}

async function browserOf({ here, now }: Scene, { id }: Somebody): Promise<string> {
  const { people, store } = here.house
  const proof = { methods: ['password' as const], at: now() }
  const opened = await people.browsers.open(store.db, id, { address: '', userAgent: '' }, proof)
  return `${sessionCookie}=${opened.cookie}`
}

async function kidsAt({ house }: PeopleHouse): Promise<readonly string[]> {
  const [ring] = house.keyrings
  const keys = (await ring?.list(house.store.db)) ?? []
  return keys.flatMap(({ kid, state }) => (state === 'removed' ? [] : [kid]))
}
