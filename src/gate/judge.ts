import { judge as ask } from '../authz/policy/named.ts'
import { attributesOf } from './attributes.ts'
import { refusalOf } from './denial.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/** What the permission allows, every policy of the route has to permit as well. */
export function judge(route: Route, rooms: Rooms): Stage | undefined {
  const { policies, name } = route
  if (policies.length === 0) return undefined
  return (exchange) => {
    const at = rooms.clock.now()
    const attributes = attributesOf(exchange, at)
    const circumstances = { at, requestId: exchange.id, asker: name }
    for (const policy of policies) {
      const { effect, because } = ask(policy, attributes, circumstances)
      const told = `policy \`${policy.name}\`: ${because}`
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
