import { alternativesOf } from './alternatives.ts'
import { type FirstLook, isRare, keyOf, placesOf, type Requirement } from './first-look.ts'

/** An expression that is run only over texts that could match it. */
export function sieve(pattern: RegExp): (text: string, look: FirstLook) => boolean {
  const sieved = new Sieved(pattern)
  return (text, look) => look.mayMeet(sieved.requirement) && sieved.matches(text, look)
}

/** An expression of which only those alternatives are run that a text could match. */
export class Sieved {
  /** What the expression cannot match without. */
  readonly requirement: Requirement
  readonly #pattern: RegExp
  readonly #whole: readonly RegExp[]
  readonly #parts: readonly Part[]

  constructor(pattern: RegExp) {
    this.#pattern = pattern
    this.#whole = [pattern]
    this.requirement = requirementOf(pattern)
    this.#parts = alternativesOf(pattern, isTelling).map((part) => {
      const requirement = requirementOf(part)
      return { alone: [part], key: keyOf(requirement) ?? noKey, requirement }
    })
  }

  /**
   * Of a text that may meet the requirement: expressions whose first match, of those that begin at one place that of the first of
   * them, is the first match of the whole.
   */
  possibleIn(look: FirstLook): readonly RegExp[] {
    if (this.#parts.length === 1 || look.isShort) return this.#whole
    let possible = none
    for (const { alone, key, requirement } of this.#parts) {
      if (key !== noKey && !look.mayHold(key)) continue
      if (!look.mayMeet(requirement)) continue
      if (possible.length === togetherMax) return this.#whole
      possible = possible.length === 0 ? alone : [...possible, ...alone]
    }
    return possible
  }

  /** Whether it matches anywhere in a text that may meet the requirement; of an expression that is not global. */
  matches(text: string, look: FirstLook): boolean {
    if (this.#parts.length === 1 || look.isShort) return this.#pattern.test(text)
    for (const { alone, key, requirement } of this.#parts) {
      if (key !== noKey && !look.mayHold(key)) continue
      if (look.mayMeet(requirement) && (alone[0] as RegExp).test(text)) return true
    }
    return false
  }
}

interface Part {
  /** The one expression, as what may be given back. */
  readonly alone: readonly RegExp[]
  /** What is asked for first, since most texts do not hold it. */
  readonly key: number
  readonly requirement: Requirement
}

const none: readonly RegExp[] = []
const noKey = -1
/** More of them, one by one, take longer than the whole. */
const togetherMax = 4

/** Whether few texts could match it: a piece of three signs has to stand in them. */
function isTelling(pattern: RegExp): boolean {
  return isRare(keyOf(requirementOf(pattern)))
}

/**
 * Reads a requirement off an expression, as indexes for searching code do (Cox, "Regular Expression Matching with a Trigram Index"):
 * what may be left out, repeated or chosen from many requires nothing.
 */
export function requirementOf({ source, unicode, unicodeSets }: RegExp): Requirement {
  if (unicode || unicodeSets) return []
  return new Reader(source)
    .alternatives()
    .toSorted((a, b) => a.length - b.length)
    .map((clause) => Uint32Array.from(clause.map(placesOf).flatMap((places) => [places.length, ...places])))
}

/** Literals of which one has to stand in the text. */
type Clause = readonly string[]

/** Reads the syntax that the expressions here are written in; whatever else it meets requires nothing. */
class Reader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Up to the end, or the bracket that closes the group. */
  alternatives(): readonly Clause[] {
    const any = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at++
      any.push(this.#sequence())
    }
    return anyOf(any)
  }

  #sequence(): readonly Clause[] {
    const all: Clause[] = []
    let literal = ''
    const end = (): void => {
      if (literal !== '') all.push([literal])
      literal = ''
    }
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at] as string)) {
      const piece = this.#piece()
      if (piece === nothing) continue
      const { min, exact } = this.#quantifier()
      if (typeof piece === 'string' && min > 0) {
        literal += piece
        if (!exact) end()
        continue
      }
      end()
      if (min > 0 && typeof piece === 'object') all.push(...piece)
    }
    end()
    return all.toSorted((a, b) => worthOf(b) - worthOf(a)).slice(0, clausesMax)
  }

  /** A letter or a sign, what a group or a class requires, `undefined` for what may be anything, `nothing` for what takes no room. */
  #piece(): string | readonly Clause[] | undefined | typeof nothing {
    const sign = this.#source[this.#at++] as string
    switch (sign) {
      case '^':
      case '$':
        return nothing
      case '.':
        return undefined
      case '\\':
        return this.#escaped()
      case '[':
        return this.#class()
      case '(':
        return this.#group()
      default:
        return sign.charCodeAt(0) < 128 ? sign : undefined
    }
  }

  #escaped(): string | undefined | typeof nothing {
    const sign = this.#source[this.#at++] as string
    if (sign === 'b' || sign === 'B') return nothing
    if (sign === 'x' || sign === 'u' || sign === 'c') {
      this.#at += { x: 2, u: 4, c: 1 }[sign]
      return undefined
    }
    const control = controls[sign]
    if (control !== undefined) return control
    return /[\w\s]/.test(sign) ? undefined : sign
  }

  /** Of a few signs any; of more, of ranges, and of what is not, nothing is required. */
  #class(): readonly Clause[] | undefined {
    const negated = this.#source[this.#at] === '^'
    if (negated) this.#at++
    const signs: string[] = []
    let isWide = negated
    for (let first = true; this.#source[this.#at] !== ']' || first; first = false) {
      const sign = this.#source[this.#at++] as string
      if (sign === ']') return undefined
      if (sign === '-' && !first && this.#source[this.#at] !== ']') isWide = true
      const read = sign === '\\' ? this.#escaped() : sign.charCodeAt(0) < 128 ? sign : undefined
      if (read === undefined) isWide = true
      else signs.push(read === nothing ? '\b' : read)
    }
    this.#at++
    return isWide || signs.length > classMax ? undefined : [signs]
  }

  #group(): readonly Clause[] | typeof nothing {
    const looks = /^\?(?:<?[=!])/.test(this.#source.slice(this.#at, this.#at + 3))
    if (this.#source[this.#at] === '?') {
      const kind = /^\?(?::|<?[=!]|<\w{1,32}>)/.exec(this.#source.slice(this.#at, this.#at + 36))
      this.#at += kind?.[0].length ?? 1
    }
    const inner = this.alternatives()
    this.#at++
    return looks ? nothing : inner
  }

  #quantifier(): { min: number; exact: boolean } {
    const found = /^(?:[*+?]|\{(\d{1,9})(?:(,)\d{0,9})?\})\??/.exec(this.#source.slice(this.#at, this.#at + 24))
    if (found === null) return once
    this.#at += found[0].length
    const least = found[1] === undefined ? (found[0].startsWith('+') ? 1 : 0) : Number(found[1])
    return { min: least, exact: false }
  }
}

/** What stands for a place, and takes no room. */
const nothing = Symbol('nothing')

const once = { min: 1, exact: true }
const clausesMax = 3
const classMax = 12
const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' }

/** Whichever alternative it is, one of what is worth most in each has to be there. */
function anyOf(alternatives: readonly (readonly Clause[])[]): readonly Clause[] {
  if (alternatives.length === 1) return alternatives[0] as readonly Clause[]
  const any: string[] = []
  for (const [best] of alternatives) {
    if (best === undefined) return []
    any.push(...best)
  }
  return [[...new Set(any)]]
}

/** The longer its shortest literal, the fewer texts meet it; and the fewer there are, the sooner that is known. */
function worthOf(clause: Clause): number {
  return Math.min(3, ...clause.map(({ length }) => length)) - clause.length / 64
}
