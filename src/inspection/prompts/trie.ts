import { folded } from './folding.ts'

/**
 * Phrases, each with a number, to be found where a word begins: in one walk along the text, whatever the text is. A walk is made
 * for every word of every request, so that nodes lie in a double array: where a unit leads is one sum and one comparison.
 */
export class Trie {
  /** By unit its number in the alphabet of the phrases; 0 for one that none of them has. */
  readonly #alphabet: Uint16Array
  /** By node, which is a place: how far in front of its children's places their numbers are counted from. */
  readonly #bases: Int32Array
  /** By place: whose child lies there; -1 for nobody's. */
  readonly #parents: Int32Array
  /** By node: the number of the phrase that ends there with its last word, and of the one that any ending may follow; 0 for none. */
  readonly #whole: Uint8Array
  readonly #stem: Uint8Array

  /** A star at its end lets any ending follow a phrase. */
  constructor(phrases: Iterable<readonly [phrase: string, value: number]>) {
    const root = grown(phrases)
    this.#alphabet = alphabetOf(root)
    const places = new Places()
    for (let open: Planted[] = [{ node: root, at: rootAt }]; open.length > 0; ) {
      const next: Planted[] = []
      for (const { node, at } of open) {
        const children = [...node.children].map(([unit, child]) => ({ child, by: this.#alphabet[unit] as number }))
        const base = places.settle(
          at,
          children.map(({ by }) => by),
        )
        for (const { child, by } of children) next.push({ node: child, at: base + by })
        places.mark(at, node)
      }
      open = next
    }
    const size = places.size + Math.max(...this.#alphabet) + 1
    this.#bases = Int32Array.from({ length: size }, (_, at) => places.bases[at] ?? 0)
    this.#parents = Int32Array.from({ length: size }, (_, at) => places.parents[at] ?? -1)
    this.#whole = Uint8Array.from({ length: size }, (_, at) => places.nodes[at]?.whole ?? 0)
    this.#stem = Uint8Array.from({ length: size }, (_, at) => places.nodes[at]?.stem ?? 0)
  }

  /** Where a folded unit leads from a node; 0 for nowhere. The root is 0. */
  next(node: number, unit: number): number {
    const at = (this.#bases[node] as number) + (this.#alphabet[unit] as number)
    return this.#parents[at] === node ? at : 0
  }

  whole(node: number): number {
    return this.#whole[node] as number
  }

  stem(node: number): number {
    return this.#stem[node] as number
  }
}

const rootAt = 0

interface Node {
  readonly children: Map<number, Node>
  whole: number
  stem: number
}

interface Planted {
  readonly node: Node
  readonly at: number
}

function grown(phrases: Iterable<readonly [phrase: string, value: number]>): Node {
  const root: Node = { children: new Map(), whole: 0, stem: 0 }
  for (const [phrase, value] of phrases) {
    const isStem = phrase.endsWith('*')
    const text = isStem ? phrase.slice(0, -1) : phrase
    let node = root
    for (let at = 0; at < text.length; at++) {
      const unit = folded(text.charCodeAt(at))
      let next = node.children.get(unit)
      if (next === undefined) node.children.set(unit, (next = { children: new Map(), whole: 0, stem: 0 }))
      node = next
    }
    // The first to claim a phrase has it: the order of the classes is their rank.
    if (isStem) node.stem ||= value
    else node.whole ||= value
  }
  return root
}

/** The units of all phrases, numbered from 1 on, the frequent ones first: children lie closer together then. */
function alphabetOf(root: Node): Uint16Array {
  const counts = new Map<number, number>()
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const [unit, child] of node.children) {
      counts.set(unit, (counts.get(unit) ?? 0) + 1)
      open.push(child)
    }
  }
  const alphabet = new Uint16Array(0x1_0000)
  const units = [...counts].sort(([, one], [, other]) => other - one)
  for (const [at, [unit]] of units.entries()) alphabet[unit] = at + 1
  return alphabet
}

/** Finds each node's children places that nobody has yet. */
class Places {
  readonly bases: number[] = []
  readonly parents: number[] = [-1]
  readonly nodes: Node[] = []
  /** Before it no place is free. */
  #free = 1

  get size(): number {
    return this.parents.length
  }

  mark(at: number, node: Node): void {
    this.nodes[at] = node
  }

  settle(parent: number, by: readonly number[]): number {
    if (by.length === 0) return (this.bases[parent] = 0)
    while (this.#isTaken(this.#free)) this.#free++
    const least = Math.min(...by)
    let base = Math.max(0, this.#free - least)
    while (by.some((one) => this.#isTaken(base + one))) base++
    for (const one of by) {
      while (this.parents.length <= base + one) this.parents.push(-1)
      this.parents[base + one] = parent
    }
    return (this.bases[parent] = base)
  }

  #isTaken(at: number): boolean {
    return at === rootAt || (this.parents[at] ?? -1) >= 0
  }
}
