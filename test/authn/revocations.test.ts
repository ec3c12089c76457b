import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Revocations } from '../../src/authn/session/revocations.ts'
import { testClock } from '../support/clock.ts'

const ttlMs = 900_000

test('A10: a session or a single token is revoked from the next question on', () => {
  const revocations = new Revocations({ clock: testClock(), ttlMs })
  assert.equal(revocations.isRevoked('s1', 't1'), false)
  revocations.endToken('t1')
  assert.equal(revocations.isRevoked('s1', 't1'), true)
  assert.equal(revocations.isRevoked('s1', 't2'), false, 'other tokens of the session live on')
  revocations.endSession('s1')
  assert.equal(revocations.isRevoked('s1', 't2'), true)
  assert.equal(revocations.isRevoked('s2', 't3'), false)
})

test('TK4: the epoch rises with every change, so that a cached verdict can tell that it is old', () => {
  const revocations = new Revocations({ clock: testClock(), ttlMs })
  const before = revocations.epoch
  revocations.endSession('s1')
  const after = revocations.epoch
  revocations.endToken('t1')
  assert.ok(before < after && after < revocations.epoch)
})

test('TK4: an end is kept until the last token that it stands against has run out, and no longer', () => {
  const clock = testClock()
  const revocations = new Revocations({ clock, ttlMs })
  revocations.endSession('s1')
  clock.advance(ttlMs + 59_999)
  revocations.endSession('s2')
  assert.equal(revocations.isRevoked('s1', ''), true, 'a refresh under way issued one more, a moment after the end')
  clock.advance(1)
  revocations.endSession('s3')
  assert.equal(revocations.isRevoked('s1', ''), false)
  assert.equal(revocations.size, 2)
})

test('TK4: ending twice, or what has run out already, is no error', () => {
  const clock = testClock()
  const revocations = new Revocations({ clock, ttlMs })
  revocations.endSession('s1')
  clock.advance(ttlMs)
  revocations.endSession('s1')
  revocations.endToken('of an hour ago')
  clock.advance(60_000)
  revocations.endSession('s2')
  assert.equal(revocations.isRevoked('s1', ''), true, 'the second end counts')
})

test('TK4: what ended twice does not keep others from being forgotten', () => {
  const clock = testClock()
  const revocations = new Revocations({ clock, ttlMs })
  revocations.endSession('s1')
  revocations.endSession('s2')
  clock.advance(ttlMs)
  revocations.endSession('s1')
  clock.advance(60_000)
  revocations.endSession('s3')
  assert.equal(revocations.isRevoked('s2', ''), false)
  assert.equal(revocations.isRevoked('s1', ''), true)
})

test('what is held is bounded by what ended within one life of a token', () => {
  const clock = testClock()
  const revocations = new Revocations({ clock, ttlMs })
  for (let session = 0; session < 20_000; session++) {
    revocations.endSession(`s${session}`)
    clock.advance(1_000)
  }
  assert.ok(revocations.size <= (ttlMs + 60_000) / 1_000, `${revocations.size} are held`)
})

test('A10: what ended before this process began is taken over, in any order, and runs out in its own time', () => {
  const clock = testClock()
  const revocations = new Revocations({ clock, ttlMs })
  const now = clock.now()
  revocations.load([
    { id: 'late', endedAt: now - 1_000 },
    { id: 'early', endedAt: now - 800_000 },
  ])
  assert.ok(revocations.isRevoked('late', '') && revocations.isRevoked('early', ''))
  clock.advance(ttlMs + 60_000 - 800_000)
  revocations.endSession('new')
  assert.equal(revocations.isRevoked('early', ''), false)
  assert.equal(revocations.isRevoked('late', ''), true)
})
