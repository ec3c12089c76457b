import { refuse } from '../kernel/error.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** Turns `undecided` into a decision. It stands before `inspect`: no body is read for someone who may not. */
export function decide(route: Route, rooms: Rooms): Stage {
  const { access } = route
  if (access.to === 'public') {
    const open = { effect: 'permit', because: 'the route is public' } as const
    return (exchange) => {
      exchange.decision = open
      return undefined
    }
  }
  const permission = access.to === 'permission' ? access.permission : undefined
  return (exchange) => {
    const decision = rooms.decisions.decide({ principal: exchange.principal, permission })
    exchange.decision = decision
    if (decision.effect === 'permit') return undefined
    return refuse('permission-required', {
      detail: decision.missing === undefined ? 'Not allowed' : `Permission '${decision.missing}' required`,
      reason: decision.because,
    })
  }
}
