import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../store/database.ts'
import type { AddressBlocksTable } from '../store/schema.ts'

/** An address or a network that may not come. */
export interface AddressBlock {
  /** CIDR in its one spelling: what a block is known by, since a network has one at most. */
  readonly network: string
  readonly source: AddressBlocksTable['source']
  /** Shown to whoever is blocked. */
  readonly reason: string
  /** The account; `operator` at the machine, `gatehouse` for the house itself. */
  readonly createdBy: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Undefined: it has no end. */
  readonly expiresAt: number | undefined
}

/** A block as another node left it. */
export interface BlockChange extends AddressBlock {
  readonly position: number
  readonly lifted: boolean
}

/** A place in the list of blocks. */
export interface BlockCursor {
  readonly createdAt: number
  /** The network. */
  readonly id: string
}

/**
 * The blocks of the store. Whoever changes them takes turns over all nodes and counts on by one for each row, so that who has read
 * up to a position has missed nothing before it.
 */
export class BlockStore {
  readonly #clock: Clock

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** How many changes there were. */
  async position(db: Database): Promise<number> {
    const row = await db.selectFrom('house').select('value').where('name', '=', counter).executeTakeFirst()
    return row === undefined ? 0 : Number(row.value)
  }

  /** What was changed after a position, in order, so many at most. */
  async changes(db: Database, after: number, limit: number): Promise<readonly BlockChange[]> {
    const rows = await db
      .selectFrom('address_blocks')
      .selectAll()
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...blockOf(row), position: row.position, lifted: row.lifted_at !== null }))
  }

  /** The blocks of administrators that stand. */
  async byAdministrators(db: Database): Promise<readonly AddressBlock[]> {
    const rows = await this.#standing(db).where('source', '=', 'administrator').execute()
    return rows.map(blockOf)
  }

  /** The blocks that stand, oldest first. */
  async page(
    db: Database,
    { limit, after }: { readonly limit: number; readonly after: BlockCursor | undefined },
  ): Promise<{ readonly blocks: readonly AddressBlock[]; readonly next: BlockCursor | undefined }> {
    const rows = await this.#standing(db)
      .$if(after !== undefined, (query) =>
        query.where((is) =>
          is.or([
            is('created_at', '>', after?.createdAt ?? 0),
            is.and([is('created_at', '=', after?.createdAt ?? 0), is('network', '>', after?.id ?? '')]),
          ]),
        ),
      )
      .orderBy('created_at')
      .orderBy('network')
      .limit(limit + 1)
      .execute()
    const shown = rows.slice(0, limit).map(blockOf)
    const last = shown.at(-1)
    return {
      blocks: shown,
      next: rows.length > limit && last !== undefined ? { createdAt: last.createdAt, id: last.network } : undefined,
    }
  }

  /** Those of these networks that are blocked. */
  async among(db: Database, networks: readonly string[]): Promise<readonly AddressBlock[]> {
    if (networks.length === 0) return []
    const rows = await this.#standing(db).where('network', 'in', networks).orderBy('created_at').execute()
    return rows.map(blockOf)
  }

  async count(db: Database, source: AddressBlock['source']): Promise<number> {
    const { total } = await this.#standing(db)
      .clearSelect()
      .select(({ fn }) => fn.countAll<number | string>().as('total'))
      .where('source', '=', source)
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** How many rows there are, also of what is over. */
  async rows(db: Database): Promise<number> {
    const { total } = await db
      .selectFrom('address_blocks')
      .select(({ fn }) => fn.countAll<number | string>().as('total'))
      .executeTakeFirstOrThrow()
    return Number(total)
  }

  /** Begins a change: whoever comes second waits until the first is done, and finds what it left. */
  async hold(trx: Database): Promise<void> {
    await this.#advance(trx, 0)
  }

  /** Writes a block down, in place of whatever was known of its network. The transaction holds the blocks. */
  async put(trx: Database, block: AddressBlock): Promise<void> {
    const last = await this.#advance(trx, 1)
    const row = rowOf(block, last)
    await trx
      .insertInto('address_blocks')
      .values(row)
      .onConflict((conflict) => conflict.column('network').doUpdateSet(row))
      .execute()
  }

  /**
   * Writes down what the house blocked by itself; what somebody else has blocked for as long, or an administrator meanwhile
   * blocked or lifted, stays as it is. Answers the blocks that were news. No network stands in the list twice.
   */
  async putAll(trx: Database, blocks: readonly AddressBlock[]): Promise<readonly AddressBlock[]> {
    if (blocks.length === 0) return []
    const last = await this.#advance(trx, blocks.length)
    const written = await trx
      .insertInto('address_blocks')
      .values(blocks.map((block, index) => rowOf(block, last - blocks.length + index + 1)))
      .onConflict((conflict) =>
        conflict
          .column('network')
          .doUpdateSet((row) => ({
            source: row.ref('excluded.source'),
            reason: row.ref('excluded.reason'),
            created_by: row.ref('excluded.created_by'),
            created_at: row.ref('excluded.created_at'),
            expires_at: row.ref('excluded.expires_at'),
            lifted_at: null,
            position: row.ref('excluded.position'),
          }))
          .where((is) =>
            is.or([
              is('address_blocks.lifted_at', '<', is.ref('excluded.created_at')),
              is.and([
                is('address_blocks.lifted_at', 'is', null),
                is('address_blocks.expires_at', '<=', is.ref('excluded.created_at')),
              ]),
              is.and([
                is('address_blocks.lifted_at', 'is', null),
                is('address_blocks.source', '=', 'rate'),
                is('address_blocks.expires_at', '<', is.ref('excluded.expires_at')),
              ]),
            ]),
          ),
      )
      .returning('network')
      .execute()
    const news = new Set(written.map(({ network }) => network))
    return blocks.filter(({ network }) => news.has(network))
  }

  /** Ends a block before its time. Answers it, where one stood. */
  async lift(trx: Database, network: string): Promise<AddressBlock | undefined> {
    const last = await this.#advance(trx, 1)
    const now = this.#clock.now()
    const row = await trx
      .updateTable('address_blocks')
      .set({ lifted_at: now, position: last })
      .where('network', '=', network)
      .where('lifted_at', 'is', null)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
      .returningAll()
      .executeTakeFirst()
    return row === undefined ? undefined : blockOf(row)
  }

  /** Writes down that a block was lifted that no row told of, so that every node that has it in memory hears. */
  async putLifted(trx: Database, block: AddressBlock): Promise<void> {
    const last = await this.#advance(trx, 1)
    const row = { ...rowOf(block, last), lifted_at: this.#clock.now() }
    await trx
      .insertInto('address_blocks')
      .values(row)
      .onConflict((conflict) => conflict.column('network').doUpdateSet(row))
      .execute()
  }

  /**
   * Forgets what ended before a moment. A block of the house that was lifted is kept until its own end: a node that could not hear
   * for hours has it in memory still.
   */
  async sweep(db: Database, before: number): Promise<void> {
    await db
      .deleteFrom('address_blocks')
      .where((is) =>
        is.or([
          is('expires_at', '<', before),
          is.and([is('source', '=', 'administrator'), is('lifted_at', '<', before)]),
        ]),
      )
      .execute()
  }

  #standing(db: Database) {
    const now = this.#clock.now()
    return db
      .selectFrom('address_blocks')
      .selectAll()
      .where('lifted_at', 'is', null)
      .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
  }

  /** Counts on, and holds the count until the transaction ends. Answers the last position. */
  async #advance(trx: Database, by: number): Promise<number> {
    const { value } = await trx
      .insertInto('house')
      .values({ name: counter, value: String(by) })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ value: sql<string>`cast(cast(house.value as bigint) + ${by} as text)` }),
      )
      .returning('value')
      .executeTakeFirstOrThrow()
    return Number(value)
  }
}

const counter = 'address-blocks-position'

function blockOf(row: AddressBlocksTable): AddressBlock {
  const { network, source, reason, created_by, created_at, expires_at } = row
  return {
    network,
    source,
    reason,
    createdBy: created_by,
    createdAt: created_at,
    expiresAt: expires_at ?? undefined,
  }
}

function rowOf({ network, source, reason, createdBy, createdAt, expiresAt }: AddressBlock, position: number) {
  return {
    network,
    source,
    reason,
    created_by: createdBy,
    created_at: createdAt,
    expires_at: expiresAt ?? null,
    lifted_at: null,
    position,
  } satisfies AddressBlocksTable
}
