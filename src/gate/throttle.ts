import { tighter, tightest } from '../limits/tightest.ts'
import type { Stage } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Limits of the caller: by principal where one is known, else by address (TR6). */
export function throttle(route: Route, rooms: Rooms): Stage | undefined {
  const limits = route.limits.filter(({ by }) => by === 'caller').map(({ limit }) => limit)
  if (limits.length === 0) return undefined
  return (exchange) => {
    const { principal } = exchange
    const key = principal.type === 'anonymous' ? exchange.callerAddress : principal.id
    const allowance = tightest(rooms.limiter, limits, key)
    exchange.allowance = tighter(exchange.allowance, allowance)
    return limited(allowance)
  }
}
