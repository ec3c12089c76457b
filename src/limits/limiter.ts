/** How a limit counts. */
export type Algorithm =
  /** No window of `windowMs` ever admits more than `limit`; and of a burst, no more than `burst` back to back. */
  | 'sliding'
  /** A bucket of `burst`, refilled at the pace of `limit` per window (GCRA). */
  | 'token-bucket'
  /** A log of every request: no window ever admits more than `limit`, and none is held back a moment longer than that takes. */
  | 'log'
  /** So many per window, and windows begin on the clock: two of them may be spent back to back. */
  | 'fixed'
  /** So many at the same time. */
  | 'concurrency'

/** What a limit does while the count that all nodes share cannot be reached. */
export type WhenDown =
  /** Each node counts for itself, against its share. */
  | 'local'
  /** Nobody is let through: 503. */
  | 'closed'
  /** Nobody is counted. */
  | 'open'

/** A limit as it is enforced. */
export interface Limit {
  /** The name it has in the configuration: `general`, `authentication`. */
  readonly name: string
  readonly algorithm: Algorithm
  /** Units that any window of `windowMs` admits at most; of `concurrency`, that are held at once at most. */
  readonly limit: number
  /** 0 for `concurrency`. */
  readonly windowMs: number
  /** Units that may come back to back, refilled at the rate of `limit` per window; where the algorithm knows none, as many as the limit. */
  readonly burst: number
  readonly whenDown: WhenDown
}

/** One budget that a request draws on. */
export interface Claim {
  readonly limit: Limit
  /** Whose budget: two callers with one key are one caller. */
  readonly key: string
  /** Units that the request costs: whole, at least 1, and no more than the limit and its burst hold. */
  readonly cost: number
}

/** How a budget stands. */
export interface Allowance {
  readonly allowed: boolean
  readonly limit: Limit
  /** Whole units left before a refusal. */
  readonly remaining: number
  /** Until the budget is whole again; 0 for `concurrency`. */
  readonly resetMs: number
  /** 0 when allowed; else how long a caller has to wait to be let through. A promise, as long as nobody else spends the budget. */
  readonly retryAfterMs: number
  /** Gives back what is only counted while it lasts (`concurrency`). Once; undefined where there is nothing of the kind. */
  readonly release: (() => void) | undefined
}

/** The shared count cannot be reached, and a limit would rather let nobody through. It is no caller's fault. */
export const uncounted = 'uncounted'

export type Taking = Allowance | typeof uncounted

/** Counts what callers use of their budgets. */
export interface Limiter {
  /**
   * Takes from all budgets, or from none. Answers the one that matters: of refusals the one that takes longest to pass, else the
   * one with the smallest share left. It waits only where the count is somewhere else. Two claims of one request never name the
   * same limit and key. Of no claim at all nobody asks.
   */
  take(claims: readonly Claim[]): Taking | Promise<Taking>
  /** A budget that is known here to be spent, asked before a request has cost anything. It takes nothing, and never waits. */
  spent(claims: readonly Claim[]): Allowance | undefined
}
