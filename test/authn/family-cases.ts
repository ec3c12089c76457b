// What families of other people's clients, and the ends of sessions, have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { hold } from '../../src/authn/account/hold.ts'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { Revocations } from '../../src/authn/session/revocations.ts'
import type { Presenter } from '../../src/authn/session/session-conditions.ts'
import { type NewFamily, type Opened, type Rotation, Sessions } from '../../src/authn/session/sessions.ts'
import { unbound } from '../../src/authn/token/binding.ts'
import { sha256Hex } from '../../src/kernel/bytes.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly sessions: Sessions
  /** A browser session of a person, made now. */
  browser(userId?: string): Promise<string>
  /** A family of `app` for `u1`, unless it says otherwise. */
  grant(changes?: Partial<NewFamily>, userId?: string): Promise<Opened>
  rotate(presented: string, by?: Presenter): Promise<Rotation>
}

const day = 86_400_000
const hour = 3_600_000
const ttlMs = 900_000
const graceMs = 10_000
const app: Presenter = { clientId: 'app' }
const device = { address: '203.0.113.7', userAgent: 'test' }
const proof = { methods: ['password'], at: 1_000 } as const

export function familyCases(fresh: (context: TestContext) => Promise<string>): void {
  async function scene(context: TestContext): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const sessions = new Sessions({
      clock,
      random: systemRandom,
      root: rootKey('a root secret for the tests, long enough'),
      revocationList: new RevocationList({ clock, ttlMs }),
      refreshTtlMs: 30 * day,
      refreshIdleMs: 14 * day,
      clientIdleMs: 7 * day,
      browserIdleMs: hour,
      graceMs,
    })
    for (const id of ['u1', 'u2']) await addUser(store, id)
    return {
      store,
      clock,
      sessions,
      async browser(userId = 'u1') {
        const now = clock.now()
        const id = uuidv7(now, systemRandom)
        await store.db
          .insertInto('sessions')
          .values({
            id,
            user_id: userId,
            kind: 'browser',
            generation: 0,
            refresh_hash: sha256Hex(id),
            previous_hash: null,
            rotated_at: now,
            created_at: now,
            seen_at: now,
            expires_at: now + day,
            ended_at: null,
            ended_reason: null,
            address: '',
            user_agent: '',
          })
          .execute()
        return id
      },
      grant: (changes = {}, userId = 'u1') => sessions.openForClient(store.db, userId, device, proof, family(changes)),
      rotate: (presented, by = app) => sessions.rotate(store.db, presented, by),
    }
  }

  test('A20: a client’s family says what was granted, with each refresh', async (context) => {
    const { grant, rotate, sessions, store } = await scene(context)
    const granted = { scopes: ['widgets:read', 'openid'], resources: ['https://gate.example/mcp'] }
    const { session, refreshToken } = await grant(granted)
    const client = { id: 'app', ...granted, ...unbound }
    assert.deepEqual(session, { id: session.id, userId: 'u1', proof, client })
    const rotation = await rotate(refreshToken)
    assert.ok(rotation.kind === 'rotated')
    assert.deepEqual(rotation.session, session)
    const again = await rotate(refreshToken)
    assert.ok(again.kind === 'repeated')
    assert.deepEqual(again.session, session)
    const nothing = await grant({ scopes: [], resources: [] })
    assert.deepEqual(nothing.session.client, { id: 'app', scopes: [], resources: [], ...unbound })
    assert.equal((await sessions.open(store.db, 'u1', device, proof)).session.client, undefined)
  })

  test('A21: a refresh token is nothing to anybody but its client, and nothing ends by their trying', async (context) => {
    const { grant, rotate, sessions, store, clock } = await scene(context)
    const { refreshToken } = await grant()
    const own = await sessions.open(store.db, 'u1', device, proof)
    const strangers: readonly Presenter[] = [{ clientId: 'other' }, { clientId: undefined }, { clientId: '' }]
    for (const stranger of strangers) assert.deepEqual(await rotate(refreshToken, stranger), { kind: 'invalid' })
    assert.deepEqual(await rotate(own.refreshToken, app), { kind: 'invalid' }, 'nor is one of our own to a client')
    const second = await rotate(refreshToken)
    assert.ok(second.kind === 'rotated')
    clock.advance(graceMs)
    for (const stranger of strangers)
      assert.deepEqual(await rotate(refreshToken, stranger), { kind: 'invalid' }, 'spent, in wrong hands')
    assert.equal((await rotate(second.refreshToken)).kind, 'rotated')
    assert.equal((await rotate(own.refreshToken, { clientId: undefined })).kind, 'rotated')
    assert.equal((await rotate(refreshToken)).kind, 'reused', 'spent, from its own client')
  })

  for (const [row, bound, what] of [
    ['A24', 'keyThumbprint', 'key'],
    ['A25', 'certificateThumbprint', 'certificate'],
  ] as const)
    test(`${row}: a family that is bound to a ${what} is refreshed with that ${what} alone`, async (context) => {
      const { grant, rotate, clock } = await scene(context)
      const { refreshToken } = await grant({ [bound]: 'K'.repeat(43) })
      const other = bound === 'keyThumbprint' ? 'certificateThumbprint' : 'keyThumbprint'
      const wrong: readonly Presenter[] = [
        app,
        { ...app, [bound]: 'L'.repeat(43) },
        { ...app, [bound]: '' },
        { ...app, [other]: 'K'.repeat(43) },
      ]
      const right: Presenter = { ...app, [bound]: 'K'.repeat(43) }
      for (const by of wrong) assert.deepEqual(await rotate(refreshToken, by), { kind: 'invalid' })
      const second = await rotate(refreshToken, right)
      assert.ok(second.kind === 'rotated')
      assert.equal(second.session.client?.[bound], 'K'.repeat(43))
      for (const by of wrong)
        assert.deepEqual(await rotate(refreshToken, by), { kind: 'invalid' }, 'nor is a retry answered')
      clock.advance(graceMs)
      for (const by of wrong) assert.deepEqual(await rotate(refreshToken, by), { kind: 'invalid' })
      assert.equal((await rotate(second.refreshToken, right)).kind, 'rotated', 'nothing ended')
      const free = await grant()
      assert.equal((await rotate(free.refreshToken, right)).kind, 'rotated', `a ${what} that nobody asked for`)
    })

  test('A20: a client’s family ends without a sign of life, and at its own absolute end', async (context) => {
    const { grant, rotate, clock } = await scene(context)
    const idle = await grant()
    const short = await grant({ ttlMs: 2 * hour })
    clock.advance(2 * hour - 1)
    const last = await rotate(short.refreshToken)
    assert.ok(last.kind === 'rotated')
    clock.advance(1)
    assert.deepEqual(await rotate(last.refreshToken), { kind: 'expired' })
    clock.advance(7 * day - 2 * hour - 1)
    const second = await rotate(idle.refreshToken)
    assert.ok(second.kind === 'rotated')
    clock.advance(7 * day)
    assert.deepEqual(await rotate(second.refreshToken), { kind: 'expired' })
  })

  test('A20: without offline access a family ends with the browser session that it was granted in', async (context) => {
    const { store, sessions, browser, grant, rotate, clock } = await scene(context)
    const parentId = await browser()
    const child = await grant({ parentId })
    const offline = await grant()
    assert.equal(await sessions.isAlive(store.db, parentId), true)
    assert.deepEqual(await sessions.end(store.db, parentId, 'signed out'), [parentId, child.session.id])
    assert.equal(await sessions.isAlive(store.db, parentId), false)
    assert.deepEqual(await rotate(child.refreshToken), { kind: 'invalid' })
    const heard = await sessions.endedSince(store.db, clock.now() - 1)
    assert.deepEqual(heard.map(({ id }) => id).toSorted(), [parentId, child.session.id].toSorted())
    assert.equal((await rotate(offline.refreshToken)).kind, 'rotated')
  })

  test('A20: a parent that was idle for too long, ran out or is gone refreshes no child', async (context) => {
    const { store, sessions, browser, grant, rotate, clock } = await scene(context)
    const idle = await grant({ parentId: await browser() })
    clock.advance(hour)
    assert.deepEqual(await rotate(idle.refreshToken), { kind: 'invalid' })
    const over = await grant({ parentId: await browser() })
    await store.db.updateTable('sessions').set({ expires_at: clock.now() }).where('kind', '=', 'browser').execute()
    assert.deepEqual(await rotate(over.refreshToken), { kind: 'invalid' })
    const swept = await grant({ parentId: uuidv7(clock.now(), systemRandom) })
    assert.deepEqual(await rotate(swept.refreshToken), { kind: 'invalid' })
    assert.equal(await sessions.peek(store.db, swept.refreshToken), undefined)
  })

  test('A48: what hangs on a session that goes on under another id goes on with it', async (context) => {
    const { store, sessions, browser, grant, rotate } = await scene(context)
    const [before, after] = [await browser(), await browser()]
    const child = await grant({ parentId: before })
    await store.transaction(async (trx) => {
      assert.equal(await sessions.replace(trx, before, 'stepped up'), true)
      await sessions.adopt(trx, before, after)
    })
    assert.equal(await sessions.replace(store.db, before, 'stepped up'), false, 'of two, one may')
    assert.equal((await rotate(child.refreshToken)).kind, 'rotated')
    assert.deepEqual(await sessions.end(store.db, after, 'signed out'), [after, child.session.id])
  })

  test('A20: of a sign-out and a grant in one session at the same moment, no token outlives both', async (context) => {
    const { store, sessions, browser, rotate } = await scene(context)
    for (let round = 0; round < 20; round++) {
      const parentId = await browser()
      const [opened, ended] = await Promise.all([
        store.transaction(async (trx) => {
          await hold(trx, 'u1')
          if (!(await sessions.isAlive(trx, parentId))) return undefined
          return sessions.openForClient(trx, 'u1', device, proof, family({ parentId }))
        }),
        store.transaction((trx) => sessions.end(trx, parentId, 'signed out')),
      ])
      assert.equal(ended[0], parentId)
      assert.deepEqual(ended.slice(1), opened === undefined ? [] : [opened.session.id])
      if (opened !== undefined) assert.deepEqual(await rotate(opened.refreshToken), { kind: 'invalid' })
    }
  })

  test('A32: a token tells of its family while it would be taken, and asking spends nothing', async (context) => {
    const { store, sessions, grant, rotate, clock } = await scene(context)
    const { session, refreshToken } = await grant({ scopes: ['widgets:read'] })
    const peek = (token: string) => sessions.peek(store.db, token)
    const family = { ...session, createdAt: clock.now(), expiresAt: clock.now() + 30 * day }
    assert.deepEqual(await peek(refreshToken), family)
    const second = await rotate(refreshToken)
    assert.ok(second.kind === 'rotated')
    assert.deepEqual(await peek(refreshToken), family, 'a retry would be answered')
    assert.deepEqual(await peek(second.refreshToken), family)
    clock.advance(graceMs)
    assert.equal(await peek(refreshToken), undefined, 'a retry would be reuse')
    assert.deepEqual(await peek(second.refreshToken), family, 'and asking ends nothing')
    assert.equal(await peek(`${second.refreshToken}x`), undefined)
    clock.advance(7 * day)
    assert.equal(await peek(second.refreshToken), undefined, 'idle')
    const ended = await grant()
    await sessions.end(store.db, ended.session.id, 'over')
    assert.equal(await peek(ended.refreshToken), undefined)
  })

  test('A32: whoever holds a refresh token can end its family, by a spent one too, and nobody else can', async (context) => {
    const { store, sessions, grant, rotate } = await scene(context)
    const { session, refreshToken } = await grant()
    const second = await rotate(refreshToken)
    assert.ok(second.kind === 'rotated')
    const end = (token: string, clientId: string | undefined) =>
      sessions.endByToken(store.db, token, clientId, 'taken back')
    for (const clientId of ['other', undefined, '']) assert.deepEqual(await end(second.refreshToken, clientId), [])
    assert.deepEqual(await end('gh_rt_x', 'app'), [])
    assert.deepEqual(await end(refreshToken, 'app'), [session.id])
    assert.deepEqual(await end(refreshToken, 'app'), [], 'twice is no error')
    assert.deepEqual(await rotate(second.refreshToken), { kind: 'invalid' })
  })

  test('A29: a person’s clients are not among their sessions, and are seen and ended by themselves', async (context) => {
    const { store, sessions, browser, grant, rotate, clock } = await scene(context)
    const parentId = await browser()
    const own = await sessions.open(store.db, 'u1', device, proof)
    const first = await grant({ parentId })
    clock.advance(1_000)
    const second = await grant()
    const other = await grant({ id: 'other' })
    const theirs = await grant({}, 'u2')
    const listed = await sessions.list(store.db, 'u1', hour)
    assert.deepEqual(listed.map(({ id }) => id).toSorted(), [parentId, own.session.id].toSorted())
    const families = await sessions.familiesOf(store.db, 'u1', 'app')
    assert.deepEqual(
      families.map(({ id, kind }) => ({ id, kind })),
      [second, first].map(({ session }) => ({ id: session.id, kind: 'client' })),
    )
    const ended = await store.transaction((trx) => sessions.endGrant(trx, 'u1', 'app', 'withdrawn'))
    assert.deepEqual(ended.toSorted(), [first.session.id, second.session.id].toSorted())
    assert.deepEqual(await sessions.familiesOf(store.db, 'u1', 'app'), [])
    assert.equal((await rotate(other.refreshToken, { clientId: 'other' })).kind, 'rotated')
    assert.equal((await rotate(theirs.refreshToken)).kind, 'rotated')
  })

  test('A49: all sessions of a person end with what hangs on them; all but one keeps what hangs on that', async (context) => {
    const { store, sessions, browser, grant } = await scene(context)
    const [here, there] = [await browser(), await browser()]
    const [childHere, childThere, offline] = [
      await grant({ parentId: here }),
      await grant({ parentId: there }),
      await grant(),
    ]
    const but = await sessions.endAllOf(store.db, 'u1', 'others', here)
    assert.deepEqual(but.toSorted(), [there, childThere.session.id, offline.session.id].toSorted())
    const rest = await sessions.endAllOf(store.db, 'u1', 'all')
    assert.deepEqual(rest.toSorted(), [here, childHere.session.id].toSorted())
  })

  test('A57: one session of a person ends by their word alone, with what hangs on it', async (context) => {
    const { store, sessions, browser, grant } = await scene(context)
    const id = await browser()
    const child = await grant({ parentId: id })
    assert.deepEqual(await sessions.endOf(store.db, 'u2', id, 'ended'), [])
    assert.deepEqual(await sessions.endOf(store.db, 'u1', id, 'ended'), [id, child.session.id])
    assert.equal(await sessions.ownerOf(store.db, id), 'u1')
    assert.equal(await sessions.ownerOf(store.db, 'unknown'), undefined)
  })

  test('TK4: a mass end is one cut-off for everybody who hears of it, and not a list of sessions', async (context) => {
    const { store, sessions, browser, grant, rotate, clock } = await scene(context)
    const id = await browser()
    const ofApp = [await grant(), await grant({}, 'u2'), await grant({ parentId: id })]
    const other = await grant({ id: 'other' })
    clock.advance(1_000)
    const client = await store.transaction((trx) => sessions.endAllOfClient(trx, 'app', 'disabled'))
    assert.deepEqual(client, { kind: 'client', subject: 'app', at: clock.now(), sessions: 3 })
    for (const { refreshToken } of ofApp) assert.deepEqual(await rotate(refreshToken), { kind: 'invalid' })
    assert.equal(await sessions.isAlive(store.db, id), true)
    assert.deepEqual(await sessions.endedSince(store.db, 0), [])
    const everything = await store.transaction((trx) => sessions.endEverything(trx, 'incident'))
    assert.deepEqual(everything, { kind: 'everything', subject: '', at: clock.now(), sessions: 2 })
    assert.equal(await sessions.isAlive(store.db, id), false)
    assert.deepEqual(await rotate(other.refreshToken, { clientId: 'other' }), { kind: 'invalid' })
    assert.deepEqual(await sessions.endedSince(store.db, 0), [])

    const revocations = new Revocations({ clock, ttlMs })
    await new RevocationList({ clock, ttlMs }).tell(store.db, 0, revocations)
    assert.equal(revocations.size, 2)
    const token = { session: id, tokenId: id, subject: 'u1', client: undefined, issuedAt: clock.now() / 1000 + 5 }
    assert.equal(revocations.isRevoked(token), true)
  })

  test('TK4: a cut-off reaches a session of a node whose clock goes before ours', async (context) => {
    const { store, sessions, clock, browser } = await scene(context)
    clock.advance(5_000)
    await browser()
    const theirs = clock.now()
    clock.advance(-5_000)
    const { at } = await store.transaction((trx) => sessions.endEverything(trx, 'incident'))
    assert.equal(at, theirs)
  })

  test('TK4: a family from before a cut-off is over, even where it was committed after it', async (context) => {
    const { store, sessions, grant, rotate, clock } = await scene(context)
    const families = [await grant(), await grant({ id: 'other' }), await grant({}, 'u2')]
    clock.advance(1_000)
    const list = new RevocationList({ clock, ttlMs })
    const kinds = async (): Promise<string[]> =>
      Promise.all(
        families.map(async ({ session, refreshToken }) => {
          const peeked = (await sessions.peek(store.db, refreshToken)) !== undefined
          const rotation = await rotate(refreshToken, { clientId: session.client?.id })
          assert.equal(peeked, rotation.kind !== 'invalid')
          return rotation.kind
        }),
      )
    assert.deepEqual(await kinds(), ['rotated', 'rotated', 'rotated'])
    await list.cut(store.db, { kind: 'client', subject: 'other', at: clock.now() })
    assert.deepEqual(await kinds(), ['repeated', 'invalid', 'repeated'])
    await list.cut(store.db, { kind: 'user', subject: 'u2', at: clock.now() })
    assert.deepEqual(await kinds(), ['repeated', 'invalid', 'invalid'])
    await list.cut(store.db, { kind: 'everything', subject: '', at: clock.now() })
    assert.deepEqual(await kinds(), ['invalid', 'invalid', 'invalid'])
    clock.advance(1)
    const later = await grant({ id: 'other' })
    assert.equal((await rotate(later.refreshToken, { clientId: 'other' })).kind, 'rotated', 'allowed again')
  })
}

function family(changes: Partial<NewFamily>): NewFamily {
  return {
    id: 'app',
    scopes: ['widgets:read'],
    resources: [],
    ...unbound,
    parentId: undefined,
    ttlMs: 30 * day,
    ...changes,
  }
}

async function addUser({ db }: Store, id: string): Promise<void> {
  await db
    .insertInto('users')
    .values({
      id,
      email: `${id}@example.com`,
      name: id,
      password_hash: null,
      status: 'active',
      created_at: 0,
      updated_at: 0,
    })
    .execute()
}
