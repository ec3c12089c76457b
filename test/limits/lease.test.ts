import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { demandShare, Leases, spanMs, unitsToAsk } from '../../src/limits/shared/lease.ts'
import { limitOf } from './shared-house.ts'

test('TR6: what is counted exactly, or while it lasts, or for a moment only, is never leased', () => {
  for (const algorithm of ['log', 'concurrency'] as const) assert.equal(spanMs(limitOf({ algorithm, limit: 1e6 })), 0)
  assert.equal(spanMs(limitOf({ windowMs: 100 })), 0)
  assert.equal(spanMs(limitOf({ windowMs: 1_000 })), 1_000 / 64)
  assert.equal(spanMs(limitOf({ windowMs: 3_600_000 })), 100)
  // What a lease of a bucket costs of its burst is a small part of it.
  assert.equal(spanMs(limitOf({ limit: 6_000, burst: 10 })), 0)
  assert.equal(spanMs(limitOf({ limit: 600, burst: 100 })), 100)
})

test('TR6: a node leases what whole requests cost, and a small part of what it has just admitted', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 1_000 }), (admitted, cost) => {
      const units = unitsToAsk(admitted, cost)
      assert.equal(units % cost, 0)
      assert.ok(units >= 0 && units * demandShare <= admitted)
    }),
  )
})

test('TR6: of what a node admits, no more than one unit in sixteen is leased and lapses', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 300 })),
          takes: fc.integer({ min: 1, max: 80 }),
        }),
        { maxLength: 80 },
      ),
      (bursts) => {
        const leases = new Leases()
        const claim = { limit: limitOf({ limit: 1_000_000 }), cost: 1 }
        let now = 0
        let admitted = 0
        let leased = 0
        let spent = 0
        for (const { pause, takes } of bursts) {
          now += pause
          for (let take = 0; take < takes; take++) {
            if (leases.spend('k', 1, now) !== undefined) spent++
            else {
              const units = leases.ask('k', claim, now)
              assert.equal(leases.ask('k', claim, now), 0, 'two ask for one demand')
              leased += units
              leases.answered('k', units === 0 ? undefined : { units, endsAtMs: now + 98, beside: 0, wholeAtMs: 0 })
            }
            leases.admitted('k', claim, now)
            admitted++
          }
        }
        assert.ok(spent <= leased)
        assert.ok((leased - spent) * demandShare <= admitted, `${leased - spent} lapsed of ${admitted}`)
      },
    ),
  )
})

test('TR6: a lease is over at its end, and for a request that costs more than it holds', () => {
  const leases = new Leases()
  const claim = { limit: limitOf({ limit: 1_000_000 }), cost: 1 }
  for (let take = 0; take < 100; take++) leases.admitted('k', claim, 0)
  assert.equal(leases.ask('k', claim, 100), 6)
  leases.answered('k', { units: 6, endsAtMs: 198, beside: 0, wholeAtMs: 0 })
  assert.equal(leases.spend('k', 7, 100), undefined)
  assert.equal(leases.spend('k', 4, 197)?.units, 2)
  assert.equal(leases.spend('k', 3, 197), undefined)
  assert.equal(leases.spend('another', 1, 197), undefined)
  assert.equal(leases.spend('k', 1, 198), undefined)
})
