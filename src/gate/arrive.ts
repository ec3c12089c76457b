import { refuse } from '../kernel/error.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Refuses what is malformed, too large by its own word, or has been here before. */
export function arrive(route: Route, rooms: Rooms): Stage {
  return (exchange) => {
    const { head } = exchange.request
    if (head.problem !== undefined) return head.problem
    if (head.expect !== undefined && head.expect !== '100-continue') return refuse('expectation-failed')
    if (head.via?.includes(rooms.via) === true) return refuse('loop-detected')
    if (head.contentLength !== undefined && head.contentLength > route.bodyBytesMax) {
      return refuse('content-too-large', {
        detail: `the body may hold ${route.bodyBytesMax} bytes, and ${head.contentLength} were announced`,
      })
    }
    return undefined
  }
}
