import { judge as ask } from '../authz/policy/named.ts'
import { attributesOf } from './attributes.ts'
import { refusalOf } from './denial.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * What the permission allows, every policy of the route has to permit as well. `quietly`: of somebody who was let in before;
 * no trial counts it, and no recording keeps it.
 */
export function judge(route: Route, rooms: Rooms, { quietly = false } = {}): Stage | undefined {
  const { policies, name, owner } = route
  if (policies.length === 0) return undefined
  return (exchange) => {
    const at = rooms.clock.now()
    const attributes = attributesOf(exchange, at)
    const circumstances = { at, requestId: exchange.id, asker: name }
    // Whose it is was said before, and belongs to what decided.
    const before = owner === undefined ? '' : `${exchange.decision.because}; `
    for (const policy of policies) {
      const { effect, because } = quietly ? policy.policy.decide(attributes) : ask(policy, attributes, circumstances)
      const told = `${before}policy \`${policy.name}\`: ${because}`
      if (effect === 'permit') {
        exchange.decision = { effect, because: told }
        continue
      }
      const denial = { effect, because: told, lacks: { kind: 'decision' } } as const
      exchange.decision = denial
      return refusalOf(denial, exchange, rooms)
    }
    return undefined
  }
}
