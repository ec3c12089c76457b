import { refuse } from '../kernel/error.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Where nothing is to happen that nobody remembers, refuses while nothing can be. What says how the house is doing goes on. */
export function remembered(route: Route, rooms: Rooms): Stage | undefined {
  if (rooms.unremembered === 'serve' || route.whileDraining) return undefined
  const refusal = refuse('record-unavailable', { retryAfterMs: 5_000, reason: 'nothing is to happen unremembered' })
  return () => (rooms.audit.ready ? undefined : refusal)
}
