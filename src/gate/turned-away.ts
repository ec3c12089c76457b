import { catalogue } from '../kernel/error.ts'
import { claimsOn } from './budgets.ts'
import type { RouteDraft } from './draft.ts'
import type { Exchange, Refusal, Stage } from './exchange.ts'
import { take } from './limited.ts'
import type { Rooms } from './rooms.ts'

/**
 * Whoever is turned away by a stage is counted by address: with what the route takes of addresses, and with what is wasted on
 * credentials that are missing or wrong. Whoever wasted too much is told so, and nothing about the credential.
 */
export function counted<Draft extends RouteDraft>(
  make: (route: Draft, rooms: Rooms) => Stage | undefined,
): (route: Draft, rooms: Rooms) => Stage | undefined {
  return (route, rooms) => {
    const stage = make(route, rooms)
    const { strangers } = rooms
    const budgets = route.limits.filter(({ budget }) => budget.early)
    if (strangers !== undefined && !budgets.some(({ budget }) => budget === strangers))
      budgets.push({ budget: strangers, cost: 1 })
    if (stage === undefined || budgets.length === 0) return stage

    return (exchange) => {
      const outcome = stage(exchange)
      if (outcome === undefined) return undefined
      return outcome instanceof Promise
        ? outcome.then((refusal) => refusal && count(exchange, refusal))
        : count(exchange, outcome)
    }

    function count(exchange: Exchange, refusal: Refusal): Refusal | Promise<Refusal> {
      if (catalogue[refusal.code].status >= 499) return refusal // nobody's fault, or nobody there any more
      const flood = take(exchange, claimsOn(budgets, exchange), rooms)
      return flood instanceof Promise ? flood.then((late) => late ?? refusal) : (flood ?? refusal)
    }
  }
}
