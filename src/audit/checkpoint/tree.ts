import { setImmediate as breathe } from 'node:timers/promises'
import { Fault } from '../../kernel/error.ts'
import type { Database } from '../../store/database.ts'
import { GrowingTree, leafHash, nodeHash, type Subtree, tileLevels } from './merkle.ts'

/** The root of the Merkle tree over the first `size` events (RFC 9162 §2.1.1). Throws a Fault where one of them is missing. */
export async function rootAt(db: Database, size: number): Promise<Buffer> {
  return (await treeAt(db, size)).root()
}

/** The tree over the first `size` events, for further ones to be put into. */
export async function treeAt(db: Database, size: number): Promise<GrowingTree> {
  const tiles = new Tiles(db)
  const peaks: Subtree[] = []
  for (let begin = 0; begin < size; ) {
    const level = Math.floor(Math.log2(size - begin))
    const position = begin / 2 ** level
    peaks.push({ level, position, hash: await tiles.node(level, position) })
    begin += 2 ** level
  }
  return GrowingTree.of(peaks)
}

/** The path from the event `seq` to the root over the first `size` events, from below (RFC 9162 §2.1.3.1). */
export async function inclusionProof(db: Database, seq: number, size: number): Promise<readonly Buffer[]> {
  const tiles = new Tiles(db)
  const path: Buffer[] = []
  let [begin, end] = [0, size]
  while (end - begin > 1) {
    const middle = begin + split(end - begin)
    if (seq - 1 < middle) {
      path.push(await tiles.range(middle, end))
      end = middle
    } else {
      path.push(await tiles.range(begin, middle))
      begin = middle
    }
  }
  return path.reverse()
}

/** What shows that the tree over the first `to` events has those of the first `from` (RFC 9162 §2.1.4.1); `from` is 1 to `to`. */
export async function consistencyProof(db: Database, from: number, to: number): Promise<readonly Buffer[]> {
  const tiles = new Tiles(db)
  const path: Buffer[] = []
  let [begin, end] = [0, to]
  while (from < end) {
    const middle = begin + split(end - begin)
    if (from <= middle) {
      path.push(await tiles.range(middle, end))
      end = middle
    } else {
      path.push(await tiles.range(begin, middle))
      begin = middle
    }
  }
  if (begin > 0) path.push(await tiles.range(begin, end)) // else it is the smaller tree itself, whose root the other side has
  return path.reverse()
}

/** How many leaves the left half of a tree has: the largest power of two below its size. */
function split(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1)
}

/**
 * The hashes of one proof, read 256 at a time: of a level that is stored, or of events. Where subtrees are complete and not stored
 * yet, they are computed of what lies below them.
 */
class Tiles {
  readonly #db: Database
  readonly #tiles = new Map<string, Promise<ReadonlyMap<number, Buffer>>>()

  constructor(db: Database) {
    this.#db = db
  }

  /** The root over the leaves from `begin` to before `end`: a tree of its own. */
  async range(begin: number, end: number): Promise<Buffer> {
    const left = split(end - begin)
    if (end - begin === 1 || left * 2 === end - begin) return this.node(Math.log2(end - begin), begin / (end - begin))
    return nodeHash(await this.range(begin, begin + left), await this.range(begin + left, end))
  }

  /** The root of a complete subtree. */
  async node(level: number, position: number): Promise<Buffer> {
    const base = level - (level % tileLevels)
    const count = 2 ** (level - base)
    const hashes: Buffer[] = []
    for (let at = position * count; at < (position + 1) * count; at++) hashes.push(await this.#hash(base, at))
    return fold(hashes)
  }

  async #hash(level: number, position: number): Promise<Buffer> {
    const stored = (await this.#tile(level, Math.floor(position / tileWidth))).get(position)
    if (stored !== undefined) return stored
    if (level === 0) throw new Fault('unavailable', `event ${position + 1} is missing in the record`)
    const below: Buffer[] = []
    for (let at = position * tileWidth; at < (position + 1) * tileWidth; at++)
      below.push(await this.#hash(level - tileLevels, at))
    this.#tiles.delete(keyOf(level - tileLevels, position)) // it is not asked for again, and of many memory would fill
    await breathe()
    return fold(below)
  }

  #tile(level: number, index: number): Promise<ReadonlyMap<number, Buffer>> {
    const key = keyOf(level, index)
    let tile = this.#tiles.get(key)
    if (tile === undefined) {
      tile = level === 0 ? this.#leaves(index) : this.#stored(level, index)
      this.#tiles.set(key, tile)
    }
    return tile
  }

  async #leaves(index: number): Promise<ReadonlyMap<number, Buffer>> {
    const events = await this.#db
      .selectFrom('audit_events')
      .select(['seq', 'body'])
      .where('seq', '>', index * tileWidth)
      .where('seq', '<=', (index + 1) * tileWidth)
      .execute()
    return new Map(events.map(({ seq, body }) => [seq - 1, leafHash(body)]))
  }

  async #stored(level: number, index: number): Promise<ReadonlyMap<number, Buffer>> {
    const rows = await this.#db
      .selectFrom('audit_tree')
      .select(['position', 'hash'])
      .where('level', '=', level)
      .where('position', '>=', index * tileWidth)
      .where('position', '<', (index + 1) * tileWidth)
      .execute()
    return new Map(rows.map(({ position, hash }) => [position, storedHash(hash)]))
  }
}

const tileWidth = 2 ** tileLevels

function keyOf(level: number, index: number): string {
  return `${level}/${index}`
}

/** What is no hash, in a tree that was altered, leads to no root that was signed. */
function storedHash(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  return bytes.length === 32 ? bytes : Buffer.alloc(32)
}

/** The root over as many hashes as a power of two. */
function fold(hashes: readonly Buffer[]): Buffer {
  let level = hashes
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) above.push(nodeHash(level[at] as Buffer, level[at + 1] as Buffer))
    level = above
  }
  return level[0] as Buffer
}
