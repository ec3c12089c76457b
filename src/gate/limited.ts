import { type Refusal, refuse } from '../kernel/error.ts'
import type { Allowance } from '../limits/limiter.ts'

/** The refusal of a spent budget, or nothing. Its wait is a promise: whoever waits that long gets through. */
export function limited(allowance: Allowance): Refusal | undefined {
  if (allowance.allowed) return undefined
  const seconds = Math.ceil(allowance.retryAfterMs / 1000)
  return refuse('rate-limited', {
    detail: `limit \`${allowance.limit.name}\` is used up; try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`,
    retryAfterMs: allowance.retryAfterMs,
  })
}
