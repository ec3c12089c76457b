import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Refuses what is too much for us, or for the upstream of the route, before it has cost anything: nobody is identified, nothing is
 * read. What says how the house is doing is asked about it most when it is doing badly, and is never refused.
 */
export function shed(route: Route, rooms: Rooms): Stage | undefined {
  const { shedder } = rooms
  if (shedder === undefined || route.whileDraining) return undefined
  const { priority, upstream } = route
  const load = upstream && shedder.upstream(upstream.name)
  const usual = load?.usual(route.name)

  return (exchange) => {
    if (shedder.refuses(priority, exchange.startedAt) && !isExempt(exchange, rooms))
      return shedder.refusal(undefined, exchange.startedAt)
    if (load === undefined || usual === undefined) return undefined
    exchange.place = load.admit(usual, priority, exchange.callerAddress, exchange.startedAt)
    if (exchange.place !== undefined) return undefined
    if (!isExempt(exchange, rooms)) return shedder.refusal(upstream?.name, exchange.startedAt)
    exchange.place = load.admitAnyway(usual, exchange.callerAddress, exchange.startedAt)
    return undefined
  }
}

/** Asked of those alone who would be refused. */
function isExempt({ client, request }: Exchange, rooms: Rooms): boolean {
  return rooms.shield.exempts(client, request.target.path)
}
