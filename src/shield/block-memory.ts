import type { Random } from '../kernel/id.ts'
import { hashKeyBytes, KeyedHash } from '../kernel/keyed-hash.ts'

/** The blocked addresses of a process: made once, and handed to every thread as it is. */
export interface BlockMemory {
  readonly buffer: SharedArrayBuffer
  /** Of the hash: nobody outside can choose addresses that fall into one set. */
  readonly key: Uint8Array
}

/** Room for so many addresses, 12 bytes each: it is taken at once, and never grows. */
export function blockMemory(entries: number, random: Random): BlockMemory {
  const sets = Math.ceil(entries / ways)
  const bytes = (headerWords + sets * setWords) * Uint32Array.BYTES_PER_ELEMENT
  return { buffer: new SharedArrayBuffer(bytes), key: random.bytes(hashKeyBytes) }
}

/**
 * Until when addresses are blocked, for all threads that share the memory: what one writes, all see. An address is known by 64
 * bits of a keyed hash. It may stand in one of eight places; where all are taken, the block that ends soonest makes way. Reading
 * takes no lock: a place is claimed before it is written, and read twice.
 */
export class BlockTable {
  readonly #words: Uint32Array
  readonly #sets: number
  readonly #hash: KeyedHash
  #high = 0
  #low = 0
  #seen = 0

  constructor({ buffer, key }: BlockMemory) {
    this.#words = new Uint32Array(buffer)
    this.#sets = (this.#words.length - headerWords) / setWords
    this.#hash = new KeyedHash(key)
  }

  /** Blocks that had to make way before their end, since the memory was made. */
  get displaced(): number {
    return Atomics.load(this.#words, displacedWord)
  }

  /** When the block of an address ends, or ended, in seconds since the epoch; 0 where there is none. */
  until(address: string): number {
    const words = this.#words
    const set = this.#seek(address)
    let latest = 0
    for (let at = set; at < set + setWords; at += entryWords) {
      for (let tries = 0; tries < triesMax; tries++) {
        const until = Atomics.load(words, at + untilWord)
        if (until === 0 || !this.#isAt(at)) break
        if (until === claimed || Atomics.load(words, at + untilWord) !== until) continue // it is being written
        if (until > latest) latest = until
        break
      }
    }
    return latest
  }

  /**
   * Blocks an address until then; one that is blocked for longer stays so. Answers whether it could be: where every other block of
   * its set ends later, it could not.
   */
  put(address: string, until: number, now: number): boolean {
    const words = this.#words
    const set = this.#seek(address)
    for (let tries = 0; tries < triesMax; tries++) {
      const place = this.#placeFor(set, now, tries === triesMax - 1)
      if (place < 0) continue
      // What the place was chosen for: another end there since is another block, which would make way for no reason.
      const seen = this.#seen
      const own = seen !== 0 && this.#isAt(place)
      if (own && seen >= until) return true
      if (!own && seen > now && seen >= until) return false
      if (Atomics.compareExchange(words, place + untilWord, seen, claimed) !== seen) continue
      if (own && !this.#isAt(place)) {
        Atomics.store(words, place + untilWord, seen) // it became another's meanwhile
        continue
      }
      if (!own && seen > now) Atomics.add(words, displacedWord, 1)
      Atomics.store(words, place, this.#high)
      Atomics.store(words, place + 1, this.#low)
      Atomics.store(words, place + untilWord, until)
      return true
    }
    return false
  }

  /** Ends the block of an address. Answers whether there was one. */
  lift(address: string): boolean {
    const words = this.#words
    const set = this.#seek(address)
    let lifted = false
    for (let at = set; at < set + setWords; at += entryWords) {
      for (let tries = 0; tries < triesMax && this.#isAt(at); tries++) {
        const seen = Atomics.load(words, at + untilWord)
        if (seen === 0) break
        if (seen === claimed || Atomics.compareExchange(words, at + untilWord, seen, claimed) !== seen) continue
        const own = this.#isAt(at)
        Atomics.store(words, at + untilWord, own ? 0 : seen)
        lifted ||= own
      }
    }
    return lifted
  }

  /** The first word of the set of an address; its hash stands in `#high` and `#low` until the next call. */
  #seek(address: string): number {
    this.#hash.of(address)
    this.#high = this.#hash.high >>> 0
    this.#low = this.#hash.low >>> 0
    return headerWords + (this.#high % this.#sets) * setWords
  }

  /**
   * Where the address stands in its set; else the place that is free, or will be soonest. Below 0: somebody writes there, and it may
   * be this very address. Whoever was ended while they wrote is passed over in the end. What ends there stands in `#seen`.
   */
  #placeFor(set: number, now: number, inTheEnd: boolean): number {
    let place = -1
    let soonest = Number.POSITIVE_INFINITY
    for (let at = set; at < set + setWords; at += entryWords) {
      const until = Atomics.load(this.#words, at + untilWord)
      if (until === claimed) {
        if (inTheEnd) continue
        return -1
      }
      if (until !== 0 && this.#isAt(at)) {
        this.#seen = until
        return at
      }
      const ends = until <= now ? 0 : until
      if (ends < soonest) {
        soonest = ends
        place = at
        this.#seen = until
      }
    }
    return place
  }

  #isAt(at: number): boolean {
    return Atomics.load(this.#words, at) === this.#high && Atomics.load(this.#words, at + 1) === this.#low
  }
}

const ways = 8
/** High and low half of the hash, and the end in seconds. */
const entryWords = 3
const untilWord = 2
const setWords = ways * entryWords
const headerWords = 16
const displacedWord = 0
/** Somebody writes this place: a moment so long ago that no block ever ends then. */
const claimed = 1
/** A thread that was ended while it wrote holds nobody up for longer. */
const triesMax = 1_000
