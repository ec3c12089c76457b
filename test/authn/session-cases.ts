// What families of refresh tokens have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { RevocationList } from '../../src/authn/session/revocation-list.ts'
import { type Opened, type Rotation, Sessions } from '../../src/authn/session/sessions.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

interface Scene {
  readonly store: Store
  readonly clock: TestClock
  readonly sessions: Sessions
  open(userId?: string): Promise<Opened>
  rotate(presented: string): Promise<Rotation>
  /** Rotates a token that must be the living one. */
  next(presented: string): Promise<string>
}

const day = 86_400_000
const refreshTtlMs = 30 * day
const graceMs = 10_000
const device = { address: '203.0.113.7', userAgent: 'test' }
const root = rootKey('a root secret for the tests, long enough')

export function sessionCases(fresh: FreshStore): void {
  async function scene(context: TestContext, options: { readonly graceMs?: number } = {}): Promise<Scene> {
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const sessions = new Sessions({ clock, random: systemRandom, root, ...lives(clock), ...options })
    const people = new Set<string>()
    const rotate = (presented: string): Promise<Rotation> => sessions.rotate(store.db, presented)
    return {
      store,
      clock,
      sessions,
      rotate,
      async open(userId = 'u1') {
        if (!people.has(userId)) await addUser(store, userId)
        people.add(userId)
        return sessions.open(store.db, userId, device, { methods: ['password'], at: clock.now() })
      },
      async next(presented) {
        const rotation = await rotate(presented)
        assert.equal(rotation.kind, 'rotated')
        return 'refreshToken' in rotation ? rotation.refreshToken : ''
      },
    }
  }

  test('TK3: a refresh token is traded for its successor, and the store holds nothing that could be used (A9)', async (context) => {
    const { store, open, rotate, next } = await scene(context)
    const { session, refreshToken } = await open()
    assert.match(refreshToken, /^gh_rt_[0-9a-f-]{36}\.0\.[\w-]{43}\.[\w-]{22}$/)
    const rotation = await rotate(refreshToken)
    assert.ok(rotation.kind === 'rotated')
    assert.deepEqual(rotation.session, session)
    const third = await next(rotation.refreshToken)
    const secrets = [refreshToken, rotation.refreshToken, third].map((token) => token.split('.')[2] ?? '')
    assert.equal(new Set(secrets).size, 3)
    const stored = JSON.stringify(await store.db.selectFrom('sessions').selectAll().execute())
    for (const secret of secrets) {
      assert.ok(!stored.includes(secret))
      assert.ok(!stored.includes(Buffer.from(secret, 'base64url').toString('hex')))
    }
  })

  test('A17: a spent token ends its family and no other, and says whose it was', async (context) => {
    const { store, clock, sessions, open, rotate, next } = await scene(context)
    const { session, refreshToken: first } = await open()
    const other = await open()
    const stranger = await open('u2')
    const second = await next(first)
    const third = await next(second)
    clock.advance(graceMs)
    assert.deepEqual(await rotate(first), { kind: 'reused', sessionId: session.id, userId: 'u1' })
    for (const token of [first, second, third]) assert.deepEqual(await rotate(token), { kind: 'invalid' })
    await next(other.refreshToken)
    await next(stranger.refreshToken)
    assert.deepEqual(await sessions.endedSince(store.db, clock.now() - 1), [{ id: session.id, endedAt: clock.now() }])
  })

  test('A18: within the grace a retry gets the same successor, as often as it asks', async (context) => {
    const { clock, open, rotate, next } = await scene(context)
    const { session, refreshToken } = await open()
    const successor = await next(refreshToken)
    for (const ms of [0, 1, graceMs - 2]) {
      clock.advance(ms)
      assert.deepEqual(await rotate(refreshToken), { kind: 'repeated', session, refreshToken: successor })
    }
    await next(successor)
  })

  test('A18: the grace ends at its end, and asking again does not prolong it', async (context) => {
    const { clock, open, rotate, next } = await scene(context)
    const { refreshToken } = await open()
    await next(refreshToken)
    clock.advance(graceMs - 1)
    assert.equal((await rotate(refreshToken)).kind, 'repeated')
    clock.advance(1)
    assert.equal((await rotate(refreshToken)).kind, 'reused')
  })

  test('A18: a grace of nothing makes every repetition a reuse', async (context) => {
    const { open, rotate, next } = await scene(context, { graceMs: 0 })
    const { refreshToken } = await open()
    await next(refreshToken)
    assert.equal((await rotate(refreshToken)).kind, 'reused')
  })

  test('A19: a replay inside the grace after the successor was itself used is reuse', async (context) => {
    const { open, rotate, next } = await scene(context)
    const { refreshToken: first } = await open()
    const second = await next(first)
    const third = await next(second)
    assert.equal((await rotate(first)).kind, 'reused')
    assert.equal((await rotate(third)).kind, 'invalid', 'the family is over')
  })

  test('A18: only the direct predecessor is answered, not one further back', async (context) => {
    const { open, rotate, next } = await scene(context)
    const { refreshToken: first } = await open()
    const second = await next(first)
    await next(second)
    assert.equal((await rotate(second)).kind, 'repeated')
    assert.equal((await rotate(first)).kind, 'reused')
  })

  test('A20: a family has an absolute end, which no refresh moves', async (context) => {
    const { clock, open, rotate, next } = await scene(context)
    let { refreshToken } = await open()
    for (const days of [13, 13, 3]) {
      clock.advance(days * day)
      refreshToken = await next(refreshToken)
    }
    clock.advance(day - 1)
    const last = await next(refreshToken)
    clock.advance(1)
    assert.deepEqual(await rotate(last), { kind: 'expired' })
    assert.deepEqual(await rotate(refreshToken), { kind: 'expired' }, 'also within the grace')
  })

  test('A20: a family without a sign of life ends, and each refresh is one', async (context) => {
    const { clock, open, rotate, next } = await scene(context)
    const { refreshToken } = await open()
    clock.advance(14 * day - 1)
    const second = await next(refreshToken)
    clock.advance(14 * day - 1)
    const third = await next(second)
    clock.advance(14 * day)
    assert.deepEqual(await rotate(third), { kind: 'expired' })
    assert.deepEqual(await rotate(second), { kind: 'expired' }, 'nobody is accused of reuse for a family that is over')
  })

  test('A17: an invented token with a known session id ends nobody’s family, and does not reach the store', async (context) => {
    const { store, clock, sessions, open, rotate, next } = await scene(context)
    const { session, refreshToken } = await open()
    const [prefix, generation, secret, tag] = refreshToken.split('.') as [string, string, string, string]
    const other = `${secret.startsWith('A') ? 'B' : 'A'}${secret.slice(1)}`
    const stranger = new Sessions({
      clock,
      random: systemRandom,
      root: rootKey('the root secret of some other house'),
      ...lives(clock),
    })
    const theirs = (await open('u2')).refreshToken
    const forged = [
      '',
      'gh_rt_',
      `gh_rt_${session.id}`,
      `${prefix}.${generation}.${other}.${tag}`,
      `${prefix}.1.${secret}.${tag}`,
      `${prefix}.00.${secret}.${tag}`,
      `${prefix}.-0.${secret}.${tag}`,
      `${prefix}.${generation}.${secret}.${'A'.repeat(22)}`,
      `${prefix}.${generation}.${secret}`,
      `${prefix}.${generation}.${secret}.${tag}.`,
      `${prefix}.${'9'.repeat(40)}.${secret}.${tag}`,
      `${theirs.split('.')[0]}.${generation}.${secret}.${tag}`,
      `${refreshToken}\n`,
      ` ${refreshToken}`,
      refreshToken.toUpperCase(),
      // The last character of a 32-byte base64url text has two spare bits: the other spellings are not ours.
      ...['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']
        .filter((last) => !secret.endsWith(last))
        .map((last) => `${prefix}.${generation}.${secret.slice(0, -1)}${last}.${tag}`),
    ]
    const shut = await openStore('sqlite::memory:')
    await shut.close()
    await assert.rejects(sessions.rotate(shut.db, refreshToken))
    for (const token of forged) {
      assert.deepEqual(await rotate(token), { kind: 'invalid' }, token)
      assert.deepEqual(await sessions.rotate(shut.db, token), { kind: 'invalid' }, `${token} without a store`)
      assert.deepEqual(await stranger.rotate(store.db, token), { kind: 'invalid' }, token)
    }
    assert.deepEqual(await stranger.rotate(store.db, refreshToken), { kind: 'invalid' }, 'the key of another house')
    assert.deepEqual(await sessions.endedSince(store.db, 0), [])
    await next(refreshToken)
  })

  test('A17: no refresh token survives one character replaced, put in or left out', async (context) => {
    const { store, open, rotate, next } = await scene(context)
    const { refreshToken } = await open()
    const row = await store.db.selectFrom('sessions').selectAll().execute()
    const character = fc.oneof(fc.constantFrom(...'0123456789abcdefABYZabyz-_. '), fc.string({ maxLength: 1 }))
    await fc.assert(
      fc.asyncProperty(fc.nat(refreshToken.length - 1), character, fc.boolean(), async (at, other, replace) => {
        const changed = refreshToken.slice(0, at) + other + refreshToken.slice(replace ? at + 1 : at)
        if (changed !== refreshToken) assert.deepEqual(await rotate(changed), { kind: 'invalid' })
      }),
      { numRuns: 500 },
    )
    assert.deepEqual(await store.db.selectFrom('sessions').selectAll().execute(), row)
    await next(refreshToken)
  })

  test('A49: an ended session answers no refresh, and ending twice is no error', async (context) => {
    const { store, clock, sessions, open, rotate } = await scene(context)
    const one = await open()
    const two = await open()
    const three = await open('u2')
    assert.deepEqual(await sessions.end(store.db, one.session.id, 'signed out'), [one.session.id])
    clock.advance(1_000)
    assert.deepEqual(await sessions.end(store.db, one.session.id, 'signed out'), [])
    assert.deepEqual(await sessions.end(store.db, 'unknown', 'signed out'), [])
    assert.deepEqual(await sessions.endAllOf(store.db, 'u1', 'locked'), [two.session.id], 'those that still went on')
    assert.deepEqual(await rotate(one.refreshToken), { kind: 'invalid' })
    assert.deepEqual(await rotate(two.refreshToken), { kind: 'invalid' })
    assert.equal((await rotate(three.refreshToken)).kind, 'rotated')
    const ended = await sessions.endedSince(store.db, clock.now() - 500)
    assert.deepEqual(ended, [{ id: two.session.id, endedAt: clock.now() }])
    const { ended_reason } = await store.db
      .selectFrom('sessions')
      .select('ended_reason')
      .where('id', '=', one.session.id)
      .executeTakeFirstOrThrow()
    assert.equal(ended_reason, 'signed out', 'the first reason stays')
  })

  test('families that are over are forgotten, and the living are not', async (context) => {
    const { store, clock, sessions, open, rotate, next } = await scene(context)
    const old = await open()
    clock.advance(refreshTtlMs)
    const ended = await open()
    await sessions.end(store.db, ended.session.id, 'signed out')
    clock.advance(1_000)
    const fresh = await open()
    assert.equal(await sessions.sweep(store.db, clock.now()), 2)
    assert.equal(await sessions.sweep(store.db, clock.now()), 0)
    for (const { refreshToken } of [old, ended]) assert.deepEqual(await rotate(refreshToken), { kind: 'invalid' })
    await next(fresh.refreshToken)
  })

  test('a rotation that is rolled back leaves the token as it was', async (context) => {
    const { store, sessions, open, next } = await scene(context)
    const { refreshToken } = await open()
    await assert.rejects(
      store.transaction(async (trx) => {
        assert.equal((await sessions.rotate(trx, refreshToken)).kind, 'rotated')
        throw new Error('the event could not be written')
      }),
      /could not be written/,
    )
    await next(refreshToken)
  })

  for (const inTransactions of [false, true]) {
    const how = inTransactions ? 'in transactions' : 'each by itself'
    test(`A18: of 64 parallel refreshes ${how} one moves the family, all hold its one successor, and one branch lives`, async (context) => {
      const { store, sessions, open, rotate, next } = await scene(context)
      const { session, refreshToken } = await open()
      const rotations = await Promise.all(
        Array.from({ length: 64 }, () =>
          inTransactions ? store.transaction((trx) => sessions.rotate(trx, refreshToken)) : rotate(refreshToken),
        ),
      )
      assert.equal(rotations.filter(({ kind }) => kind === 'rotated').length, 1)
      assert.equal(rotations.filter(({ kind }) => kind === 'repeated').length, 63)
      const successors = new Set(rotations.map((rotation) => ('refreshToken' in rotation ? rotation.refreshToken : '')))
      assert.equal(successors.size, 1)
      const rows = await store.db.selectFrom('sessions').select(['id', 'generation', 'ended_at']).execute()
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        [{ id: session.id, generation: 1, ended_at: null }],
      )
      await next([...successors][0] ?? '')
    })
  }

  test('A17: of 64 parallel replays of a spent token one ends the family, and nobody gets a token', async (context) => {
    const { clock, open, rotate, next } = await scene(context)
    const { refreshToken } = await open()
    const living = await next(await next(refreshToken))
    clock.advance(graceMs)
    const rotations = await Promise.all(Array.from({ length: 64 }, () => rotate(refreshToken)))
    assert.equal(rotations.filter(({ kind }) => kind === 'reused').length, 1, 'one event to tell of')
    assert.equal(rotations.filter(({ kind }) => kind === 'invalid').length, 63)
    assert.equal((await rotate(living)).kind, 'invalid')
  })

  test('A18, A19: whatever is presented in whatever order, at most one branch of a family lives', async (context) => {
    const { clock, open, rotate } = await scene(context)
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ present: fc.nat({ max: 5 }), times: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.record({ waitMs: fc.constantFrom(1, graceMs - 1, graceMs) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { refreshToken } = await open()
        /** Every token that was handed out, oldest first. The rule is stated over this list alone. */
        const chain = [refreshToken]
        let movedAt = Number.NEGATIVE_INFINITY
        let over = false
        for (const move of steps) {
          if ('waitMs' in move) {
            clock.advance(move.waitMs)
            continue
          }
          // Counted from the living one backwards.
          const back = Math.min(move.present, chain.length - 1)
          const token = chain[chain.length - 1 - back] ?? ''
          const answers = await Promise.all(Array.from({ length: move.times }, () => rotate(token)))
          const kinds = answers.map(({ kind }) => kind)
          const inGrace = clock.now() - movedAt < graceMs
          if (over) assert.ok(kinds.every((kind) => kind === 'invalid'))
          else if (back === 0) {
            assert.deepEqual(kinds.toSorted(), ['repeated', 'repeated', 'repeated', 'rotated'].slice(-move.times))
            movedAt = clock.now()
          } else if (back === 1 && inGrace) assert.ok(kinds.every((kind) => kind === 'repeated'))
          else {
            assert.deepEqual(kinds.toSorted(), ['invalid', 'invalid', 'invalid', 'reused'].slice(-move.times))
            over = true
          }
          const given = new Set(answers.flatMap((answer) => ('refreshToken' in answer ? [answer.refreshToken] : [])))
          assert.ok(given.size <= 1)
          for (const successor of given) {
            if (back === 0) chain.push(successor)
            assert.equal(successor, chain.at(-1))
          }
        }
      }),
      { numRuns: 40 },
    )
  })
}

/** How long things live at most, and without a sign of life. */
function lives(clock: TestClock) {
  return {
    revocationList: new RevocationList({ clock, ttlMs: 900_000 }),
    refreshTtlMs,
    refreshIdleMs: 14 * day,
    clientIdleMs: 7 * day,
    browserIdleMs: 3_600_000,
    graceMs,
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
