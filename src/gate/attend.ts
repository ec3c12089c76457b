import { refuse } from '../kernel/error.ts'
import { schemeOf } from './challenge.ts'
import { isMachine } from './decide.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { stepUpFor } from './step-up.ts'

/** What is permitted to somebody may still want them in person, or at the door again (RFC 9470). */
export function attend(route: Route, rooms: Rooms): Stage | undefined {
  const { inPerson, stepUp } = route
  if (!inPerson && stepUp === undefined) return undefined
  return (exchange) => {
    const { principal } = exchange
    if (inPerson && (principal.actor !== undefined || principal.client !== undefined || isMachine(exchange)))
      return refuse('in-person-only')
    return stepUp === undefined ? undefined : stepUpFor(principal, stepUp, rooms.clock.now(), schemeOf(exchange))
  }
}
