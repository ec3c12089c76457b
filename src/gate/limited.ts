import { type Refusal, refuse } from '../kernel/error.ts'
import { type Allowance, type Claim, type Taking, uncounted } from '../limits/limiter.ts'
import type { Exchange } from './exchange.ts'
import type { Rooms } from './rooms.ts'

/** Takes what a request costs from every budget, or from none: the refusal where one of them is spent. */
export function take(
  exchange: Exchange,
  claims: readonly Claim[],
  rooms: Rooms,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (claims.length === 0) return undefined
  const taking = rooms.limiter.take(claims)
  return taking instanceof Promise
    ? taking.then((late) => settle(exchange, late, rooms))
    : settle(exchange, taking, rooms)
}

/** The refusal where one of these budgets is known to be spent. Nothing is taken, and nothing waits. */
export function spent(exchange: Exchange, claims: readonly Claim[], rooms: Rooms): Refusal | undefined {
  const allowance = claims.length === 0 ? undefined : rooms.limiter.spent(claims)
  return allowance && told(exchange, allowance, rooms)
}

function settle(exchange: Exchange, taking: Taking, rooms: Rooms): Refusal | undefined {
  if (taking === uncounted)
    return refuse('unavailable', {
      detail: 'requests cannot be counted at the moment, and this one is not let through uncounted',
      retryAfterMs: 1_000,
    })
  return told(exchange, taking, rooms)
}

/** Keeps what the answer will say of limits. The refusal where one is spent: its wait is a promise, whoever waits that long gets through. */
function told(exchange: Exchange, allowance: Allowance, { clock }: Rooms): Refusal | undefined {
  exchange.allowance = allowance
  exchange.countedAt = clock.now()
  return limited(allowance)
}

function limited(allowance: Allowance): Refusal | undefined {
  if (allowance.allowed) return undefined
  const { name, algorithm, limit } = allowance.limit
  if (algorithm === 'concurrency')
    return refuse('rate-limited', {
      detail: `limit \`${name}\` lets ${limit} be under way at once; try again when one of them has ended`,
      retryAfterMs: allowance.retryAfterMs,
    })
  const seconds = Math.ceil(allowance.retryAfterMs / 1000)
  return refuse('rate-limited', {
    detail: `limit \`${name}\` is used up; try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`,
    retryAfterMs: allowance.retryAfterMs,
  })
}
