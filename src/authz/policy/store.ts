import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { PoliciesTable } from '../../store/schema.ts'
import { VersionRow } from '../../store/version-row.ts'

/** What administrators wrote of one policy. */
export interface StoredPolicy {
  readonly name: string
  readonly document: StoredText | undefined
  readonly trial: StoredText | undefined
}

export interface StoredText {
  /** JSON as it was given. */
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

/**
 * Documents of policies in the store. Whoever changes one takes turns, over all nodes, and leaves another version behind.
 */
export class PolicyStore {
  readonly #clock: Clock
  readonly #version: VersionRow

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#version = new VersionRow('policies-version', { clock, random })
  }

  /** Another text after every change; '' before the first. */
  version(db: Database): Promise<string> {
    return this.#version.read(db)
  }

  /** All of them, those that no configuration names any more included. */
  async all(db: Database): Promise<readonly StoredPolicy[]> {
    const rows = await db.selectFrom('policies').selectAll().orderBy('name').execute()
    return rows.map(storedOf)
  }

  /** One of them; one that nobody wrote has neither a document nor a trial. */
  async read(db: Database, name: string): Promise<StoredPolicy> {
    const row = await db.selectFrom('policies').selectAll().where('name', '=', name).executeTakeFirst()
    return row === undefined ? { name, document: undefined, trial: undefined } : storedOf(row)
  }

  /**
   * Begins a change: whoever comes second waits until the first is done, and finds what it left. To be called first in each
   * transaction that changes policies.
   */
  takeTurns(trx: Database): Promise<void> {
    return this.#version.renew(trx)
  }

  /** Writes the document of the day down, or takes it away. */
  setDocument(trx: Database, name: string, text: string | undefined): Promise<void> {
    return this.#set(trx, name, { document: text ?? null, document_at: text === undefined ? null : this.#clock.now() })
  }

  /** Writes the document down that is tried out, or takes it away. */
  setTrial(trx: Database, name: string, text: string | undefined): Promise<void> {
    return this.#set(trx, name, { trial: text ?? null, trial_at: text === undefined ? null : this.#clock.now() })
  }

  async #set(trx: Database, name: string, columns: Partial<Omit<PoliciesTable, 'name'>>): Promise<void> {
    const empty = { document: null, document_at: null, trial: null, trial_at: null }
    await trx
      .insertInto('policies')
      .values({ ...empty, ...columns, name })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
      .execute()
    await trx
      .deleteFrom('policies')
      .where('name', '=', name)
      .where('document', 'is', null)
      .where('trial', 'is', null)
      .execute()
  }
}

function storedOf({ name, document, document_at, trial, trial_at }: PoliciesTable): StoredPolicy {
  const text = (said: string | null, at: number | null): StoredText | undefined =>
    said === null ? undefined : { text: said, since: at ?? 0 }
  return { name, document: text(document, document_at), trial: text(trial, trial_at) }
}
