import { type AskedResource, decideOn, type Grounds } from '../../authz/question.ts'
import { refusalOf, termsOf } from '../../gate/denial.ts'
import type { Passage } from '../../gate/gate.ts'
import type { Refusal } from '../../kernel/error.ts'
import { NotAllowed } from './not-allowed.ts'

/** Finds what a request is about, with its owner; nothing where it is not there. It is called for those alone who hold the permission. */
export type ResourceOf<Request> = (request: Request) => Found | Promise<Found>

type Found = AskedResource | null | undefined

/**
 * The refusal of one handler behind the gate, or nothing; with the request it is recorded as what it is. It waits only where
 * the resource does.
 */
export function guard(
  passage: Passage,
  permission: string,
  grounds: Grounds,
  resourceOf?: () => Found | Promise<Found>,
): Refusal | undefined | Promise<Refusal | undefined> {
  const refused = ask(passage, permission, grounds, undefined)
  if (refused !== undefined || resourceOf === undefined) return refused
  return whenFound()

  async function whenFound(): Promise<Refusal | undefined> {
    return ask(passage, permission, grounds, (await resourceOf?.()) ?? null)
  }
}

/** What was thrown behind the gate, where it is a refusal; it is recorded with the request. */
export function thrownRefusal(error: unknown, { exchange, plan: { rooms } }: Passage): Refusal | undefined {
  const denial = NotAllowed.denialOf(error)
  if (denial === undefined) return undefined
  exchange.decision = denial
  exchange.refusal = refusalOf(denial, exchange, rooms)
  return exchange.refusal
}

function ask(
  { exchange, plan: { rooms } }: Passage,
  permission: string,
  grounds: Grounds,
  resource: AskedResource | null | undefined,
): Refusal | undefined {
  const { principal, request, route, client, id } = exchange
  const { head, target, method } = request
  const decision = decideOn(
    {
      principal,
      action: permission,
      resource: resource && { path: target.path, ...resource },
      said: {
        action: { method },
        environment: { ip: client, host: head.host, user_agent: head.userAgent },
      },
      ofClients: termsOf(exchange, rooms),
      circumstances: { at: rooms.clock.now(), requestId: id, asker: route.name },
    },
    grounds,
  )
  exchange.decision = decision
  if (decision.effect === 'permit') return undefined
  exchange.refusal = refusalOf(decision, exchange, rooms)
  return exchange.refusal
}
