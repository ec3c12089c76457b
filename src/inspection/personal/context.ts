/** What stands around a place in a text, for finders that ask for more than a shape. */
export class Surroundings {
  readonly text: string
  readonly #name: string
  readonly #mayBeAlone: boolean
  #bare: boolean | undefined
  #windowAt = -1
  #windowEnd = -1
  #window = ''

  constructor(text: string, name: string | undefined) {
    this.text = text
    this.#name = name === undefined ? '' : nameWords(name)
    this.#mayBeAlone = name === undefined || anyName.test(name)
  }

  /** Whether the member's name, or the text close by, has one of the words. */
  tells(words: RegExp, start: number, end: number): boolean {
    if (this.#name !== '' && words.test(this.#name)) return true
    return words.test(this.#around(start, end))
  }

  /** Whether the name of the member alone has one of the words. */
  isNamed(words: RegExp): boolean {
    return this.#name !== '' && words.test(this.#name)
  }

  /** Whether the text is nothing but such values, as the answer to a question is, and its member's name says nothing else. */
  isAlone(): boolean {
    if (!this.#mayBeAlone) return false
    return (this.#bare ??= this.text.length <= aloneMax && isBare(this.text))
  }

  #around(start: number, end: number): string {
    if (this.#windowAt !== start || this.#windowEnd !== end) {
      this.#windowAt = start
      this.#windowEnd = end
      const { text } = this
      // The line break stands for the value itself: no word reaches over it.
      this.#window =
        `${text.slice(Math.max(0, start - contextBefore), start)}\n${text.slice(end, end + contextAfter)}`.replace(
          labels,
          ' ',
        )
    }
    return this.#window
  }
}

/** What stands where something was redacted tells nothing of its neighbours; of the first only the end may be in the window. */
const labels = /\[[A-Za-z-]{2,20}(?::[A-Za-z_]{0,64})?\]?|^[A-Z-]{1,20}\]/g

/** How far from a value words are looked for. */
export const contextBefore = 48
export const contextAfter = 24

/** One expression for many words: whole words where letters join, anywhere in scripts that write no spaces. */
export function wordsPattern(words: readonly string[]): RegExp {
  const spaced = words.filter((word) => !spaceless.test(word))
  const other = words.filter((word) => spaceless.test(word))
  const parts = [...(spaced.length > 0 ? [`(?<!\\p{L})(?:${spaced.map(loose).join('|')})(?!\\p{L})`] : []), ...other]
  return new RegExp(parts.join('|'), 'iu')
}

const spaceless = /[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/

/** Words of one term may stand with a space, a hyphen, an underscore, or nothing between them. */
function loose(term: string): string {
  return term.replace(/[.]/g, '\\.').replaceAll(' ', '[ _.-]?')
}

/** `userSsnNumber`, `user_ssn` → `user ssn number`. */
function nameWords(name: string): string {
  return name
    .slice(0, 64)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_.\-/[\]]/g, ' ')
    .replace(/[0-9]/g, ' ')
}

/** Names that tell nothing of what is in them. */
const anyName =
  /^(?:text|message|content|value|input|output|answer|reply|response|prompt|question|query|q|comment|body|note|notes|data|payload|delta|description|string)?$/i

const aloneMax = 64

/** Whether every word of a text has a digit in it, or is a letter or two. */
function isBare(text: string): boolean {
  return text.split(/\s+/).every((word) => word.length < 3 || /[0-9]/.test(word))
}
