import { type Refusal, refuse } from '../kernel/error.ts'
import { attributesOf } from './attributes.ts'
import { schemeOf } from './challenge.ts'
import { refusalOf, termsOf } from './denial.ts'
import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { stepUpFor } from './step-up.ts'

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
    if (isMachine(exchange) && route.clients === 'refused')
      return refuse('first-party-only', { reason: 'a machine asked for what is a person’s own' })
    return byPolicies(exchange) ?? withStrings(exchange)
  }

  /** What the permission allows, every policy of the route has to permit as well. */
  function byPolicies(exchange: Exchange): Refusal | undefined {
    if (route.policies.length === 0) return undefined
    const attributes = attributesOf(exchange, rooms.clock.now())
    for (const { name, policy } of route.policies) {
      const { effect, because } = policy.decide(attributes)
      if (effect === 'permit') continue
      const denial = { effect, because: `policy \`${name}\`: ${because}`, lacks: { kind: 'decision' } } as const
      exchange.decision = denial
      return refusalOf(denial, exchange, rooms)
    }
    return undefined
  }

  /** What is permitted to somebody may still want them in person, or at the door again. */
  function withStrings(exchange: Exchange): Refusal | undefined {
    const { principal } = exchange
    if (route.inPerson && (principal.actor !== undefined || principal.client !== undefined || isMachine(exchange)))
      return refuse('in-person-only')
    return route.stepUp === undefined
      ? undefined
      : stepUpFor(principal, route.stepUp, rooms.clock.now(), schemeOf(exchange))
  }
}

/** Whether nobody signed in: a key, a token of a service, a signature or a certificate stands for the owner. */
function isMachine({ principal }: Exchange): boolean {
  return !('proof' in principal.credential)
}
