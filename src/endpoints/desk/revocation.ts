import type { AuditEvent } from '../../audit/event.ts'
import { heed, type Revocable, type TakenBack, takeBack } from '../../authn/session/taking-back.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { DeskRooms } from './rooms.ts'
import type { Visitor } from './visitor.ts'

/** What an operator ends, whosever it is: a token, a session, everything of a person or a client, or everything there is. */
export class Revocation {
  readonly #rooms: DeskRooms

  constructor(rooms: DeskRooms) {
    this.#rooms = rooms
  }

  /** Holds here on the next request, and on other nodes within a second. */
  async revoke(visitor: Visitor, what: Revocable): Promise<TakenBack | Refusal> {
    const { store, accounts, revocations, audit } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      if (what.kind === 'user' && (await accounts.byId(trx, what.id)) === undefined)
        return refuse('not-found', { detail: 'no account has this id' })
      const taken = await takeBack(trx, this.#rooms, what)
      if (!isRefusal(taken)) await this.#note(trx, visitor, taken)
      return taken
    })
    audit.wake()
    if (!isRefusal(outcome)) heed(revocations, outcome)
    return outcome
  }

  #note(trx: Database, visitor: Visitor, { resource, sessionCount }: TakenBack): Promise<void> {
    const event: AuditEvent = {
      action: 'token.revoke',
      actor: { id: visitor.principal.id, type: 'user' },
      address: visitor.address,
      at: visitor.at,
      details: { sessions: sessionCount },
      id: uuidv7(visitor.at, this.#rooms.random),
      request_id: visitor.requestId,
      resource,
      result: 'success',
      type: 'admin_action',
      user_agent: visitor.userAgent,
      v: 1,
    }
    return this.#rooms.audit.enroll(trx, event)
  }
}
