import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '../../kernel/error.ts'
import { headerBytes, keyBytes, reading, writeHeader } from './breach-list.ts'
import { readDump } from './dump.ts'

/** How a breach list came about, or the line at which it did not. */
export type BreachBuild =
  | { readonly count: number; readonly lines: number; readonly skipped: number; readonly kind: 'hashes' | 'passwords' }
  | { readonly line: number; readonly mistake: string }

export interface BreachBuildOptions {
  readonly out: string
  /** How often a password was seen at the least to be on the list: what stands behind a hash, or how often it is in the dump. */
  readonly countMin?: number
  /** How many keys are held at once, eight bytes each: 128 MB unless told. */
  readonly keysHeld?: number
  readonly onProgress?: (lines: number) => void
}

/**
 * Makes a breach list of a dump: lines of `SHA1:COUNT` in any order, or of passwords. As many keys as are held at once are
 * sorted and set aside, then all that were set aside are merged, so the size of the dump is bounded by the disk alone.
 * The list appears under its name when it is whole, or not at all.
 */
export async function buildBreachList(
  dump: AsyncIterable<Uint8Array>,
  { out, countMin = 1, keysHeld = 2 ** 24, onProgress = () => {} }: BreachBuildOptions,
): Promise<BreachBuild> {
  const path = resolve(out)
  let folder: string | undefined
  const open: number[] = []
  try {
    folder = mkdtempSync(`${path}.building-`) // beside the list: a rename does not lead from one disk to another
    const openFile = (name: string): number => {
      const handle = openSync(join(folder as string, name), 'wx+')
      open.push(handle)
      return handle
    }
    const runs = new Runs(openFile('runs'), keysHeld)
    const read = await readDump(dump, { countMin, take: (key) => runs.add(key), onProgress })
    if ('mistake' in read) return read
    // A hash stands for all the times that its password was seen; a password stands for one.
    const timesMin = read.kind === 'passwords' ? countMin : 1
    const list = openFile('list')
    const count = writeList(list, merged(runs.finish(), timesMin))
    if (count === 0) return { line: read.lines, mistake: 'the dump is at its end, and nothing in it belongs on a list' }
    for (const handle of open.splice(0)) closeSync(handle)
    renameSync(join(folder, 'list'), path)
    syncFolder(dirname(path))
    return { ...read, count }
  } catch (error) {
    throw new Fault('unavailable', `cannot make the breach list \`${out}\`: ${(error as Error).message}`, error)
  } finally {
    for (const handle of open) closeSync(handle)
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads a list from beginning to end: whether it is in order and says what it said when it was made. A `Fault` where not. */
export function verifyBreachList(path: string): { readonly count: number } {
  return reading(path, ({ header, read, damaged }) => {
    const digest = createHash('sha256')
    let before = -1
    for (let key = 0; key < header.count; key += keysAtOnce) {
      const block = read(Math.min(keysAtOnce, header.count - key) * keyBytes, key * keyBytes)
      digest.update(block)
      for (let at = 0; at < block.length; at += keyBytes) {
        const there = block.readUIntBE(at, keyBytes)
        if (there <= before) throw damaged(`is not in order at entry ${key + at / keyBytes}`)
        before = there
      }
    }
    if (!digest.digest().equals(header.digest)) throw damaged('is not what it was when it was made')
    return { count: header.count }
  })
}

const keysAtOnce = 2 ** 14

/** Keys in sorted runs, one behind the other in one file. */
class Runs {
  readonly #handle: number
  readonly #keys: Float64Array
  readonly #runs: Run[] = []
  #held = 0
  #written = 0

  constructor(handle: number, keysHeld: number) {
    this.#handle = handle
    this.#keys = new Float64Array(keysHeld)
  }

  add(key: number): void {
    this.#keys[this.#held++] = key
    if (this.#held === this.#keys.length) this.#setAside()
  }

  finish(): readonly Run[] {
    this.#setAside()
    return this.#runs.filter((run) => run.next())
  }

  #setAside(): void {
    const keys = this.#keys.subarray(0, this.#held).sort()
    const begin = this.#written
    const block = Buffer.allocUnsafe(keysAtOnce * keyBytes)
    for (let from = 0; from < keys.length; from += keysAtOnce) {
      const part = keys.subarray(from, from + keysAtOnce)
      for (let at = 0; at < part.length; at++) block.writeUIntBE(part[at] as number, at * keyBytes, keyBytes)
      this.#written = writeAll(this.#handle, block.subarray(0, part.length * keyBytes), this.#written)
    }
    this.#runs.push(new Run(this.#handle, begin, this.#written))
    this.#held = 0
  }
}

/** One sorted run, read from its beginning to its end. */
class Run {
  key = -1
  readonly #handle: number
  readonly #end: number
  #position: number
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(handle: number, begin: number, end: number) {
    this.#handle = handle
    this.#position = begin
    this.#end = end
  }

  /** Goes on to the next key; false when there is none. */
  next(): boolean {
    if (this.#at === this.#block.length) {
      if (this.#position === this.#end) return false
      this.#block = Buffer.allocUnsafe(Math.min(keysAtOnce * keyBytes, this.#end - this.#position))
      for (let filled = 0; filled < this.#block.length; ) {
        const got = readSync(this.#handle, this.#block, filled, this.#block.length - filled, this.#position + filled)
        if (got === 0) throw new Error('what was set aside has been cut off')
        filled += got
      }
      this.#position += this.#block.length
      this.#at = 0
    }
    this.key = this.#block.readUIntBE(this.#at, keyBytes)
    this.#at += keyBytes
    return true
  }
}

/** The keys of all runs in ascending order, each once, without those that come less often than asked for. */
function* merged(runs: readonly Run[], timesMin: number): Generator<number> {
  const heap = runs.toSorted((a, b) => a.key - b.key) // what is sorted is a heap
  let key = -1
  let times = 0
  for (let least = heap[0]; least !== undefined; least = heap[0]) {
    if (least.key !== key) {
      if (times >= timesMin) yield key
      key = least.key
      times = 0
    }
    times++
    if (!least.next()) {
      const last = heap.pop() as Run
      if (heap.length > 0) heap[0] = last
    }
    sink(heap)
  }
  if (times >= timesMin) yield key
}

/** Lets the topmost run sink to where it belongs. */
function sink(heap: Run[]): void {
  const top = heap[0]
  if (top === undefined) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    const [left, right] = [heap[child], heap[child + 1]]
    if (left === undefined) break
    let least = left
    if (right !== undefined && right.key < left.key) {
      least = right
      child++
    }
    if (least.key >= top.key) break
    heap[at] = least
    at = child
  }
  heap[at] = top
}

/** Writes keys behind a header, the header last. Answers how many there were. */
function writeList(handle: number, keys: Iterable<number>): number {
  const digest = createHash('sha256')
  const block = Buffer.allocUnsafe(keysAtOnce * keyBytes)
  let position = headerBytes
  let filled = 0
  const flush = (): void => {
    const part = block.subarray(0, filled)
    digest.update(part)
    position = writeAll(handle, part, position)
    filled = 0
  }
  for (const key of keys) {
    block.writeUIntBE(key, filled, keyBytes)
    filled += keyBytes
    if (filled === block.length) flush()
  }
  flush()
  const count = (position - headerBytes) / keyBytes
  writeAll(handle, writeHeader({ count, digest: digest.digest() }), 0)
  fsyncSync(handle)
  return count
}

/** Answers where the next byte belongs. */
function writeAll(handle: number, bytes: Uint8Array, position: number): number {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(handle, bytes, written, bytes.length - written, position + written)
  }
  return position + bytes.length
}

/** Makes a rename last through a power cut, where the system lets a folder be opened. */
function syncFolder(path: string): void {
  let handle: number
  try {
    handle = openSync(path, 'r')
  } catch {
    return // Windows does not, and keeps its folders by itself
  }
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
