import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Fault } from '../../kernel/error.ts'

/**
 * The passwords that guessers try first, as 36 bits of their SHA-1: 12 choose a shelf, 24 lie on it. In the file come the
 * number of entries on each of the 4096 shelves, a byte each, and then the entries in order, three bytes each. A password
 * that is not among the 49,000 is taken for one of them once in 1.4 million times, which costs somebody another try.
 */
export class CommonList {
  readonly count: number
  /** Where each shelf begins, and behind the last one where it ends. */
  readonly #begins = new Uint32Array(shelves + 1)
  readonly #entries: Buffer

  constructor(file: Buffer) {
    for (let shelf = 0; shelf < shelves; shelf++) {
      this.#begins[shelf + 1] = (this.#begins[shelf] as number) + (file[shelf] ?? 0)
    }
    this.count = this.#begins[shelves] as number
    this.#entries = file.subarray(shelves)
    if (this.count === 0 || this.#entries.length !== this.count * entryBytes)
      throw new Fault('internal', 'the list of common passwords is damaged')
  }

  /** Whether a password is on the list, in capital or small letters. */
  has(password: string): boolean {
    const { shelf, entry } = placeOf(password)
    let low = this.#begins[shelf] as number
    const end = this.#begins[shelf + 1] as number
    while (low < end) {
      const there = this.#entries.readUIntBE(low * entryBytes, entryBytes)
      if (there >= entry) return there === entry
      low++
    }
    return false
  }
}

const shelves = 4096
const entryBytes = 3

/** The list that comes with the house; `scripts/common-passwords.ts` makes it. */
export function shippedCommonList(): CommonList {
  const url = new URL('./common.bin', import.meta.url)
  let file: Buffer
  try {
    file = readFileSync(url)
  } catch (error) {
    throw new Fault('internal', `cannot read the list of common passwords at \`${url.pathname}\``, error)
  }
  return new CommonList(file)
}

/** The file that holds these passwords. */
export function commonListFile(passwords: Iterable<string>): Buffer {
  const places = new Set<number>()
  for (const password of passwords) {
    const { shelf, entry } = placeOf(password)
    places.add(shelf * 2 ** 24 + entry)
  }
  const file = Buffer.alloc(shelves + places.size * entryBytes)
  const sorted = [...places].toSorted((a, b) => a - b)
  for (const [at, place] of sorted.entries()) {
    const shelf = Math.floor(place / 2 ** 24)
    if (file[shelf] === 255) throw new Error('more than 255 passwords on one shelf: a byte cannot count them')
    file[shelf] = (file[shelf] as number) + 1
    file.writeUIntBE(place % 2 ** 24, shelves + at * entryBytes, entryBytes)
  }
  return file
}

function placeOf(password: string): { readonly shelf: number; readonly entry: number } {
  const digest = hash('sha1', password.normalize('NFC').toLowerCase(), 'buffer')
  return { shelf: digest.readUInt16BE(0) >> 4, entry: digest.readUInt32BE(1) & 0xff_ff_ff }
}
