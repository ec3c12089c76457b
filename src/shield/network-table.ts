import { type Address, type Cidr, parseAddress } from '../kernel/ip.ts'

/**
 * Networks, each with a number that its owner knows it by, found by an address that lies in them. One probe for each length of
 * prefix that there is, whatever their count; a million IPv4 networks take 19 MB, a million of IPv6 44 MB. It is built without
 * a sort, so that whoever reads a long list can stop in between. Nobody who does not know the seed can choose networks that
 * lie in each other's way.
 */
export class NetworkTable {
  readonly #family4: FamilyTable
  readonly #family6: FamilyTable

  /** For so many networks that are expected there is room from the start: to make more takes a tenth of a second for half a million. */
  constructor(seed: number, expected = 0) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(slotsMin, expected * 2)))
    this.#family4 = new FamilyTable(1, seed, slots)
    this.#family6 = new FamilyTable(4, seed, slots)
  }

  get size(): number {
    return this.#family4.size + this.#family6.size
  }

  /** Of a network that is there already, the number becomes this one. */
  add({ network, prefixBits }: Cidr, value = 0): void {
    this.#of(network).add(network.bytes, prefixBits, value)
  }

  /** Whether one of them contains the address. What is no address is in none. */
  contains(address: string): boolean {
    return this.#first(address, () => true)
  }

  /** The numbers of all that contain the address, from the widest to the narrowest. */
  valuesAt(address: string): readonly number[] {
    let values: number[] | undefined
    this.#first(address, (value) => {
      values ??= []
      values.push(value)
      return false
    })
    return values ?? none
  }

  #first(address: string, fits: (value: number) => boolean): boolean {
    if (this.size === 0) return false
    const parsed = parseAddress(withoutZone(address))
    return parsed !== undefined && this.#of(parsed).first(parsed.bytes, fits)
  }

  #of({ family }: Address): FamilyTable {
    return family === 4 ? this.#family4 : this.#family6
  }
}

/** The networks of one family: open addressing over typed arrays that are at most half full. */
class FamilyTable {
  size = 0
  readonly #width: number
  readonly #seed: number
  /** Lengths of prefixes that occur, ascending. */
  #present: readonly number[] = []
  /** The first bits of each network, 32 to a word. */
  #words: Uint32Array
  /** The length of its prefix and 1; 0 where a slot is free. */
  #lengths: Uint8Array
  #values: Uint32Array
  readonly #wanted: Uint32Array

  constructor(width: 1 | 4, seed: number, slots: number) {
    this.#width = width
    this.#seed = seed
    this.#words = new Uint32Array(slots * width)
    this.#lengths = new Uint8Array(slots)
    this.#values = new Uint32Array(slots)
    this.#wanted = new Uint32Array(width)
  }

  add(bytes: readonly number[], prefixBits: number, value: number): void {
    if (this.size * 2 >= this.#lengths.length) this.#grow()
    for (let word = 0; word < this.#width; word++) this.#wanted[word] = masked(bytes, word, prefixBits)
    const slot = this.#seek(prefixBits)
    if (this.#lengths[slot] === 0) {
      this.size++
      this.#words.set(this.#wanted, slot * this.#width)
      this.#lengths[slot] = prefixBits + 1
      if (!this.#present.includes(prefixBits)) this.#present = [...this.#present, prefixBits].sort((a, b) => a - b)
    }
    this.#values[slot] = value
  }

  /** Whether the number of one that contains the address fits. */
  first(bytes: readonly number[], fits: (value: number) => boolean): boolean {
    for (const prefixBits of this.#present) {
      for (let word = 0; word < this.#width; word++) this.#wanted[word] = masked(bytes, word, prefixBits)
      const slot = this.#seek(prefixBits)
      if (this.#lengths[slot] !== 0 && fits(this.#values[slot] as number)) return true
    }
    return false
  }

  /** The slot of the network that is wanted, or the free one where it would stand. */
  #seek(prefixBits: number): number {
    const slots = this.#lengths.length
    let hash = this.#seed ^ prefixBits
    for (let word = 0; word < this.#width; word++) hash = mixed(hash ^ (this.#wanted[word] as number))
    for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const length = this.#lengths[slot]
      if (length === 0 || (length === prefixBits + 1 && this.#isWanted(slot))) return slot
    }
  }

  #isWanted(slot: number): boolean {
    for (let word = 0; word < this.#width; word++) {
      if (this.#words[slot * this.#width + word] !== this.#wanted[word]) return false
    }
    return true
  }

  #grow(): void {
    const [words, lengths, values, width] = [this.#words, this.#lengths, this.#values, this.#width]
    this.#words = new Uint32Array(words.length * 2)
    this.#lengths = new Uint8Array(lengths.length * 2)
    this.#values = new Uint32Array(values.length * 2)
    for (let from = 0; from < lengths.length; from++) {
      const length = lengths[from] as number
      if (length === 0) continue
      for (let word = 0; word < width; word++) this.#wanted[word] = words[from * width + word] as number
      const slot = this.#seek(length - 1)
      this.#words.set(this.#wanted, slot * width)
      this.#lengths[slot] = length
      this.#values[slot] = values[from] as number
    }
  }
}

const slotsMin = 16
const none: readonly number[] = []

/** The bits of one word that belong to the prefix. */
function masked(bytes: readonly number[], word: number, prefixBits: number): number {
  const bits = prefixBits - word * 32
  if (bits <= 0) return 0
  const at = word * 4
  const whole =
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  return (bits >= 32 ? whole : whole & (-1 << (32 - bits))) >>> 0
}

/** The finaliser of MurmurHash3: each bit of the input moves half of the output. */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** `fe80::1%eth0` is `fe80::1` of one link (RFC 4007 §11). */
export function withoutZone(address: string): string {
  const zone = address.indexOf('%')
  return zone < 0 ? address : address.slice(0, zone)
}
