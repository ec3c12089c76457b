/**
 * Which letters and signs, and which two and three in a row, stand in a text, whatever the case of its letters: taken down in one
 * pass, so that most expressions need not be run over it. It may say that something stands in the text that does not; what it
 * says is not there, is not there.
 */
export class FirstLook {
  readonly #turn: number
  /** So short that expressions are run over it sooner than it is known which could match. */
  readonly isShort: boolean

  constructor(text: string) {
    if (turn === turnsMax) startOver()
    const mine = ++turn
    this.#turn = ++looks
    this.isShort = text.length < shortMax
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

  /** Whether a piece may stand in the text, by its place. */
  mayHold(key: number): boolean {
    return seen[key] === turn || this.#turn !== looks
  }

  /** Whether a text that meets the requirement could be this one. Once another text was looked at, any could. */
  mayMeet(requirement: Requirement): boolean {
    if (this.#turn !== looks) return true
    for (const literals of requirement) if (!holdsAny(literals)) return false
    return true
  }
}

/** The place of a piece that has to stand in a text that meets the requirement, where there is one for all of them. */
export function keyOf(requirement: Requirement): number | undefined {
  const clause = requirement.find((literals) => literals.length === 1 + (literals[0] as number))
  return clause?.[1]
}

/** Whether a place is that of three in a row. */
export function isRare(key: number | undefined): boolean {
  return key !== undefined && key >= threesFrom
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
const seen = new Uint16Array(threesFrom + (1 << 16))
let turn = 0
const turnsMax = 0xffff
/** All looks so far: turns come again. */
let looks = 0
const shortMax = 160

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
