import type { Trait } from './functions.ts'

/** What a token is, as far as a reader of SQL of any dialect needs to know to say what may follow it. */
export const kinds = {
  number: 1,
  string: 2,
  /** A string that nothing closes before the text ends: the quote that the program puts behind it closes it. */
  open: 3,
  /** A name: of a column, a table, anything that is no known word. */
  name: 4,
  variable: 5,
  /** A name that stands before an opening bracket. */
  call: 6,
  literal: 7,
  operator: 8,
  compare: 9,
  logic: 10,
  not: 11,
  left: 12,
  right: 13,
  comma: 14,
  semicolon: 15,
  /** Of a comment that ends no line before the text ends: nothing behind it is read. */
  comment: 16,
  clause: 17,
  set: 18,
  select: 19,
  statement: 20,
  branch: 21,
  /** Words that may stand before an operand. */
  prefix: 22,
  other: 23,
} as const

export type Kind = (typeof kinds)[keyof typeof kinds]

/** What is known of a word of SQL. */
export interface Word {
  readonly text: string
  readonly kind: Kind
  /** Whether it names a function where an opening bracket follows, as `left`, `if` and `replace` do beside what else they are. */
  readonly call: boolean
  readonly trait: Trait | undefined
}

/** The tokens of one reading of a text, as columns: a text of a megabyte may have a million. */
export class Tokens {
  kind = new Uint8Array(columnMin)
  start = new Uint32Array(columnMin)
  end = new Uint32Array(columnMin)
  readonly word: (Word | undefined)[] = []
  length = 0
  /** How many comments of one line were met. */
  lineComments = 0

  add(kind: Kind, start: number, end: number, word?: Word): void {
    const at = this.length++
    if (at === this.kind.length) this.#grow()
    this.kind[at] = kind
    this.start[at] = start
    this.end[at] = end
    this.word.push(word)
  }

  /** Forgets all tokens, and keeps the columns for those of the next text. */
  clear(): void {
    if (this.kind.length > columnMax) {
      this.kind = new Uint8Array(columnMin)
      this.start = new Uint32Array(columnMin)
      this.end = new Uint32Array(columnMin)
    } else {
      this.kind.fill(0, 0, this.length)
      this.start.fill(0, 0, this.length)
      this.end.fill(0, 0, this.length)
    }
    this.word.length = 0
    this.length = 0
    this.lineComments = 0
  }

  /** Behind the last token there is none, though the columns go on. */
  #grow(): void {
    this.kind = widened(this.kind, new Uint8Array(this.kind.length * 4))
    this.start = widened(this.start, new Uint32Array(this.start.length * 4))
    this.end = widened(this.end, new Uint32Array(this.end.length * 4))
  }
}

const columnMin = 256
const columnMax = 16_384

function widened<Column extends Uint8Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from)
  return to
}
