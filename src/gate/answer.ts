import type { Outbound } from '../http/message.ts'
import type { Refusal } from '../kernel/error.ts'
import type { RouteDraft } from './draft.ts'
import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'

/** Asks one of our own endpoints. Insists on a permit. */
export function answer(route: RouteDraft, _rooms: Rooms): Stage {
  const { answerer, name } = route
  if (answerer === undefined) throw new Error(`route \`${name}\` has no endpoint to answer it`)
  return (exchange) => {
    if (exchange.decision.effect !== 'permit') throw new Error(`\`${name}\` was reached without a permit`)
    const outcome = answerer(exchange)
    return outcome instanceof Promise ? outcome.then((late) => settle(exchange, late)) : settle(exchange, outcome)
  }
}

function settle(exchange: Exchange, outcome: Outbound | Refusal): Refusal | undefined {
  if ('code' in outcome) return outcome
  exchange.answer = outcome
  return undefined
}
