import { GenerationCache } from '../../kernel/cache.ts'
import type { Limit } from '../limiter.ts'

/** A lease is over after so long, wherever its limit allows that much. */
const spanMaxMs = 100
/** Shorter than this, nothing is won by one. */
const spanMinMs = 5
/** Of what a node admits of a key in one span, it leases at most one part in so many for the next. */
export const demandShare = 16
/** Keys whose demand is remembered. Beyond twice as many, those not heard of for longest are forgotten, and what is leased of them lapses. */
const keysMax = 20_000

/**
 * How long a lease of a limit lasts; 0 where there is none: of what is counted exactly, or only while it lasts, nothing is
 * taken in advance. Leased units count as taken at its end, so it has to be short beside the window and beside the burst.
 */
export function spanMs({ algorithm, limit, windowMs, burst }: Limit): number {
  if (algorithm === 'log' || algorithm === 'concurrency') return 0
  const ofBurst = algorithm === 'fixed' ? spanMaxMs : ((burst / limit) * windowMs) / 64
  const span = Math.min(spanMaxMs, windowMs / 32, ofBurst)
  return span < spanMinMs ? 0 : span
}

/** Units to ask for, in whole requests of one cost, of a key of which so many were admitted here in the last span. */
export function unitsToAsk(admitted: number, cost: number): number {
  const units = Math.floor(admitted / demandShare)
  return units - (units % cost)
}

/** Units of one key that this node may admit without asking. */
export interface Lease {
  units: number
  /** By the clock of this node, reckoned from before it was asked for: here it is over before it is in Redis. */
  readonly endsAtMs: number
  /** Units that were left beside it, when it was taken. */
  readonly beside: number
  readonly wholeAtMs: number
}

/** The leases of one thread, and the demand that they follow. */
export class Leases {
  readonly #keys = new GenerationCache<string, Demand>(keysMax)

  /** Takes from the lease of a key, if there is enough in it. What was taken can be given back to what is answered. */
  spend(name: string, cost: number, now: number): Lease | undefined {
    const lease = this.#keys.get(name)?.lease
    if (lease === undefined || lease.units < cost || now >= lease.endsAtMs) return undefined
    lease.units -= cost
    return lease
  }

  /** Units to ask for with a request that has to ask in any case. Until it is answered, no other one asks for more. */
  ask(name: string, { limit, cost }: { readonly limit: Limit; readonly cost: number }, now: number): number {
    const span = spanMs(limit)
    if (span === 0) return 0
    const demand = this.#demand(name, span, now)
    if (demand.asking || (demand.lease !== undefined && demand.lease.units >= cost && now < demand.lease.endsAtMs))
      return 0
    const units = unitsToAsk(demand.before, cost)
    demand.asking = units > 0
    return units
  }

  /** What came of asking: a lease, or none. */
  answered(name: string, lease: Lease | undefined): void {
    const demand = this.#keys.get(name)
    if (demand === undefined) return
    demand.asking = false
    if (lease !== undefined) demand.lease = lease
  }

  admitted(name: string, { limit, cost }: { readonly limit: Limit; readonly cost: number }, now: number): void {
    const span = spanMs(limit)
    if (span > 0) this.#demand(name, span, now).units += cost
  }

  #demand(name: string, span: number, now: number): Demand {
    let demand = this.#keys.get(name)
    if (demand === undefined) {
      demand = { sinceMs: now, units: 0, before: 0, asking: false, lease: undefined }
      this.#keys.set(name, demand)
    } else if (now - demand.sinceMs >= span) {
      demand.before = now - demand.sinceMs < 2 * span ? demand.units : 0
      demand.units = 0
      demand.sinceMs = now
    }
    return demand
  }
}

interface Demand {
  /** When the span began that `units` are counted in. */
  sinceMs: number
  units: number
  /** Units of the span before. */
  before: number
  asking: boolean
  lease: Lease | undefined
}
