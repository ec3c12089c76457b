import type { Decoding, View } from '../view.ts'
import { withoutComments } from './comment.ts'
import { decodeCssEscapes, decodeEscapes } from './escape.ts'
import { decodeHtml } from './html.ts'
import { smuggledIn, withoutInvisible } from './invisible.ts'
import { encodedRuns, type Run } from './runs.ts'
import { trait, traitsOf } from './traits.ts'
import { foldUnicode } from './unicode.ts'
import { decodeUrl } from './url.ts'
import { decodeUtf7 } from './utf7.ts'

/** What a text may be read as. */
export interface Views {
  /** The original first. */
  readonly views: readonly View[]
  /** More was hidden in it than is looked for: nobody honest writes so, and what is left over was not seen. */
  readonly exhausted: boolean
}

/**
 * A text, and what else its readers may take it for: first itself, then each decoding that differs, and what comes out of that
 * when it is decoded again. Beyond the bounds nothing is decoded any more, and `exhausted` says so.
 */
export function viewsOf(text: string): Views {
  const whole: View = { text, by: noDecoding, start: 0, end: text.length }
  if (traitsOf(text) === 0) return { views: [whole], exhausted: false }
  return new Reading(text.length).of(whole)
}

const noDecoding: readonly Decoding[] = []

/** How often a text is decoded again. */
const depthMax = 4
const viewsMax = 12
/** Units of all views together, the original apart. */
const unitsFactor = 8
const unitsMin = 65_536

/**
 * The ways of decoding, in the order in which the layers of a program mostly come: the server, the template, the script, the
 * database. Each is tried on what the one before it left.
 */
const steps: readonly Step[] = [
  { by: 'url', on: trait.percent, decode: decodeUrl },
  { by: 'utf7', on: trait.plus, decode: decodeUtf7 },
  { by: 'html', on: trait.ampersand, decode: decodeHtml },
  { by: 'escape', on: trait.backslash, decode: decodeEscapes },
  { by: 'invisible', on: trait.unusual, decode: withoutInvisible },
  { by: 'unicode', on: trait.unusual, decode: foldUnicode },
  { by: 'comment', on: trait.comment, decode: withoutComments, beside: true },
]

interface Step {
  readonly by: Decoding
  /** What a text has to hold for it. */
  readonly on: number
  /** Undefined where it changes nothing. */
  readonly decode: (text: string) => string | undefined
  /** What it leaves is another reading, beside the one that the next steps go on with. */
  readonly beside?: true
}

/** One text while it is decoded: what was seen, and what is still to be followed. */
class Reading {
  readonly #views: View[] = []
  readonly #open: { readonly view: View; readonly depth: number }[] = []
  #units: number
  #exhausted = false

  constructor(length: number) {
    this.#units = length * unitsFactor + unitsMin + length
  }

  of(whole: View): Views {
    this.#add(whole, 0)
    for (let next = this.#open.shift(); next !== undefined && !this.#exhausted; next = this.#open.shift()) {
      this.#follow(next.view, next.depth)
    }
    return { views: this.#views, exhausted: this.#exhausted }
  }

  /** A view to look at, and to decode further later on. */
  #add(view: View, depth: number): void {
    if (this.#takes(view, depth)) this.#open.push({ view, depth })
  }

  #takes(view: View, depth: number): boolean {
    if (view.text === '' || this.#has(view.text)) return false
    this.#units -= view.text.length
    if (depth > depthMax || this.#views.length === viewsMax || this.#units < 0) {
      this.#exhausted = true
      return false
    }
    this.#views.push(view)
    return true
  }

  /** They are few, and mostly differ in length: a set would have to read each of them. */
  #has(text: string): boolean {
    return this.#views.some((view) => view.text === text)
  }

  /** Goes through the steps again and again until nothing changes; what branches off is followed afterwards. */
  #follow(start: View, begun: number): void {
    let view = start
    for (let depth = begun; !this.#exhausted; depth++) {
      const traits = traitsOf(view.text)
      if (traits === 0) return
      this.#branch(view, traits, depth + 1)
      const next = traits === trait.run ? view : this.#round(view, traits, depth + 1)
      if (next === view) return
      view = next
    }
  }

  /** One time through the steps. */
  #round(start: View, holds: number, depth: number): View {
    let view = start
    let traits = holds
    for (const { by, on, decode, beside } of steps) {
      if ((traits & on) === 0) continue
      const text = decode(view.text)
      if (text === undefined || text === view.text) continue
      if (beside === true) {
        this.#add({ text, by: [...view.by, by], start: view.start, end: view.end }, depth)
        continue
      }
      const before = view
      view = { text, by: [...before.by, by], start: before.start, end: before.end }
      traits = traitsOf(text)
      this.#takes(view, depth)
      if (by === 'url' && before.text.includes('+')) this.#add({ ...view, text: text.replaceAll('+', ' ') }, depth)
    }
    return view
  }

  /** What stands in a part of it, or is another reading of the same signs. */
  #branch(view: View, traits: number, depth: number): void {
    if ((traits & trait.run) !== 0) this.#branchRuns(view, encodedRuns(view.text), depth)
    if ((traits & trait.unusual) !== 0) {
      this.#branchRuns(
        view,
        smuggledIn(view.text).map((hidden): Run => ({ ...hidden, by: 'invisible' })),
        depth,
      )
    }
    if ((traits & trait.backslash) !== 0) {
      const text = decodeCssEscapes(view.text)
      if (text !== undefined) this.#add({ ...view, text, by: [...view.by, 'escape'] }, depth)
    }
  }

  /** The first few by themselves; the others in one view. A tab parts them: ends of lines are signs of their own, and of a document. */
  #branchRuns(view: View, runs: readonly Run[], depth: number): void {
    const alone = runs.length <= aloneMax + 1 ? runs : runs.slice(0, aloneMax)
    for (const run of alone) this.#add(within(view, run), depth)
    const others = runs.slice(alone.length)
    const [first, last] = [others[0], others.at(-1)]
    if (first === undefined || last === undefined) return
    this.#add(within(view, { ...first, text: others.map(({ text }) => text).join('\t'), end: last.end }), depth)
  }
}

const aloneMax = 2

/** A run of the original has its own place; one of what was decoded has the place of the whole. */
function within(view: View, { text, by, start, end }: Run): View {
  return view.by.length === 0
    ? { text, by: [by], start, end }
    : { text, by: [...view.by, by], start: view.start, end: view.end }
}
