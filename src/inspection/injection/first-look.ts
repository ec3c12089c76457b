/**
 * Which letters and signs, and which two and three in a row, stand in a text, whatever the case of its letters: taken down in one
 * pass, so that most expressions need not be run over it. It may say that something stands in the text that does not; what it
 * says is not there, is not there.
 */
export class FirstLook {
  readonly #turn: number

  constructor(text: string) {
    if (turn === turnsMax) startOver()
    const mine = ++turn
    this.#turn = mine
    let before = 0
    let last = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      const sign = unit < 128 ? (folded[unit] as number) : beyond
      seen[sign] = mine
      seen[twosFrom + ((last << 7) | sign)] = mine
      seen[hashOf(before, last, sign)] = mine
      before = last
      last = sign
    }
  }

  /** Whether a text that meets the requirement could be this one. Once another text was looked at, any could. */
  mayMeet(requirement: Requirement): boolean {
    if (this.#turn !== turn) return true
    for (const literals of requirement) if (!holdsAny(literals)) return false
    return true
  }
}

/** What has to stand in a text: of each clause at least one literal. Without clauses, nothing has to. */
export type Requirement = readonly Literals[]

/** Literals by their places in the table, each with the number of its places before them. */
export type Literals = Uint32Array

/** Where the pieces of a literal are noted: its threes, or the whole where it is shorter. */
export function placesOf(literal: string): readonly number[] {
  const signs = Array.from(literal, (sign) => folded[sign.charCodeAt(0)] as number)
  const [first = 0, second = 0] = signs
  if (signs.length === 1) return [first]
  if (signs.length === 2) return [twosFrom + ((first << 7) | second)]
  return signs.slice(2).map((sign, at) => hashOf(signs[at] as number, signs[at + 1] as number, sign))
}

const twosFrom = 1 << 7
const threesFrom = twosFrom + (1 << 14)

/**
 * One table for all texts, since to make or to clear one for each would take longer than the look: a place holds the turn at which
 * something was last seen there.
 */
const seen = new Uint32Array(threesFrom + (1 << 16))
let turn = 0
const turnsMax = 0xffff_ffff

function startOver(): void {
  seen.fill(0)
  turn = 0
}

/** All that is not ASCII; no literal holds it. */
const beyond = 0x7f
const folded = Uint8Array.from({ length: 128 }, (_, unit) => (unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit))

function hashOf(first: number, second: number, third: number): number {
  return threesFrom + (((first * 0x9e5) ^ (second * 0x1f3) ^ (third << 2)) & 0xffff)
}

function holdsAny(literals: Literals): boolean {
  for (let at = 0; at < literals.length; ) {
    const end = at + 1 + (literals[at] as number)
    let place = at + 1
    while (place < end && seen[literals[place] as number] === turn) place++
    if (place === end) return true
    at = end
  }
  return false
}
