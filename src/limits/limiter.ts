/** A limit as it is enforced. Both bounds hold at once. */
export interface Limit {
  /** The name it has in the configuration: `general`, `authentication`. */
  readonly name: string
  /** Requests that any window of `windowMs` admits at most. */
  readonly limit: number
  readonly windowMs: number
  /** Requests that may come back to back; refilled at the rate of `limit` per window. */
  readonly burst: number
}

export interface Allowance {
  readonly allowed: boolean
  readonly limit: Limit
  /** Whole requests left before a refusal. */
  readonly remaining: number
  /** Until the limit is whole again. */
  readonly resetMs: number
  /** 0 when allowed; else how long a caller has to wait to be let through. */
  readonly retryAfterMs: number
}

/** Takes from a budget, or says how long to wait. It never waits itself. */
export interface Limiter {
  take(key: string, limit: Limit, cost: number): Allowance
}
