import { folded } from './folding.ts'

/**
 * Phrases, each with a number, to be found where a word begins: in one walk along the text, whatever the text is. Keys and
 * targets lie in open-addressed tables, since a walk is made for every word of every request.
 */
export class Trie {
  readonly #keys: Int32Array
  readonly #targets: Uint16Array
  /** By node: the number of the phrase that ends there with its last word, and of the one that any ending may follow; 0 for none. */
  readonly #whole: Uint8Array
  readonly #stem: Uint8Array
  readonly #mask: number

  /** A star at its end lets any ending follow a phrase. */
  constructor(phrases: Iterable<readonly [phrase: string, value: number]>) {
    const nodes: Map<number, number>[] = [new Map()]
    const whole: number[] = [0]
    const stem: number[] = [0]
    for (const [phrase, value] of phrases) {
      const isStem = phrase.endsWith('*')
      const text = isStem ? phrase.slice(0, -1) : phrase
      let node = 0
      for (let at = 0; at < text.length; at++) {
        const unit = folded(text.charCodeAt(at))
        let next = nodes[node]?.get(unit)
        if (next === undefined) {
          next = nodes.length
          nodes[node]?.set(unit, next)
          nodes.push(new Map())
          whole.push(0)
          stem.push(0)
        }
        node = next
      }
      const ends = isStem ? stem : whole
      // The first to claim a phrase has it: the order of the classes is their rank.
      if (ends[node] === 0) ends[node] = value
    }
    if (nodes.length > 0xffff) throw new Error(`expected at most 65535 nodes, got ${nodes.length}`)
    let size = 1024
    while (size < nodes.length * 2) size *= 2
    this.#mask = size - 1
    this.#keys = new Int32Array(size).fill(-1)
    this.#targets = new Uint16Array(size)
    for (const [node, children] of nodes.entries()) {
      for (const [unit, target] of children) {
        const key = (node << 16) | unit
        let at = this.#slot(key)
        while (this.#targets[at] !== 0) at = (at + 1) & this.#mask
        this.#keys[at] = key
        this.#targets[at] = target
      }
    }
    this.#whole = Uint8Array.from(whole)
    this.#stem = Uint8Array.from(stem)
  }

  #slot(key: number): number {
    return (Math.imul(key ^ (key >>> 15), 0x2c1b3c6d) >>> 7) & this.#mask
  }

  /** Where a folded unit leads from a node; 0 for nowhere. The root is 0. */
  next(node: number, unit: number): number {
    const key = (node << 16) | unit
    for (let at = this.#slot(key); ; at = (at + 1) & this.#mask) {
      const target = this.#targets[at] as number
      if (target === 0 || this.#keys[at] === key) return target
    }
  }

  whole(node: number): number {
    return this.#whole[node] as number
  }

  stem(node: number): number {
    return this.#stem[node] as number
  }
}
