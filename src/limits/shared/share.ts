import { type Allowance, type Claim, type Limit, type Limiter, type Taking, uncounted } from '../limiter.ts'
import { tighter } from './tighter.ts'

/** What counts while nobody counts for all: each limit as it says, and those that are `local` against the share of this node. */
export class Shares {
  readonly #local: Limiter
  /** Of each limit, what a node has of it among so many: one object as long as that stays. */
  readonly #shares = new WeakMap<Limit, { readonly nodes: number; readonly limit: Limit }>()

  constructor(local: Limiter) {
    this.#local = local
  }

  take(claims: readonly Claim[], nodes: number): Taking | Promise<Taking> {
    if (claims.some(({ limit }) => limit.whenDown === 'closed')) return uncounted
    const counted = claims.filter(({ limit }) => limit.whenDown === 'local')
    if (counted.length === 0) return claims.map(waived).reduce(tighter)
    const parts = counted.map((claim) => this.#partOf(claim, nodes))
    // To refuse what a share can never hold would blame the caller for our fault, and to admit it would be to count nothing.
    if (!parts.every(fits)) return uncounted
    const taking = this.#local.take(parts)
    return taking instanceof Promise
      ? taking.then((taking) => named(taking, counted, parts))
      : named(taking, counted, parts)
  }

  spent(claims: readonly Claim[], nodes: number): Allowance | undefined {
    const counted = claims.filter((claim) => claim.limit.whenDown === 'local' && fits(this.#partOf(claim, nodes)))
    if (counted.length === 0) return undefined
    const parts = counted.map((claim) => this.#partOf(claim, nodes))
    const allowance = this.#local.spent(parts)
    return allowance === undefined ? undefined : withName(allowance, counted, parts)
  }

  #partOf({ limit, key, cost }: Claim, nodes: number): Claim {
    let share = this.#shares.get(limit)
    if (share?.nodes !== nodes) {
      share = { nodes, limit: shareOf(limit, nodes) }
      this.#shares.set(limit, share)
    }
    return { limit: share.limit, key, cost }
  }
}

/** The part of a limit that one node of so many may admit. At least 1: more nodes than units admit more together. */
export function shareOf(limit: Limit, nodes: number): Limit {
  const part = (units: number) => Math.max(1, Math.floor(units / nodes))
  return { ...limit, limit: part(limit.limit), burst: part(limit.burst) }
}

/** Units that come at once at most. */
export function unitsMax({ algorithm, limit, burst }: Limit): number {
  switch (algorithm) {
    case 'sliding':
      return Math.min(limit, burst)
    case 'token-bucket':
      return burst
    case 'log':
    case 'fixed':
    case 'concurrency':
      return limit
    default:
      return algorithm satisfies never
  }
}

function fits({ limit, cost }: Claim): boolean {
  return cost <= unitsMax(limit)
}

/** Not counted at all. */
function waived({ limit }: Claim): Allowance {
  return { allowed: true, limit, remaining: unitsMax(limit), resetMs: 0, retryAfterMs: 0, release: undefined }
}

function named(taking: Taking, claims: readonly Claim[], parts: readonly Claim[]): Taking {
  return taking === uncounted ? uncounted : withName(taking, claims, parts)
}

/** Callers are told the limit that they know, and not how many nodes there are. */
function withName(allowance: Allowance, claims: readonly Claim[], parts: readonly Claim[]): Allowance {
  const limit = claims[parts.findIndex(({ limit }) => limit === allowance.limit)]?.limit
  return limit === undefined ? allowance : { ...allowance, limit }
}
