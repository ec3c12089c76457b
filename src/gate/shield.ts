import { type Refusal, refuse } from '../kernel/error.ts'
import { claimsOn } from './budgets.ts'
import type { Exchange, Stage } from './exchange.ts'
import { spent } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * What is asked of an address before anybody is known: whether it may come, and whether it has used up what it may. A flood costs
 * no signature check. Of limits nothing is taken yet: that is done once, with what belongs to the caller.
 */
export function shield(route: Route, rooms: Rooms): Stage | undefined {
  const budgets = route.limits.filter(({ budget }) => budget.early)
  const { from } = route

  return (exchange) => {
    const { client, callerAddress, request } = exchange
    const refusal = rooms.shield.admits(client, callerAddress, request.head.userAgent, request.target.path)
    if (refusal instanceof Promise) return refusal.then((late) => late ?? ofRoute(exchange))
    return refusal ?? ofRoute(exchange)
  }

  function ofRoute(exchange: Exchange): Refusal | undefined {
    if (from?.(exchange.client) === false) return refuse('address-not-allowed')
    return spent(exchange, claimsOn(budgets, exchange), rooms)
  }
}
