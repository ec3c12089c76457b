import { refuse } from '../kernel/error.ts'
import { refusalOf, termsOf } from './denial.ts'
import type { Exchange, Stage } from './exchange.ts'
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
    const decision = rooms.decisions.decide({
      principal: exchange.principal,
      permission,
      ofClients: termsOf(exchange, rooms),
    })
    exchange.decision = decision
    if (decision.effect !== 'permit') return refusalOf(decision, exchange, rooms)
    return isMachine(exchange) && route.clients === 'refused'
      ? refuse('first-party-only', { reason: 'a machine asked for what is a person’s own' })
      : undefined
  }
}

/** Whether nobody signed in: a key, a token of a service, a signature or a certificate stands for the owner. */
export function isMachine({ principal }: Exchange): boolean {
  return !('proof' in principal.credential)
}
