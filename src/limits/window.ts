import { GenerationCache } from '../kernel/cache.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Allowance, Limit, Limiter } from './limiter.ts'

/** Callers remembered per limit. Beyond twice as many, those not heard of for longest are forgotten. */
const callersMax = 50_000

/** A window is counted in this many slots. */
const slots = 32

/**
 * A sliding window and a burst, both exact towards the strict side: no window of `windowMs` ever admits more than
 * `limit`. The slot that is leaving the window counts whole until it is gone, so a caller who keeps to the brim may be
 * held back for a thirty-second part of the window longer than a log of every request would.
 */
export function openLimiter(clock: Clock): Limiter {
  const tables = new Map<string, GenerationCache<string, Cell>>()

  return {
    take(key, limit, cost) {
      let cells = tables.get(limit.name)
      if (cells === undefined) {
        cells = new GenerationCache(callersMax)
        tables.set(limit.name, cells)
      }
      let cell = cells.get(key)
      // By caller, and not by name: limits that keys bring are of one name, and one key's must not make another's count anew.
      if (cell === undefined || !isSame(cell.limit, limit)) {
        cell = { limit, counts: new Uint32Array(slots + 1), slot: 0, total: 0, full: 0 }
        cells.set(key, cell)
      }
      return takeFrom(cell, limit, cost, clock.monotonic())
    },
  }
}

function isSame(a: Limit, b: Limit): boolean {
  return a === b || (a.windowMs === b.windowMs && a.limit === b.limit && a.burst === b.burst)
}

interface Cell {
  /** By which it counts: under another it begins anew. */
  readonly limit: Limit
  /** Requests per slot, by slot number modulo the length. */
  readonly counts: Uint32Array
  /** The newest slot that `counts` speaks of. */
  slot: number
  total: number
  /** When the burst will be whole again: the theoretical arrival time of GCRA. */
  full: number
}

function takeFrom(cell: Cell, limit: Limit, cost: number, now: number): Allowance {
  const slotMs = limit.windowMs / slots
  const slot = Math.floor(now / slotMs)
  leaveBehind(cell, slot)
  const intervalMs = limit.windowMs / limit.limit
  const full = Math.max(cell.full, now) + intervalMs * cost
  const windowWaitMs = cell.total + cost <= limit.limit ? 0 : waitForWindow(cell, limit, cost, slot, slotMs, now)
  const burstWaitMs = Math.max(0, full - now - intervalMs * limit.burst)
  const allowed = windowWaitMs === 0 && burstWaitMs < 1e-6 // what rounding leaves of a wait is no wait
  if (allowed) {
    cell.counts[slot % cell.counts.length] = (cell.counts[slot % cell.counts.length] as number) + cost
    cell.total += cost
    cell.full = full
  }
  const burstLeft = Math.floor((intervalMs * limit.burst - Math.max(0, cell.full - now)) / intervalMs + 1e-6)
  return {
    allowed,
    limit,
    remaining: Math.max(0, Math.min(limit.limit - cell.total, burstLeft)),
    resetMs: Math.max(0, cell.total === 0 ? 0 : (newest(cell) + slots + 1) * slotMs - now),
    retryAfterMs: allowed ? 0 : Math.max(windowWaitMs, burstWaitMs),
  }
}

/** Forgets the slots that have left the window since the cell was last asked. */
function leaveBehind(cell: Cell, slot: number): void {
  const { counts } = cell
  if (slot - cell.slot >= counts.length) {
    counts.fill(0)
    cell.total = 0
  } else {
    for (let gone = cell.slot + 1; gone <= slot; gone++) {
      cell.total -= counts[gone % counts.length] as number
      counts[gone % counts.length] = 0
    }
  }
  if (slot > cell.slot) cell.slot = slot
}

/** Until so many of the oldest slots have left that `cost` fits. */
function waitForWindow(cell: Cell, limit: Limit, cost: number, slot: number, slotMs: number, now: number): number {
  let total = cell.total
  for (let oldest = slot - slots; oldest <= slot; oldest++) {
    total -= cell.counts[((oldest % cell.counts.length) + cell.counts.length) % cell.counts.length] as number
    if (total + cost <= limit.limit) return (oldest + slots + 1) * slotMs - now
  }
  return limit.windowMs
}

function newest(cell: Cell): number {
  for (let slot = cell.slot; slot > cell.slot - cell.counts.length && slot >= 0; slot--) {
    if ((cell.counts[slot % cell.counts.length] as number) > 0) return slot
  }
  return cell.slot
}
