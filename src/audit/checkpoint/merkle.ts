import { hash } from 'node:crypto'

/** The hash of an event as a leaf of the tree: SHA-256 over 0x00 and its body as UTF-8 (RFC 9162 §2.1.1). */
export function leafHash(body: string): Buffer {
  const bodyBytesMax = body.length * 3 // what UTF-8 takes at most
  const bytes = 1 + bodyBytesMax <= desk.length ? desk : Buffer.allocUnsafe(1 + bodyBytesMax)
  bytes[0] = 0
  return hash('sha256', bytes.subarray(0, 1 + bytes.write(body, 1, 'utf8')), 'buffer')
}

/** The hash of a node: SHA-256 over 0x01 and the hashes of its two children (RFC 9162 §2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1)
  pair.set(right, 33)
  return hash('sha256', pair, 'buffer')
}

/** The root of a tree without leaves. */
export const emptyRoot: Buffer = hash('sha256', '', 'buffer')

/** Where what is hashed is laid out: an event has 8 KiB at most. */
const desk = Buffer.allocUnsafe(1 + 3 * 8192)
const pair = Buffer.alloc(65, 1)

/** A complete subtree: of two to the power of `level` leaves, the one at `position` of its level, from 0. */
export interface Subtree {
  readonly level: number
  readonly position: number
  readonly hash: Buffer
}

/** A tree that leaves are put into one after the other. It keeps no more than one hash for each level. */
export class GrowingTree {
  /** Of the complete subtrees that the leaves make up, the one of each level, if the size has that bit. */
  readonly #peaks: (Buffer | undefined)[] = []
  #size = 0

  /** One that has these complete subtrees already: one of each bit of its size. */
  static of(peaks: readonly Subtree[]): GrowingTree {
    const tree = new GrowingTree()
    for (const { level, hash } of peaks) {
      tree.#peaks[level] = hash
      tree.#size += 2 ** level
    }
    return tree
  }

  get size(): number {
    return this.#size
  }

  /** Puts a leaf behind the others. `onComplete` is told of each subtree that it completes, of 256 leaves, of 65,536 and so on. */
  push(leaf: Buffer, onComplete: (subtree: Subtree) => void): void {
    this.#size++
    let hash = leaf
    let level = 0
    for (let left = this.#peaks[0]; left !== undefined; left = this.#peaks[level]) {
      this.#peaks[level] = undefined
      hash = nodeHash(left, hash)
      level++
      if (level % tileLevels === 0) onComplete({ level, position: this.#size / 2 ** level - 1, hash })
    }
    this.#peaks[level] = hash
  }

  root(): Buffer {
    let root: Buffer | undefined
    for (const peak of this.#peaks) if (peak !== undefined) root = root === undefined ? peak : nodeHash(peak, root)
    return root ?? emptyRoot
  }
}

/** How many levels lie between two that are stored. */
export const tileLevels = 8

export interface Inclusion {
  readonly leaf: Uint8Array
  /** From 0. */
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether a path leads from a leaf to the root of a tree (RFC 9162 §2.1.3.2). */
export function verifyInclusion({ leaf, index, size, path, root }: Inclusion): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !path.every(isHash)) return false
  let [at, last] = [index, size - 1]
  let reached = leaf
  for (const hash of path) {
    if (last === 0) return false
    if (isOdd(at) || at === last) {
      reached = nodeHash(hash, reached)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      reached = nodeHash(reached, hash)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && Buffer.compare(reached, root) === 0
}

export interface Consistency {
  readonly from: number
  readonly to: number
  readonly fromRoot: Uint8Array
  readonly toRoot: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** Whether a tree has the leaves of a smaller one, in their order, and behind them others (RFC 9162 §2.1.4.2). */
export function verifyConsistency({ from, to, fromRoot, toRoot, path }: Consistency): boolean {
  if (!isCount(from) || !isCount(to) || from < 1 || from > to || !path.every(isHash)) return false
  if (from === to) return path.length === 0 && Buffer.compare(fromRoot, toRoot) === 0
  if (path.length === 0) return false
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...path] : path
  let [at, last] = [from - 1, to - 1]
  while (isOdd(at)) [at, last] = [half(at), half(last)]
  let [reachedFrom, reachedTo] = [first as Uint8Array, first as Uint8Array]
  for (const hash of rest) {
    if (last === 0) return false
    if (isOdd(at) || at === last) {
      reachedFrom = nodeHash(hash, reachedFrom)
      reachedTo = nodeHash(hash, reachedTo)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      reachedTo = nodeHash(reachedTo, hash)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && Buffer.compare(reachedFrom, fromRoot) === 0 && Buffer.compare(reachedTo, toRoot) === 0
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.byteLength === 32
}

/** Sizes grow beyond the 32 bits of JavaScript's shifts. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isOdd(value: number): boolean {
  return value % 2 === 1
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value
}
