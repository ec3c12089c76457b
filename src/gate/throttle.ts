import type { OwnLimit } from '../authn/holder.ts'
import type { Principal } from '../authn/principal.ts'
import type { Limit } from '../limits/limiter.ts'
import { tighter, tightest } from '../limits/tightest.ts'
import type { Stage } from './exchange.ts'
import { limited } from './limited.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Limits of the caller: by principal where one is known, else by address (TR6); and the limit that a credential brings. */
export function throttle(route: Route, rooms: Rooms): Stage | undefined {
  if (rooms.strangers === undefined) return undefined // all limits are off
  const limits = route.limits.filter(({ by }) => by === 'caller').map(({ limit }) => limit)
  return (exchange) => {
    const { principal } = exchange
    for (let own = principal.limit; own !== undefined; own = own.within) {
      // Taken first: what a credential may not any more is no use of what its owner may.
      const allowance = rooms.limiter.take(ownKeyOf(own, principal), limitOf(own), 1)
      exchange.allowance = tighter(exchange.allowance, allowance)
      if (!allowance.allowed) return limited(allowance)
    }
    if (limits.length === 0) return undefined
    const allowance = tightest(rooms.limiter, limits, keyOf(principal, exchange.callerAddress))
    exchange.allowance = tighter(exchange.allowance, allowance)
    return limited(allowance)
  }
}

/** No name that somebody chose is read as the id of somebody else, or as an address. */
function keyOf({ type, id, client }: Principal, address: string): string {
  if (type === 'anonymous') return address
  return type === 'service' && client !== id ? `service:${id}` : id
}

/** The keys of a family count together, and so does all that a service shows. */
function ownKeyOf({ by }: OwnLimit, { id }: Principal): string {
  return by === undefined ? `service ${id}` : `key ${by}`
}

const compiled = new WeakMap<object, Limit>()

function limitOf(own: OwnLimit): Limit {
  let limit = compiled.get(own)
  if (limit === undefined) {
    limit = { name: 'own', limit: own.limit, windowMs: own.windowMs, burst: own.limit }
    compiled.set(own, limit)
  }
  return limit
}
