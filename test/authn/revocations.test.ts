import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Presented, Revocations } from '../../src/authn/session/revocations.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { revocationCases } from './revocation-cases.ts'

suite('revocations in the store, on SQLite', () => revocationCases(async () => 'sqlite::memory:'))

const ttlMs = 900_000

/** A token as its reader knows it: of session `s1` of person `u1`, unless it says otherwise. */
function token(tokenId: string, more: Partial<Presented> = {}): Presented {
  return { session: 's1', tokenId, subject: 'u1', client: undefined, issuedAt: 0, ...more }
}

/** A token that was issued now, in a session that began now. */
function issued(clock: TestClock, more: Partial<Presented> = {}): Presented {
  const now = clock.now()
  return token(uuidv7(now, systemRandom), {
    session: uuidv7(now, systemRandom),
    issuedAt: Math.floor(now / 1000),
    ...more,
  })
}

function opened(clock: TestClock = testClock()): { readonly clock: TestClock; readonly revocations: Revocations } {
  return { clock, revocations: new Revocations({ clock, ttlMs }) }
}

test('A10: a session or a single token is revoked from the next question on', () => {
  const { clock, revocations } = opened()
  assert.equal(revocations.isRevoked(token('t1')), false)
  revocations.endToken('t1', clock.now() + ttlMs)
  assert.equal(revocations.isRevoked(token('t1')), true)
  assert.equal(revocations.isRevoked(token('t2')), false, 'other tokens of the session live on')
  revocations.endSession('s1')
  assert.equal(revocations.isRevoked(token('t2')), true)
  assert.equal(revocations.isRevoked(token('t3', { session: 's2' })), false)
})

test('TK4: all that was issued to a person, to a client or to anybody is revoked at once, and what comes later is not', () => {
  const { clock, revocations } = opened()
  const person = issued(clock)
  const ofClient = issued(clock, { client: 'app' })
  const other = issued(clock, { subject: 'u2', client: 'other' })
  const all = [person, ofClient, other]
  const revoked = (): boolean[] => all.map((one) => revocations.isRevoked(one))

  revocations.cut('client', 'app', clock.now())
  assert.deepEqual(revoked(), [false, true, false])
  revocations.cut('user', 'u1', clock.now())
  assert.deepEqual(revoked(), [true, true, false])
  revocations.cut('everything', '', clock.now())
  assert.deepEqual(revoked(), [true, true, true])

  clock.advance(1)
  for (const later of [issued(clock), issued(clock, { client: 'app' })])
    assert.equal(revocations.isRevoked(later), false, 'signed in again')
})

test('TK4: a cut-off goes over every token of a session from before it, whenever that was issued', () => {
  const { clock, revocations } = opened()
  const { session } = issued(clock)
  revocations.cut('everything', '', clock.now())
  clock.advance(5_000)
  assert.equal(revocations.isRevoked(issued(clock, { session })), true, 'a refresh that was under way')
  assert.equal(revocations.isRevoked(issued(clock)), false)
})

test('TK4: where a `jti` tells no time, `iat` does, to the second before', () => {
  const { clock, revocations } = opened()
  const at = clock.now() + 1_500
  revocations.cut('client', 'app', at)
  const named = (iat: number): Presented =>
    token('a name', { session: 'client:app', subject: 'app', client: 'app', issuedAt: clock.now() / 1000 + iat })
  assert.equal(revocations.isRevoked(named(1)), true)
  assert.equal(revocations.isRevoked(named(2)), false)
})

test('TK4: a cut-off never moves back, and another’s is no concern of a client without one', () => {
  const { clock, revocations } = opened()
  const now = clock.now()
  revocations.cut('user', 'u1', now + 1_000)
  revocations.cut('user', 'u1', now)
  clock.advance(500)
  assert.equal(revocations.isRevoked(issued(clock)), true)
  revocations.cut('client', 'undefined', now + 1_000)
  assert.equal(revocations.isRevoked(issued(clock, { subject: 'u2' })), false)
})

test('TK4: the epoch rises with every change, and with nothing that was known', () => {
  const { clock, revocations } = opened()
  const epochs = [revocations.epoch]
  const now = clock.now()
  const news = [
    () => revocations.endSession('s1', now),
    () => revocations.endToken('t1', now + ttlMs),
    () => revocations.cut('user', 'u1', now),
    () => revocations.cut('everything', '', now),
  ]
  for (const tell of news) {
    tell()
    epochs.push(revocations.epoch)
    tell()
    assert.equal(revocations.epoch, epochs.at(-1), 'heard twice')
  }
  assert.equal(new Set(epochs).size, 5)
  assert.deepEqual(epochs, epochs.toSorted())
})

test('TK4: an end is kept until the last token that it stands against has run out, and no longer', () => {
  const { clock, revocations } = opened()
  revocations.endSession('s1')
  revocations.endToken('t2', clock.now() + 5_000)
  clock.advance(4_999)
  assert.equal(revocations.isRevoked(token('t2', { session: 's2' })), true)
  clock.advance(1)
  assert.equal(revocations.isRevoked(token('t2', { session: 's2' })), false, 'it has run out by itself')
  clock.advance(ttlMs + 59_999 - 5_000)
  assert.equal(revocations.isRevoked(token('t1')), true, 'a refresh under way issued one more, a moment after the end')
  clock.advance(1)
  assert.equal(revocations.isRevoked(token('t1')), false)
  revocations.endSession('s3')
  assert.equal(revocations.size, 1)
})

test('TK4: ending twice, or what has run out already, is no error', () => {
  const { clock, revocations } = opened()
  revocations.endSession('s1')
  clock.advance(ttlMs)
  revocations.endSession('s1')
  revocations.endToken('of an hour ago', clock.now() - 3_600_000)
  revocations.cut('everything', '', clock.now() - 3_600_000)
  assert.equal(revocations.size, 1)
  clock.advance(60_000)
  assert.equal(revocations.isRevoked(token('t1')), true, 'the second end counts')
})

test('TK4: no token is remembered for longer than one can live, whatever it says of itself', () => {
  const { clock, revocations } = opened()
  revocations.endToken('t1', Number.MAX_SAFE_INTEGER)
  clock.advance(ttlMs + 60_000)
  revocations.endSession('s1')
  assert.equal(revocations.size, 1)
})

test('what is held is bounded by what ended within one life of a token', () => {
  const { clock, revocations } = opened()
  let most = 0
  for (let one = 0; one < 20_000; one++) {
    revocations.endSession(`s${one}`)
    revocations.endToken(`t${one}`, clock.now() + (one % ttlMs))
    if (one % 100 === 0) revocations.cut('client', `c${one}`, clock.now())
    most = Math.max(most, revocations.size)
    clock.advance(1_000)
  }
  const lives = (ttlMs + 60_000 + 10_000) / 1_000
  assert.ok(most <= 2.1 * lives, `${most} were held`)
})
