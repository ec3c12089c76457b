import { anonymous } from '../authn/principal.ts'
import { refuse } from '../kernel/error.ts'
import { abreast } from './abreast.ts'
import { decide } from './decide.ts'
import type { Exchange, Refusal, Stage } from './exchange.ts'
import { identify } from './identify.ts'
import { judge } from './judge.ts'
import { type Outcome, pass, settled } from './pass.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { stillSigned } from './signed.ts'
import { passOverBody } from './whole-body.ts'

/**
 * A body takes as long as its sender likes. Whoever was let in before it has to be let in still, by the roles and policies of
 * now: else an administrator could keep requests in hand, begun and not ended, against the day when they are none any more.
 */
export function recheck(route: Route, rooms: Rooms): Stage | undefined {
  if (route.body === undefined && route.signature === undefined && route.inspection.inspector === undefined)
    return undefined
  const again = stillIn(route, rooms)
  // What nobody waited for was found out a moment ago.
  return (exchange) => {
    if (!exchange.awaited) return undefined
    const outcome = again(exchange)
    return outcome instanceof Promise ? outcome.then(unread) : unread(outcome)

    function unread(refused: Refusal | undefined): Refusal | undefined {
      if (refused !== undefined) passOverBody(exchange)
      return refused
    }
  }
}

/**
 * Asks of an exchange that goes on, a WebSocket, whether it would be let in now as well: by its credential, its roles and the
 * policies. Whose a thing is, is not asked again. It always answers: where nobody can say, that is a refusal.
 */
export function vigil(route: Route, rooms: Rooms): ((exchange: Exchange) => Outcome) | undefined {
  if (!route.websocket) return undefined
  const again = stillIn(route, rooms)
  // The upstream took them for somebody when it opened, and it does so still.
  const somebody: Stage = ({ principal }) =>
    principal.type === 'anonymous' ? refuse('credentials-required') : undefined
  return (exchange) =>
    settled(exchange.principal.type === 'anonymous' ? [again] : [again, somebody], exchange, rooms.log)
}

/** Who is there now, and whether they may come in. On a public route somebody may have become nobody, and goes on. */
function stillIn(route: Route, rooms: Rooms): Stage {
  const again = identify(route, rooms, { again: true })
  const stages: readonly (Stage | undefined)[] =
    route.access.to === 'public'
      ? [abreast(route, rooms), anew, stillSigned(route, rooms)]
      : [
          abreast(route, rooms),
          again,
          stillSigned(route, rooms),
          decide(route, rooms),
          judge(route, rooms, { quietly: true }),
        ]
  const needed = stages.filter((stage) => stage !== undefined)

  return (exchange) => {
    const { decision } = exchange
    const outcome = pass(needed, exchange)
    return outcome instanceof Promise ? outcome.then(keep) : keep(outcome)

    /** By what they were let in is what the record says, and not that it holds still. */
    function keep(refused: Refusal | undefined): Refusal | undefined {
      if (refused === undefined) exchange.decision = decision
      return refused
    }
  }

  function anew(exchange: Exchange): Outcome {
    const { type, credential } = exchange.principal
    if (type === 'anonymous' || credential.kind === 'signature') return undefined
    exchange.principal = anonymous
    return again(exchange)
  }
}
