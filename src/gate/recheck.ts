import { decide } from './decide.ts'
import type { Stage } from './exchange.ts'
import { identify } from './identify.ts'
import { judge } from './judge.ts'
import { pass } from './pass.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * A body takes as long as its sender likes. Whoever was let in before it has to be let in still, by the roles and policies of
 * now: else an administrator could keep requests in hand, begun and not ended, against the day when they are none any more.
 */
export function recheck(route: Route, rooms: Rooms): Stage | undefined {
  if (route.body === undefined || route.access.to === 'public') return undefined
  const again = identify(route, rooms, { again: true })
  const stages = [decide(route, rooms), judge(route, rooms, { quietly: true })]

  return (exchange) => {
    const { principal } = exchange
    const outcome = again(exchange)
    return outcome instanceof Promise ? outcome.then(settle) : settle(outcome)

    function settle(refused: Awaited<ReturnType<Stage>>): ReturnType<Stage> {
      // The same principal is who it was a moment ago, by the same roles; its policies were asked then.
      if (refused !== undefined || exchange.principal === principal) return refused
      for (const stage of stages) {
        const late = stage?.(exchange)
        if (late !== undefined) return late
      }
      return undefined
    }
  }
}

/**
 * Asks of an exchange that goes on, a WebSocket, whether it would be let in now as well: by its credential, its roles and the
 * policies. Whose a thing is, is not asked again.
 */
export function vigil(route: Route, rooms: Rooms): Stage | undefined {
  if (!route.websocket || route.access.to === 'public') return undefined
  const stages = [
    identify(route, rooms, { again: true }),
    decide(route, rooms),
    judge(route, rooms, { quietly: true }) ?? ((): undefined => undefined),
  ]
  return (exchange) => pass(stages, exchange)
}
