import type { RevocationList } from './authn/session/revocation-list.ts'
import type { Revocations } from './authn/session/revocations.ts'
import type { Sessions } from './authn/session/sessions.ts'
import type { PolicyBook } from './authz/policy/book.ts'
import type { RoleBook } from './authz/role/book.ts'
import type { Clock } from './kernel/clock.ts'
import type { Epoch } from './kernel/epoch.ts'
import type { Keyring } from './keys/keyring.ts'
import type { Machines } from './machines.ts'
import type { Clients } from './oauth/clients.ts'
import type { BlockBook } from './shield/block-book.ts'
import type { Database, Watch } from './store/database.ts'
import type { Write } from './store/written.ts'

/** What is kept in memory of the store, and heard of when somebody else changes it. In the order in which it is heard. */
export const topics = ['roles', 'ends', 'services', 'keys', 'policies', 'signing-keys', 'clients', 'addresses'] as const

export type Topic = (typeof topics)[number]

/**
 * Which of it a statement changes. What happens all the time and says nothing new of anybody, a session that begins or a sign
 * of life of one, is not among it.
 */
export function topicOf({ kind, table, columns }: Write): Topic | undefined {
  switch (table) {
    case 'roles':
      return 'roles'
    case 'sessions':
      return kind === 'update' && columns.has('ended_at') ? 'ends' : undefined
    case 'revocations':
      return kind === 'delete' ? undefined : 'ends' // what is swept stands against nothing any more
    case 'services':
    case 'service_secrets':
      return 'services'
    case 'api_keys':
      return kind === 'insert' ? undefined : 'keys' // nobody knows a new one yet
    case 'user_roles':
      return 'keys' // keys hold what their owner holds
    case 'users':
      return kind === 'delete' || columns.has('status') ? 'keys' : undefined
    case 'policies':
      return 'policies'
    case 'signing_keys':
      return 'signing-keys'
    case 'oauth_clients':
      return kind === 'delete' || columns.has('metadata') || columns.has('disabled_at') ? 'clients' : undefined
    case 'address_blocks':
      return kind === 'delete' ? undefined : 'addresses'
    default:
      return undefined
  }
}

/** Counts what a store's statements change of it. */
export function watchBy(epoch: Epoch): Watch {
  return {
    topicOf(write) {
      const topic = topicOf(write)
      return topic === undefined ? undefined : topics.indexOf(topic)
    },
    changed: (changed) => epoch.advance(changed),
  }
}

interface HearingParts {
  readonly db: Database
  readonly clock: Clock
  readonly sessions: Sessions
  readonly revocationList: RevocationList
  readonly revocations: Revocations
  readonly machines: Machines
  readonly roleBook: RoleBook
  readonly policyBook: PolicyBook
  readonly blockBook: BlockBook
  readonly keyrings: readonly Keyring[]
  /** Those of the store; undefined where the house gives no tokens to any. */
  readonly clients: Clients | undefined
  /** From when on what ended counts, milliseconds since the epoch. */
  readonly since: number
}

/** Takes over what other threads, other nodes and commands have done. */
export class Hearing {
  readonly #parts: HearingParts
  #heardAt: number

  constructor(parts: HearingParts) {
    this.#parts = parts
    this.#heardAt = parts.since
  }

  /** What had ended before the house stood. */
  async begin(): Promise<void> {
    const now = this.#parts.clock.now()
    await this.#hearOfEnds()
    this.#heardAt = now
  }

  /**
   * All that was done since the store was last heard; and a minute before that, because clocks and commits differ. What
   * happened while the store could not be reached is heard when it can be again.
   */
  async all(): Promise<void> {
    const { clock, db, roleBook, machines, policyBook, blockBook, keyrings } = this.#parts
    const now = clock.now()
    await roleBook.hear(db) // and then of whom a change of roles ended
    await this.#hearOfEnds()
    this.#heardAt = now
    await machines.hear(db)
    await policyBook.hear(db)
    await blockBook.hear(db)
    for (const ring of keyrings) await ring.hear(db)
  }

  /** What was done about some topics, by their places in the list. */
  async some(changed: ReadonlySet<number>): Promise<void> {
    for (const [place, topic] of topics.entries()) {
      if (!changed.has(place)) continue
      if (topic === 'keys') this.#parts.machines.keyBook.distrust() // those too that are not in use, and are believed for a moment
      await this.#hear(topic)
    }
  }

  async #hear(topic: Topic): Promise<void> {
    const { db, machines, roleBook, policyBook, blockBook, keyrings, clients } = this.#parts
    switch (topic) {
      case 'roles':
        return roleBook.hear(db)
      case 'ends':
        return this.#hearOfEnds()
      case 'services':
        return machines.serviceBook.hear(db)
      case 'keys':
        return machines.keyBook.hear(db)
      case 'policies':
        return policyBook.hear(db)
      case 'signing-keys':
        for (const ring of keyrings) await ring.hear(db)
        return
      case 'addresses':
        return blockBook.hear(db)
      case 'clients':
        return clients?.distrust()
    }
  }

  async #hearOfEnds(): Promise<void> {
    const { db, sessions, revocationList, revocations } = this.#parts
    const since = this.#heardAt - overlapMs
    for (const { id, endedAt } of await sessions.endedSince(db, since)) revocations.endSession(id, endedAt)
    await revocationList.tell(db, since, revocations)
  }
}

const overlapMs = 60_000
