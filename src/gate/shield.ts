import { tightest } from '../limits/tightest.ts'
import type { Stage } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Limits per address: they hold before anybody is known, so that a flood costs no signature check. */
export function shield(route: Route, rooms: Rooms): Stage | undefined {
  const limits = route.limits.filter(({ by }) => by === 'address').map(({ limit }) => limit)
  if (limits.length === 0) return undefined
  return (exchange) => {
    exchange.allowance = tightest(rooms.limiter, limits, exchange.callerAddress)
    return limited(exchange.allowance)
  }
}
