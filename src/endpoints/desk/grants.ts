import type { Details } from '../../audit/event.ts'
import { hold } from '../../authn/account/hold.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Asked } from '../../oauth/client-book.ts'
import { provingHosts } from '../../oauth/client-hosts.ts'
import { isDocumentId } from '../../oauth/client-id.ts'
import type { Grant } from '../../oauth/grants.ts'
import type { Database } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { IssuingRooms } from './issuing.ts'
import type { Letters } from './letters.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** What a person decides on. */
export interface Decision {
  readonly clientId: string
  readonly clientName: string
  /** Whether an operator made the client: then the decision is remembered. */
  readonly verified: boolean
  readonly asked: Asked
}

/** Something that a person has allowed, as they see it. */
export interface GrantView extends Grant {
  /** Whether an operator made the client, nobody checked it, or it is not there any more. */
  readonly client: 'verified' | 'unverified' | 'gone'
  /** The hosts that it proves itself by; none for an application on the person's own device. */
  readonly hosts: readonly string[]
  /** When the client last gave a sign of life, in milliseconds since the epoch; undefined where it is long ago. */
  readonly usedAt: number | undefined
  /** Sign-ins of the client that go on. */
  readonly sessions: number
}

/**
 * What people allow other people's clients, and take back. Each decision is written down with the event that tells of it; a
 * withdrawal ends, with it, every token that the client holds for this person.
 */
export class Consents {
  readonly #rooms: DeskRooms
  readonly #diary: Diary
  readonly #letters: Letters
  readonly #clients: IssuingRooms['clients'] | undefined

  /** `clients` is undefined where the house gives no tokens to clients. */
  constructor(rooms: DeskRooms, diary: Diary, letters: Letters, clients: IssuingRooms['clients'] | undefined) {
    this.#rooms = rooms
    this.#diary = diary
    this.#letters = letters
    this.#clients = clients
  }

  /** What the visitor has allowed, by the names of the clients. */
  async list(visitor: Visitor): Promise<readonly GrantView[]> {
    const { store, grants, sessions } = this.#rooms
    const { id: userId } = visitor.principal
    const [allowed, uses] = await Promise.all([grants.of(store.db, userId), grants.lastUses(store.db, userId)])
    return Promise.all(
      allowed.map(async (grant) => {
        const [face, families] = await Promise.all([
          this.#faceOf(grant),
          sessions.familiesOf(store.db, userId, grant.clientId),
        ])
        return { ...grant, ...face, usedAt: uses.get(grant.clientId), sessions: families.length }
      }),
    )
  }

  async allow(visitor: Visitor, decision: Decision): Promise<Refusal | undefined> {
    const { store, audit } = this.#rooms
    const refused = await store.transaction((trx) => this.allowWithin(trx, visitor, decision))
    audit.wake()
    return refused
  }

  async deny(visitor: Visitor, decision: Decision): Promise<undefined> {
    const { store, audit } = this.#rooms
    await store.transaction((trx) => this.denyWithin(trx, visitor, decision))
    audit.wake()
    return undefined
  }

  /** As `allow`, within a transaction that does more: a device is answered by it. */
  async allowWithin(trx: Database, visitor: Visitor, decision: Decision): Promise<Refusal | undefined> {
    const { grants, accounts } = this.#rooms
    const { id: userId, actor } = visitor.principal
    const { clientId, clientName, asked, verified } = decision
    if (actor !== undefined) return refuse('in-person-only')
    await hold(trx, userId)
    const account = await accounts.byId(trx, userId)
    if (account?.status !== 'active') return refuse('session-ended', { reason: 'the account is locked or gone' })
    const outcome = await grants.allow(trx, { userId, clientId, clientName, allowed: asked })
    if (isRefusal(outcome)) return outcome
    await this.#diary.consent(trx, visitor, 'client-allow', 'success', clientId, detailsOf(decision))
    // Whoever fell for somebody else's page should hear of it elsewhere, and each time: a device may be another one.
    if (!verified || asked['openid']?.includes('offline_access') === true)
      await this.#letters.news(trx, visitor, account, 'client-allowed', { client: clientName })
    return undefined
  }

  async denyWithin(trx: Database, visitor: Visitor, decision: Decision): Promise<undefined> {
    await this.#diary.consent(trx, visitor, 'client-deny', 'denied', decision.clientId, detailsOf(decision))
    return undefined
  }

  /** Takes back what the visitor has allowed. Somebody else's, or none, is not there. */
  async withdraw(visitor: Visitor, handle: string): Promise<Refusal | undefined> {
    const { store, grants, sessions, revocations, audit } = this.#rooms
    const { id: userId } = visitor.principal
    const ended = await store.transaction(async (trx) => {
      await hold(trx, userId)
      const grant = (await grants.of(trx, userId)).find((one) => one.handle === handle)
      if (grant === undefined) return undefined
      await grants.withdraw(trx, userId, grant.clientId)
      const gone = await sessions.endGrant(trx, userId, grant.clientId, 'withdrawn by the person')
      await this.#diary.consent(trx, visitor, 'client-withdraw', 'success', grant.clientId, { sessions: gone.length })
      return gone
    })
    audit.wake()
    if (ended === undefined) return refuse('not-found', { detail: 'you have allowed nothing by this name' })
    for (const id of ended) revocations.endSession(id)
    return undefined
  }

  /** Who a client is now. One that an address describes is not asked for there: to read a list reaches out to nobody. */
  async #faceOf({ clientId, clientName }: Grant): Promise<Pick<GrantView, 'clientName' | 'client' | 'hosts'>> {
    if (isDocumentId(clientId)) return { clientName, client: 'unverified', hosts: provingHosts(clientId, []) }
    const known = await this.#clients?.find(clientId)
    if (known === undefined) return { clientName, client: 'gone', hosts: [] }
    const { name, verified, metadata } = known
    return {
      clientName: name,
      client: verified ? 'verified' : 'unverified',
      hosts: provingHosts(clientId, [metadata['redirect_uris']].flat()),
    }
  }
}

function detailsOf({ asked, clientName }: Decision): Details {
  return {
    name: clientName,
    resource: Object.keys(asked)
      .filter((place) => place !== 'openid')
      .join(' '),
    scope: [...new Set(Object.values(asked).flat())].join(' '),
  }
}
