import type { AdminAction, Details } from '../../audit/event.ts'
import type { AuditLog } from '../../audit/log.ts'
import type { Clock } from '../../kernel/clock.ts'
import { durationMs } from '../../kernel/duration.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { BlockBook } from '../../shield/block-book.ts'
import type { AddressBlock, BlockCursor, BlockStore } from '../../shield/block-store.ts'
import { isWithin, networkOfAddress, networksAround, readNetwork } from '../../shield/networks.ts'
import type { Database, Store } from '../../store/database.ts'
import { isRefusal } from './guard.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface AddressRooms {
  readonly store: Store
  readonly audit: AuditLog
  readonly clock: Clock
  readonly blockStore: BlockStore
  readonly blockBook: BlockBook
}

/** Whoever blocks addresses: an administrator at the desk, or an operator at the machine. */
export interface BlockAuthor {
  readonly id: string
  /** Where they are themself; undefined at the machine, where nothing is blocked. */
  readonly address: string | undefined
  note(
    trx: Database,
    action: Extract<AdminAction, `address.${string}`>,
    network: string,
    details: Details,
  ): Promise<void>
}

/** A block as it is asked for: of an address or of a network, for a while, until a moment, or without end. */
export interface BlockDraft {
  readonly address?: string | undefined
  readonly network?: string | undefined
  readonly reason: string
  readonly duration?: string | undefined
  /** RFC 3339. */
  readonly until?: string | undefined
  readonly permanent?: true | undefined
  /** Also where whoever asks is within it. */
  readonly force: boolean
}

/** A block as operators see it. */
export interface BlockView extends Omit<AddressBlock, 'createdAt'> {
  /** Undefined for one that stands in the memory of this node alone. */
  readonly createdAt: number | undefined
}

/**
 * Addresses as operators block them and let them come again. A change holds on the next request here, and within a second on other
 * nodes. Of two who block one network the second is told that it is blocked.
 */
export class AddressAdministration {
  readonly #rooms: AddressRooms

  constructor(rooms: AddressRooms) {
    this.#rooms = rooms
  }

  page(
    limit: number,
    after: BlockCursor | undefined,
  ): Promise<{ readonly blocks: readonly BlockView[]; readonly next: BlockCursor | undefined }> {
    const { blockStore, store } = this.#rooms
    return blockStore.page(store.db, { limit, after })
  }

  /** The blocks that stand against an address. */
  async holding(address: string): Promise<readonly BlockView[]> {
    const { blockStore, blockBook, store } = this.#rooms
    const blocks = await blockStore.among(store.db, networksAround(address))
    const own = networkOfAddress(address)
    const inMemory = own === undefined || blocks.some(({ network }) => network === own) ? undefined : blockBook.own(own)
    return inMemory === undefined ? blocks : [...blocks, { ...inMemory, createdAt: undefined }]
  }

  async block(author: BlockAuthor, draft: BlockDraft): Promise<BlockView | Refusal> {
    const { store, audit, clock, blockStore } = this.#rooms
    const now = clock.now()
    const network = networkOf(draft)
    if (isRefusal(network)) return network
    const expiresAt = endOf(draft, now)
    if (expiresAt !== undefined && expiresAt <= now) return invalid('until', 'expected a time to come')
    if (!draft.force && author.address !== undefined && isWithin(author.address, network))
      return refuse('conflict', {
        detail: `\`${network}\` holds your own address, ${author.address}: say \`force\` to block it all the same`,
        errors: { force: ['your own address is within'] },
      })
    const block: AddressBlock = {
      network,
      source: 'administrator',
      reason: draft.reason,
      createdBy: author.id,
      createdAt: now,
      expiresAt,
    }
    const refused = await store.transaction(async (trx): Promise<Refusal | undefined> => {
      await blockStore.hold(trx)
      const [before] = await blockStore.among(trx, [network])
      if (before?.source === 'administrator')
        return refuse('conflict', { detail: `\`${network}\` is blocked already: lift that block first` })
      if ((await blockStore.count(trx, 'administrator')) >= blocksMax)
        return refuse('conflict', { detail: `There are ${blocksMax} blocks of administrators: lift one first` })
      await blockStore.put(trx, block)
      await author.note(trx, 'address.block', network, detailsOf(block))
      return undefined
    })
    if (refused !== undefined) return refused
    audit.wake()
    await this.#hear()
    return block
  }

  /** Lets an address or a network come again, whoever blocked it; what is blocked around it stays so. */
  async lift(author: BlockAuthor, network: string): Promise<BlockView | Refusal> {
    const { store, audit, clock, blockStore, blockBook } = this.#rooms
    const lifted = await store.transaction(async (trx): Promise<AddressBlock | undefined> => {
      let block = await blockStore.lift(trx, network)
      if (block === undefined) {
        const inMemory = blockBook.own(network)
        if (inMemory === undefined) return undefined
        block = { ...inMemory, createdAt: clock.now() }
        await blockStore.putLifted(trx, block)
      }
      await author.note(trx, 'address.lift', network, { ...detailsOf(block), blocked_by: block.createdBy })
      return block
    })
    if (lifted === undefined) return nothing
    audit.wake()
    await this.#hear()
    return lifted
  }

  /** It holds from the next request on; where it cannot be read back now, it is heard with the rest. */
  async #hear(): Promise<void> {
    const { store, blockBook } = this.#rooms
    await blockBook.hear(store.db).catch(() => undefined)
  }
}

/** An administrator, as whoever blocks addresses. */
export function blockAuthorAt(diary: Diary, visitor: Visitor): BlockAuthor {
  return {
    id: visitor.principal.id,
    address: visitor.address,
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'address' }, details),
  }
}

function networkOf({ address, network = '' }: BlockDraft): string | Refusal {
  if (address !== undefined)
    return networkOfAddress(address) ?? invalid('address', `expected an address, got \`${address}\``)
  return (
    readNetwork(network) ??
    invalid('network', `expected a network such as \`10.0.0.0/8\`, without bits behind its prefix, got \`${network}\``)
  )
}

function endOf({ duration, until }: BlockDraft, now: number): number | undefined {
  if (until !== undefined) return Date.parse(until)
  return duration === undefined ? undefined : now + (durationMs(duration) ?? 0)
}

function detailsOf({ reason, source, expiresAt }: AddressBlock): Details {
  return {
    reason,
    source,
    until: expiresAt === undefined ? 'without end' : new Date(expiresAt).toISOString(),
  }
}

function invalid(field: string, message: string): Refusal {
  return refuse('body-invalid', { detail: 'The block cannot be as described', errors: { [field]: [message] } })
}

/** All of them are held in memory, by every thread. */
const blocksMax = 10_000
const nothing = refuse('not-found', { detail: 'no block stands for this address or network' })
