import type { Allowance } from '../limiter.ts'

/** The one that matters to the caller: of refusals the one that takes longest to pass, else the one with the smallest share left. */
export function tighter(a: Allowance | undefined, b: Allowance): Allowance {
  if (a === undefined) return b
  if (!a.allowed || !b.allowed) {
    if (a.allowed !== b.allowed) return a.allowed ? b : a
    return b.retryAfterMs > a.retryAfterMs ? b : a
  }
  return b.remaining / b.limit.limit < a.remaining / a.limit.limit ? b : a
}
