import { claimsOn, ownClaims } from './budgets.ts'
import type { Stage } from './exchange.ts'
import { take } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Takes what the request costs from all that it draws on, at once: of the address, of the caller (TR6), of the credential. Where one
 * of them is spent nothing is taken from any, so that a caller who is refused uses up no room of others.
 */
export function throttle(route: Route, rooms: Rooms): Stage | undefined {
  if (!rooms.counting) return undefined
  const { limits } = route
  return (exchange) => {
    const claims = claimsOn(limits, exchange)
    if (exchange.principal.limit !== undefined) claims.push(...ownClaims(exchange.principal, rooms.whenDown))
    return take(exchange, claims, rooms)
  }
}
