import { type Hint, noSigns, type Sign } from '../detector.ts'
import type { FirstLook } from '../first-look.ts'
import { Sieved } from '../requirement.ts'
import { type Setting, settingOf } from './setting.ts'

/** A shape of text, and how sure it makes us in each setting. */
export interface Row {
  readonly rule: string
  readonly sure: Weight
  /** Global, and linear: literals, classes and bounded repetition only. */
  readonly pattern: RegExp
  /** The same, of which only is run what the text could match: that is quicker by far. */
  readonly sieved: Sieved
  /** What a pattern cannot say. Asked at each match, so it looks at a bounded stretch only. */
  readonly holds?: Holds
}

/** How sure in a value, in prose, in a document. Zero is no sign at all. */
export type Weight = readonly [value: number, prose: number, document: number]

export type Holds = (text: string, hint: Hint, start: number, end: number) => boolean

/** Weights by what has to be true of the writer: hardly anybody else writes it, few do, some do. */
export const certain: Weight = [0.98, 0.9, 0.6]
export const sure: Weight = [0.93, 0.7, 0.15]
export const strong: Weight = [0.85, 0.4, 0]
export const likely: Weight = [0.65, 0.2, 0]
export const weak: Weight = [0.35, 0, 0]

export function row(rule: string, weight: Weight, pattern: RegExp, holds?: Holds): Row {
  const sieved = new Sieved(pattern)
  return holds === undefined ? { rule, sure: weight, pattern, sieved } : { rule, sure: weight, pattern, sieved, holds }
}

/** The first stretch of the text that each row holds for. */
export function signsOf(
  table: readonly Row[],
  text: string,
  hint: Hint,
  look: FirstLook,
  known?: Setting,
): readonly Sign[] {
  let signs: Sign[] | undefined
  let setting = known
  for (const { rule, sure: weight, sieved, holds } of table) {
    if (!look.mayMeet(sieved.requirement)) continue
    const possible = sieved.possibleIn(look)
    if (possible.length === 0 || (possible.length === 1 && !matches(possible[0] as RegExp, text))) continue
    const found = possible.length === 1 ? new Head(possible[0] as RegExp, text) : new Heads(possible, text)
    while (found.next()) {
      const { start, end } = found
      if (holds !== undefined && !holds(text, hint, start, end)) continue
      setting ??= settingOf(text, hint)
      const confidence = weighed(weight, setting)
      if (confidence > 0) (signs ??= []).push({ rule, confidence, start, end })
      break
    }
  }
  return signs ?? noSigns
}

/** Most do not, and nothing is made to find that out. */
function matches(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0
  return pattern.test(text)
}

/** The matches of an expression, one after another. */
class Head {
  start = -1
  end = -1
  readonly #pattern: RegExp
  readonly #text: string
  #from = 0

  constructor(pattern: RegExp, text: string) {
    this.#pattern = pattern
    this.#text = text
  }

  /** Whether there is one more. */
  next(): boolean {
    return this.nextFrom(this.#from)
  }

  nextFrom(from: number): boolean {
    this.#pattern.lastIndex = from
    const match = this.#pattern.exec(this.#text)
    if (match === null) {
      this.start = Number.POSITIVE_INFINITY
      return false
    }
    this.start = match.index
    this.end = match.index + match[0].length
    this.#from = this.end === this.start ? this.end + 1 : this.end
    return true
  }
}

/** The matches of several, as if they were alternatives of one. */
class Heads {
  start = -1
  end = -1
  readonly #heads: readonly Head[]
  #from = 0

  constructor(patterns: readonly RegExp[], text: string) {
    this.#heads = patterns.map((pattern) => new Head(pattern, text))
  }

  next(): boolean {
    let first: Head | undefined
    for (const head of this.#heads) {
      if (head.start < this.#from) head.nextFrom(this.#from)
      if (head.start < (first?.start ?? Number.POSITIVE_INFINITY)) first = head
    }
    if (first === undefined) return false
    this.start = first.start
    this.end = first.end
    this.#from = this.end === this.start ? this.end + 1 : this.end
    return true
  }
}

export function weighed([value, prose, document]: Weight, setting: Setting): number {
  return setting === 'value' ? value : setting === 'prose' ? prose : document
}
