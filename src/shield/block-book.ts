import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/id.ts'
import { parseCidr } from '../kernel/ip.ts'
import type { Log } from '../kernel/log.ts'
import type { Database, Store } from '../store/database.ts'
import { type BlockMemory, BlockTable } from './block-memory.ts'
import type { AddressBlock, BlockStore } from './block-store.ts'
import { NetworkTable } from './network-table.ts'
import { keyOfNetwork, networkOfAddress } from './networks.ts'

/** A block that stands, as whoever is blocked is told of it. */
export interface StandingBlock extends Pick<AddressBlock, 'source' | 'reason'> {
  /** Milliseconds since the epoch; undefined: it has no end. */
  readonly until: number | undefined
}

/** Writes down in the transaction of the blocks that the house has blocked them. */
export type NoteBlocks = (trx: Database, blocks: readonly AddressBlock[]) => Promise<void>

interface BlockBookParts {
  readonly store: BlockStore
  readonly memory: BlockMemory
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Blocks that the store has for the house to add to; what is over stands in memory alone. */
  readonly rowsMax?: number
  /** Blocks that wait to be written at most, likewise. */
  readonly waitingMax?: number
}

/**
 * The blocks of the day, in memory: asked on the way of a request, and never waited for. What the house blocks by itself stands in
 * the memory of all threads at once, and in the store a quarter of a second later; what other nodes and administrators do is heard
 * from there. Where the store cannot be reached, blocks go on as they were heard, and end by themselves.
 */
export class BlockBook {
  readonly #store: BlockStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #seed: number
  readonly #rowsMax: number
  readonly #waitingMax: number
  readonly #table: BlockTable
  /** Those of administrators, by number: an address alone is a network too. */
  #blocks: readonly AddressBlock[] = []
  #networks: NetworkTable
  /** What the house has blocked and nobody has written down yet, by network. */
  readonly #waiting = new Map<string, AddressBlock>()
  #position: number | undefined
  #heardAt = 0
  /** Blocks in the store, ended ones that it keeps included, as they were counted last, and those that were added here since. */
  #rows: number | undefined
  #unwritten = 0
  #turn: Promise<void> = Promise.resolve()

  constructor({ store, memory, clock, random, log, rowsMax = 100_000, waitingMax = 10_000 }: BlockBookParts) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#rowsMax = rowsMax
    this.#waitingMax = waitingMax
    this.#table = new BlockTable(memory)
    this.#seed = new DataView(random.bytes(4).buffer).getUint32(0)
    this.#networks = new NetworkTable(this.#seed)
  }

  /** Blocks that had to make way in a full memory. */
  get displaced(): number {
    return this.#table.displaced
  }

  /** The block that an address is under, of several the one that ends last. `key` is what a limit counts it by (`limitKey`). */
  standing(address: string, key: string): StandingBlock | undefined {
    const now = this.#clock.now()
    const until = this.#table.until(key) * 1000
    const own = until > now ? { source: 'rate' as const, reason: tooOften, until } : undefined
    if (this.#networks.size === 0) return own
    let last: StandingBlock | undefined = own
    for (const at of this.#networks.valuesAt(address)) {
      const { source, reason, expiresAt } = this.#blocks[at] as AddressBlock
      if (expiresAt !== undefined && (expiresAt <= now || expiresAt < (last?.until ?? 0))) continue
      last = { source, reason, until: expiresAt }
      if (expiresAt === undefined) break
    }
    return last
  }

  /** The block of the house that stands in memory for a network, whether or not it is in the store. */
  own(network: string): Omit<AddressBlock, 'createdAt'> | undefined {
    const key = keyOfNetwork(network)
    const expiresAt = key === undefined ? 0 : this.#table.until(key) * 1000
    return expiresAt > this.#clock.now()
      ? { network, source: 'rate', reason: tooOften, createdBy: 'gatehouse', expiresAt }
      : undefined
  }

  /**
   * Blocks an address that asked too often, from this moment on. Undefined where there is nobody to block: an address that could
   * not be read stands for many.
   */
  block(address: string, key: string, reason: string, forMs: number): StandingBlock | undefined {
    const network = networkOfAddress(address)
    if (network === undefined) return undefined
    const now = this.#clock.now()
    const until = Math.ceil((now + forMs) / 1000)
    this.#table.put(key, until, Math.floor(now / 1000))
    const expiresAt = until * 1000
    if (this.#waiting.size < this.#waitingMax || this.#waiting.has(network))
      this.#waiting.set(network, {
        network,
        source: 'rate',
        reason,
        createdBy: 'gatehouse',
        createdAt: now,
        expiresAt,
      })
    else this.#unwritten++
    return { source: 'rate', reason: tooOften, until: expiresAt }
  }

  /** Takes over what has changed in the store. While nothing has, it is one query by key. */
  hear(db: Database): Promise<void> {
    const turn = this.#turn.then(() => this.#hear(db))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /**
   * Writes down what was blocked since the last time, some at a time so that requests come in between. What cannot be written
   * waits for the next time.
   */
  async flush(store: Store, note: NoteBlocks): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values().take(atOnce)]
      for (const { network } of batch) this.#waiting.delete(network)
      try {
        await this.#write(store, batch, note)
      } catch (error) {
        for (const block of batch) {
          if (this.#waiting.has(block.network)) continue
          if (this.#waiting.size < this.#waitingMax) this.#waiting.set(block.network, block)
          else this.#unwritten++
        }
        throw error
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Forgets blocks that ended long ago: once for the house. */
  sweep(db: Database): Promise<void> {
    return this.#store.sweep(db, this.#clock.now() - keptMs)
  }

  /** Counts the rows of the store, and tells of what found no room there: to be done by every thread that blocks. */
  async recount(db: Database): Promise<void> {
    this.#rows = await this.#store.rows(db)
    if (this.#unwritten === 0) return
    this.#log.warn(
      { blocks: this.#unwritten },
      'addresses are blocked in the memory of this node alone: more of them than the store takes',
    )
    this.#unwritten = 0
  }

  async #write(store: Store, batch: readonly AddressBlock[], note: NoteBlocks): Promise<void> {
    this.#rows ??= await this.#store.rows(store.db)
    const fitting = batch.slice(0, Math.max(0, this.#rowsMax - this.#rows))
    this.#unwritten += batch.length - fitting.length
    if (fitting.length === 0) return
    const news = await store.transaction(async (trx) => {
      const written = await this.#store.putAll(trx, fitting)
      if (written.length > 0) await note(trx, written)
      return written.length
    })
    this.#rows += news
  }

  async #hear(db: Database): Promise<void> {
    const now = this.#clock.now()
    // Read before the rest: what changes meanwhile has a later position, and is read the next time.
    const position = await this.#store.position(db)
    const known = this.#position
    const lapsed = now - this.#heardAt > lapseMs
    if (known === undefined || position < known || lapsed) await this.#readAll(db)
    // After a lapse too: that a block was lifted is not among what stands.
    if (known !== undefined && position > known) await this.#readChanges(db, known)
    this.#position = position
    this.#heardAt = now
  }

  async #readAll(db: Database): Promise<void> {
    let after: Parameters<BlockStore['page']>[1]['after']
    do {
      const { blocks, next } = await this.#store.page(db, { limit: rowsAtOnce, after })
      for (const block of blocks) this.#take(block, false)
      after = next
    } while (after !== undefined)
    await this.#readAdministrators(db)
  }

  async #readChanges(db: Database, known: number): Promise<void> {
    let after: number | undefined = known
    let byAdministrators = false
    do {
      const changes = await this.#store.changes(db, after, rowsAtOnce)
      for (const change of changes) {
        this.#take(change, change.lifted)
        byAdministrators ||= change.source === 'administrator'
      }
      after = changes.length < rowsAtOnce ? undefined : changes.at(-1)?.position
    } while (after !== undefined)
    if (byAdministrators) await this.#readAdministrators(db)
  }

  /** What the memory of addresses has to know of a block: where an administrator says something, that is what counts. */
  #take({ network, source, expiresAt = 0 }: AddressBlock, lifted: boolean): void {
    const key = keyOfNetwork(network)
    if (key === undefined) return
    const now = this.#clock.now()
    if (lifted || source === 'administrator') this.#table.lift(key)
    else if (expiresAt > now) this.#table.put(key, Math.ceil(expiresAt / 1000), Math.floor(now / 1000))
  }

  async #readAdministrators(db: Database): Promise<void> {
    const blocks = await this.#store.byAdministrators(db)
    const networks = new NetworkTable(this.#seed)
    for (const [at, { network }] of blocks.entries()) {
      const cidr = parseCidr(network)
      if (cidr === undefined)
        this.#log.error({ network }, 'a block of the store cannot be read, and stands against nobody')
      else networks.add(cidr, at)
    }
    this.#blocks = blocks
    this.#networks = networks
  }
}

/** What whoever is blocked by how often it asked is told. */
const tooOften = 'too many requests'
const atOnce = 200
const rowsAtOnce = 1_000
/** After so long without the store all is read anew; what is over is kept for longer. */
const lapseMs = 600_000
const keptMs = 1_200_000
