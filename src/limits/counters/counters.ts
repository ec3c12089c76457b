import type { Clock } from '../../kernel/clock.ts'
import { KeyedHash } from '../../kernel/keyed-hash.ts'
import type { Allowance, Claim, Limit, Limiter } from '../limiter.ts'
import { Cells } from './cells.ts'
import { type CounterMemory, placesIn, type TableName } from './counter-memory.ts'
import { FixedWindow } from './fixed.ts'
import { InFlight } from './in-flight.ts'
import { Locks } from './locks.ts'
import { logSizes, RequestLog } from './log.ts'
import { planOf } from './plan.ts'
import { SlidingWindow } from './sliding.ts'
import { Draft, type Plan, type Table } from './table.ts'
import { TokenBucket } from './token-bucket.ts'

/** A limiter that never waits. */
export interface Counters extends Limiter {
  take(claims: readonly Claim[]): Allowance
}

/** How a thread shares the memory with others. */
interface Sharing {
  /** Nobody else ever opens this memory: locks are spared. */
  readonly alone?: boolean
  /** How long a thread may hold a lock, some hundred nanoseconds as a rule, until it is taken for dead. */
  readonly patienceMs?: number
}

/**
 * Counts in the memory of the process: all who open the same memory count as one. Where a thread died while it
 * counted, a request that wants the same place throws a `Fault`. A limit is worked out once for each object: keep it,
 * rather than make it anew for each request.
 */
export function openCounters(
  memory: CounterMemory,
  clock: Clock,
  { alone = false, patienceMs = 5000 }: Sharing = {},
): Counters {
  return new SharedCounters(memory, clock, alone ? undefined : new Locks(memory.locks, patienceMs))
}

class SharedCounters implements Counters {
  readonly #clock: Clock
  /** Of keys. What came out last is used again for the next claim of the same key, so limits have one of their own. */
  readonly #hash: KeyedHash
  readonly #limitHash: KeyedHash
  readonly #tables: Readonly<Record<TableName, Table>>
  readonly #inFlight: InFlight
  readonly #locks: Locks | undefined
  readonly #plans = new WeakMap<Limit, Plan>()
  /** The claims that are being asked about, and more: as many as the largest request had. */
  readonly #drafts: Draft[] = []
  /** The locks that they want, ascending, each once; those below `#held` are held. */
  readonly #wanted: number[] = []
  #held = 0

  constructor(memory: CounterMemory, clock: Clock, locks: Locks | undefined) {
    const { cells, key } = memory
    const places = placesIn(cells.byteLength)
    this.#clock = clock
    this.#hash = new KeyedHash(key)
    this.#limitHash = new KeyedHash(key)
    this.#locks = locks
    this.#inFlight = new InFlight(cells, places.concurrency)
    this.#tables = {
      sliding: new Cells(cells, places.sliding, new SlidingWindow(cells, 2)),
      'sliding-wide': new Cells(cells, places['sliding-wide'], new SlidingWindow(cells, 4)),
      'token-bucket': new Cells(cells, places['token-bucket'], new TokenBucket(cells)),
      fixed: new Cells(cells, places.fixed, new FixedWindow(cells, wallAtZero(cells, clock))),
      concurrency: this.#inFlight,
      'log-16': new Cells(cells, places['log-16'], new RequestLog(cells, logSizes[0])),
      'log-64': new Cells(cells, places['log-64'], new RequestLog(cells, logSizes[1])),
      'log-256': new Cells(cells, places['log-256'], new RequestLog(cells, logSizes[2])),
      'log-1024': new Cells(cells, places['log-1024'], new RequestLog(cells, logSizes[3])),
    }
  }

  take(claims: readonly Claim[]): Allowance {
    const now = this.#clock.monotonic()
    this.#find(claims)
    try {
      this.#lock(claims.length)
      const refused = this.#ask(claims.length, now)
      if (refused !== undefined) return refusal(refused)
      for (let index = 0; index < claims.length; index++) {
        const draft = this.#drafts[index] as Draft
        draft.plan.table.take(draft, now)
      }
      return this.#allowance(claims.length)
    } finally {
      this.#unlock()
    }
  }

  spent(claims: readonly Claim[]): Allowance | undefined {
    const now = this.#clock.monotonic()
    this.#find(claims)
    try {
      this.#lock(claims.length)
      const refused = this.#ask(claims.length, now)
      return refused && refusal(refused)
    } finally {
      this.#unlock()
    }
  }

  /** Reads the claims into the drafts. */
  #find(claims: readonly Claim[]): void {
    if (claims.length === 0) throw new Error('the counters were asked about no claim')
    let hashed: string | undefined
    for (let index = 0; index < claims.length; index++) {
      const { limit, key, cost } = claims[index] as Claim
      const plan = this.#plans.get(limit) ?? this.#plan(limit)
      if (!(Number.isInteger(cost) && cost >= 1 && cost <= plan.most)) {
        throw new Error(`limit \`${limit.name}\`: expected a cost of 1 to ${plan.most} units, got \`${cost}\``)
      }
      const draft = (this.#drafts[index] ??= new Draft(plan))
      draft.plan = plan
      draft.cost = cost
      if (key !== hashed || index === 0) this.#hash.of(key)
      hashed = key
      plan.table.find(draft, this.#hash.high, this.#hash.low)
    }
  }

  #plan(limit: Limit): Plan {
    const plan = planOf(limit, this.#limitHash, this.#tables)
    this.#plans.set(limit, plan)
    return plan
  }

  /**
   * Takes the locks of all drafts in ascending order: two requests that want the same ones never wait for each other.
   */
  #lock(count: number): void {
    if (this.#locks === undefined) return
    const wanted = this.#wanted
    if (count === 1) {
      wanted[0] = (this.#drafts[0] as Draft).place % this.#locks.count
      this.#locks.take(wanted[0])
      this.#held = 1
      return
    }
    wanted.length = 0
    for (let index = 0; index < count; index++) {
      const lock = (this.#drafts[index] as Draft).place % this.#locks.count
      if (wanted.includes(lock)) continue
      let at = wanted.push(lock) - 1
      for (; at > 0 && (wanted[at - 1] as number) > lock; at--) wanted[at] = wanted[at - 1] as number
      wanted[at] = lock
    }
    for (const lock of wanted) {
      this.#locks.take(lock)
      this.#held++
    }
  }

  #unlock(): void {
    while (this.#held > 0) {
      this.#held--
      this.#locks?.giveBack(this.#wanted[this.#held] as number)
    }
  }

  /** Asks all; of those that do not fit, answers the one that takes longest. */
  #ask(count: number, now: number): Draft | undefined {
    let refused: Draft | undefined
    for (let index = 0; index < count; index++) {
      const draft = this.#drafts[index] as Draft
      draft.plan.table.ask(draft, now)
      if (draft.waitMs > 0 && (refused === undefined || draft.waitMs > refused.waitMs)) refused = draft
    }
    return refused
  }

  /** Of drafts that were all taken, the one with the smallest share left. */
  #allowance(count: number): Allowance {
    let tightest = this.#drafts[0] as Draft
    let least = leftOf(tightest)
    for (let index = 1; index < count; index++) {
      const draft = this.#drafts[index] as Draft
      const left = leftOf(draft)
      if (left >= least) continue
      least = left
      tightest = draft
    }
    return {
      allowed: true,
      limit: tightest.plan.limit,
      remaining: tightest.remaining - tightest.cost,
      resetMs: tightest.resetMs,
      retryAfterMs: 0,
      release: this.#release(count),
    }
  }

  #release(count: number): (() => void) | undefined {
    let release: (() => void) | undefined
    for (let index = 0; index < count; index++) {
      const { plan, place, set, way, cost } = this.#drafts[index] as Draft
      if (plan.table !== this.#inFlight) continue
      const before = release
      let isHeld = true
      release = () => {
        if (!isHeld) return
        isHeld = false
        this.#giveBack(place, set, way, cost)
        before?.()
      }
    }
    return release
  }

  #giveBack(place: number, set: number, way: number, cost: number): void {
    const lock = this.#locks === undefined ? 0 : place % this.#locks.count
    try {
      this.#locks?.take(lock)
    } catch {
      return // A thread died over this count, and nobody is let through by it: there is nothing to give back to.
    }
    try {
      this.#inFlight.giveBack(set, way, cost)
    } finally {
      this.#locks?.giveBack(lock)
    }
  }
}

function leftOf({ remaining, cost, plan }: Draft): number {
  return (remaining - cost) / plan.limit.limit
}

function refusal({ plan, remaining, resetMs, waitMs }: Draft): Allowance {
  return {
    allowed: false,
    limit: plan.limit,
    remaining,
    resetMs,
    retryAfterMs: wholeMicroseconds(waitMs),
    release: undefined,
  }
}

/** Rounds up: whoever waits as long may not come a hair too early. */
function wholeMicroseconds(ms: number): number {
  const rounded = Math.ceil(ms * 1000) / 1000
  return rounded >= ms ? rounded : ms
}

/**
 * What the wall said when monotonic time was 0, as the first who opened the memory saw it: it is the same for all
 * threads.
 */
function wallAtZero(cells: SharedArrayBuffer, clock: Clock): number {
  const kept = new BigInt64Array(cells, 0, 1)
  Atomics.compareExchange(kept, 0, 0n, BigInt(Math.round(clock.now() - clock.monotonic())))
  return Number(Atomics.load(kept, 0))
}
