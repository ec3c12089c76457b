import type { Allowance, Limit, Limiter } from './limiter.ts'

/** Takes from each limit and answers the one that matters: the refusal, or the smallest share left. */
export function tightest(limiter: Limiter, limits: readonly Limit[], key: string): Allowance {
  let chosen: Allowance | undefined
  for (const limit of limits) {
    chosen = tighter(chosen, limiter.take(key, limit, 1))
    if (!chosen.allowed) return chosen
  }
  if (chosen === undefined) throw new Error('tightest was asked about no limit')
  return chosen
}

export function tighter(a: Allowance | undefined, b: Allowance): Allowance {
  if (a === undefined || !b.allowed) return b
  if (!a.allowed) return a
  return a.remaining / a.limit.limit < b.remaining / b.limit.limit ? a : b
}
