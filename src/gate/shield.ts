import { refuse } from '../kernel/error.ts'
import { tightest } from '../limits/tightest.ts'
import type { Stage } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** What is asked of an address before anybody is known: whether it may come, and how often. A flood costs no signature check. */
export function shield(route: Route, rooms: Rooms): Stage | undefined {
  const limits = route.limits.filter(({ by }) => by === 'address').map(({ limit }) => limit)
  const rules = [rooms.from, route.from].filter((rule) => rule !== undefined)
  if (limits.length === 0 && rules.length === 0) return undefined
  return (exchange) => {
    for (const mayCome of rules) if (!mayCome(exchange.client)) return refuse('address-not-allowed')
    if (limits.length === 0) return undefined
    exchange.allowance = tightest(rooms.limiter, limits, exchange.callerAddress)
    return limited(exchange.allowance)
  }
}
