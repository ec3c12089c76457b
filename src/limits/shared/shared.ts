import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Secret } from '../../kernel/secret.ts'
import { openRedis, type Redis, type RedisCircumstances, RedisFault, type RedisPlace } from '../../store/redis.ts'
import type { Allowance, Claim, Limiter, Taking } from '../limiter.ts'
import { Denials } from './denials.ts'
import { type Lease, Leases } from './lease.ts'
import { Link, type LinkState } from './link.ts'
import type { SharedOptions } from './options.ts'
import { type Answer, type Ask, BudgetNames } from './redis-counts.ts'
import { Holds, refreshMs } from './redis-holds.ts'
import { Takes } from './redis-takes.ts'
import { Shares, unitsMax } from './share.ts'
import { tighter } from './tighter.ts'

/** Counts for the whole house, on all its nodes. */
export interface SharedLimiter extends Limiter {
  readonly figures: SharedFigures
  /** Takes no more, and waits for nothing. */
  close(): void
}

/** What has come to pass since the start; `reachable` and `nodes` are how it stands. */
export interface SharedFigures {
  readonly takes: number
  /** Refused without a round trip. */
  readonly deniedHere: number
  /** Admitted without a round trip. */
  readonly leased: number
  readonly roundTrips: number
  /** Round trips without an answer. */
  readonly faults: number
  /** Counted, or not, as each limit says for when Redis is away. */
  readonly fallbacks: number
  readonly reachable: boolean
  readonly nodes: number
}

export interface SharedParts {
  /** Counts while Redis is away. */
  readonly local: Limiter
  readonly clock: Clock
  readonly random: Random
  readonly password: Secret | undefined
  /** What all nodes of the house know and nobody else: keys in Redis cannot be guessed without it. */
  readonly salt: string
  /** Of this node; the same for all its threads. One that is made up where it is left out. */
  readonly node?: string
  /** Redis is away, or is there again. Not called for a good beginning, and once for each change. */
  readonly onChange: (state: LinkState) => void
  /** How it is reached; ours where it is left out. */
  readonly connect?: (place: RedisPlace, circumstances: RedisCircumstances) => Promise<Redis>
}

/** What Redis writes down one by one costs it time for each unit. */
const costMax = 1_024

/**
 * One count over all nodes, in Redis. It waits for the first word of Redis, and where that does not come begins without it.
 * Each limit says what holds while Redis is away. When it returns, counts go on from what it has kept; what nodes have counted
 * meanwhile is not added.
 */
export async function openShared(options: SharedOptions, parts: SharedParts): Promise<SharedLimiter> {
  const { clock, random, password, onChange, connect = openRedis } = parts
  let link: Link | undefined
  let begun: () => void = () => {}
  const beginning = new Promise<void>((resolve) => (begun = resolve))
  const redis = await connect(
    { url: options.url, password, ca: options.ca, cluster: options.cluster },
    {
      clock,
      timeoutMs: options.timeout,
      name: 'gatehouse',
      onReady: () => void link?.beat().then(begun),
      onLost(reason) {
        link?.lost(reason)
        begun()
      },
    },
  )
  const names = new BudgetNames(options.prefix, parts.salt)
  const node = parts.node ?? base64url(random.bytes(12))
  link = new Link(redis, { clock, key: names.own('nodes'), node, onChange })
  const tooLong = setTimeout(begun, beginningMs)
  await beginning
  clearTimeout(tooLong)
  if (!link.reachable) link.lost(`no answer within ${beginningMs} ms`)
  return new SharedCounts(options, parts, { redis, link, names })
}

const beginningMs = 1_000

class SharedCounts implements SharedLimiter {
  readonly #clock: Clock
  readonly #redis: Redis
  readonly #link: Link
  readonly #takes: Takes
  readonly #names: BudgetNames
  readonly #nodes: number | undefined
  readonly #denials: Denials
  readonly #leases: Leases | undefined
  readonly #holds: Holds
  readonly #shares: Shares
  readonly #refreshing: NodeJS.Timeout
  readonly #figures = { takes: 0, deniedHere: 0, leased: 0, roundTrips: 0, faults: 0, fallbacks: 0 }

  constructor(
    { nodes, leases }: SharedOptions,
    { local, clock, random }: SharedParts,
    { redis, link, names }: { readonly redis: Redis; readonly link: Link; readonly names: BudgetNames },
  ) {
    this.#clock = clock
    this.#redis = redis
    this.#link = link
    this.#takes = new Takes(redis)
    this.#names = names
    this.#nodes = nodes
    this.#denials = new Denials(clock)
    this.#leases = leases ? new Leases() : undefined
    this.#holds = new Holds(redis, random)
    this.#shares = new Shares(local)
    this.#refreshing = setInterval(() => void this.#refresh(), refreshMs).unref()
  }

  get figures(): SharedFigures {
    return { ...this.#figures, reachable: this.#link.reachable, nodes: this.#nodeCount }
  }

  take(claims: readonly Claim[]): Taking | Promise<Taking> {
    this.#figures.takes++
    if (claims.length === 0) throw new RangeError('a take asks for one budget at least')
    for (const claim of claims) mustFit(claim)
    const names = claims.map((claim) => this.#names.nameOf(claim))
    const denied = this.#deniedHere(claims, names)
    if (denied !== undefined) {
      this.#figures.deniedHere++
      return denied
    }
    if (!this.#link.reachable) return this.#without(claims)
    const leases = this.#leased(claims, names)
    if (leases.includes(undefined)) return this.#ask(claims, names, leases)
    this.#figures.leased++
    return this.#fromLeases(claims, names, leases).reduce(tighter)
  }

  spent(claims: readonly Claim[]): Allowance | undefined {
    const names = claims.map((claim) => this.#names.nameOf(claim))
    const denied = this.#deniedHere(claims, names)
    if (denied !== undefined || this.#link.reachable) return denied
    return this.#shares.spent(claims, this.#nodeCount)
  }

  close(): void {
    clearInterval(this.#refreshing)
    this.#link.close()
    this.#redis.close()
  }

  get #nodeCount(): number {
    return this.#nodes ?? this.#link.nodes
  }

  #deniedHere(claims: readonly Claim[], names: readonly string[]): Allowance | undefined {
    let worst: Allowance | undefined
    for (const [index, claim] of claims.entries()) {
      const denied = this.#denials.of(names[index] as string, claim)
      if (denied !== undefined) worst = tighter(worst, denied)
    }
    return worst
  }

  #without(claims: readonly Claim[]): Taking | Promise<Taking> {
    this.#figures.fallbacks++
    return this.#shares.take(claims, this.#nodeCount)
  }

  /** The leases that claims were spent from just now; undefined for what has to be asked for. */
  #leased(claims: readonly Claim[], names: readonly string[]): (Lease | undefined)[] {
    const now = this.#clock.monotonic()
    return claims.map((claim, index) => this.#leases?.spend(names[index] as string, claim.cost, now))
  }

  #fromLeases(claims: readonly Claim[], names: readonly string[], leases: readonly (Lease | undefined)[]): Allowance[] {
    const now = this.#clock.monotonic()
    return claims.flatMap((claim, index) => {
      const lease = leases[index]
      if (lease === undefined) return []
      this.#leases?.admitted(names[index] as string, claim, now)
      return [
        {
          allowed: true,
          limit: claim.limit,
          remaining: lease.units + lease.beside,
          resetMs: Math.max(0, lease.wholeAtMs - now),
          retryAfterMs: 0,
          release: undefined,
        },
      ]
    })
  }

  /** Asks Redis for what no lease holds. What came from leases meanwhile is spent only if Redis says yes to the rest. */
  async #ask(
    claims: readonly Claim[],
    names: readonly string[],
    leases: readonly (Lease | undefined)[],
  ): Promise<Taking> {
    const sentAtMs = this.#clock.monotonic()
    const asks = claims.flatMap((claim, index) =>
      leases[index] === undefined ? [this.#askOf(claim, names[index] as string, sentAtMs)] : [],
    )
    this.#figures.roundTrips++
    let answers: readonly Answer[] | undefined
    try {
      answers = await this.#takes.take(asks)
    } catch (error) {
      if (!(error instanceof RedisFault)) throw error
      this.#figures.faults++
      this.#link.failed(error)
    }
    const taken = answers?.every(({ allowance }) => allowance.allowed) === true
    if (!taken) giveBack(claims, leases)
    if (answers === undefined) {
      for (const ask of asks) this.#forgo(ask)
      return this.#without(claims)
    }
    this.#link.answered()
    const settled = answers.map((answer, index) => this.#settle(asks[index] as Ask, answer, taken, sentAtMs))
    const chosen = [...settled, ...(taken ? this.#fromLeases(claims, names, leases) : [])].reduce(tighter)
    const releases = settled.flatMap(({ release }) => (release === undefined ? [] : [release]))
    if (releases.length === 0) return chosen
    return {
      ...chosen,
      release() {
        for (const release of releases) release()
      },
    }
  }

  #askOf(claim: Claim, name: string, now: number): Ask {
    return {
      claim,
      name,
      key: this.#names.keyOf(name),
      lease: this.#leases?.ask(name, claim, now) ?? 0,
      hold: claim.limit.algorithm === 'concurrency' ? this.#holds.newId() : undefined,
    }
  }

  /** No answer came. It may have been taken all the same: then it is lost, and what is held is given back. */
  #forgo({ claim, name, key, hold }: Ask): void {
    this.#leases?.answered(name, undefined)
    if (hold !== undefined) this.#holds.letGo(hold, key, claim.cost)
  }

  #settle({ claim, name, key, hold }: Ask, answer: Answer, taken: boolean, sentAtMs: number): Allowance {
    const { allowance, leased, leasedMs } = answer
    const now = this.#clock.monotonic()
    if (!allowance.allowed) this.#denials.remember(name, claim, allowance)
    if (taken) this.#leases?.admitted(name, claim, now)
    const wholeAtMs = now + allowance.resetMs
    const endsAtMs = sentAtMs + leasedMs * driftMax
    this.#leases?.answered(
      name,
      leased > 0 ? { units: leased, endsAtMs, beside: allowance.remaining, wholeAtMs } : undefined,
    )
    return {
      ...allowance,
      remaining: allowance.remaining + leased,
      release: taken && hold !== undefined ? this.#holds.keep(hold, key, claim.cost) : undefined,
    }
  }

  async #refresh(): Promise<void> {
    if (!this.#link.reachable) return
    try {
      await this.#holds.refresh()
    } catch (error) {
      if (!(error instanceof RedisFault)) throw error
      this.#link.failed(error)
    }
  }
}

/** A node's clock may run slower than Redis's by this much, and a lease still ends in time. */
const driftMax = 0.98

function giveBack(claims: readonly Claim[], leases: readonly (Lease | undefined)[]): void {
  for (const [index, lease] of leases.entries()) if (lease !== undefined) lease.units += claims[index]?.cost ?? 0
}

/** What breaks this is a mistake of ours, and no caller's. */
function mustFit({ limit, cost }: Claim): void {
  const { name, algorithm } = limit
  const most = algorithm === 'log' || algorithm === 'concurrency' ? Math.min(costMax, unitsMax(limit)) : unitsMax(limit)
  if (!Number.isInteger(cost) || cost < 1 || cost > most)
    throw new RangeError(`a claim on \`${name}\`: expected a cost of 1 to ${most}, got ${cost}`)
}
