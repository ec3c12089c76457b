/** Markup that is safe to send: made by `html`, and by nothing else. */
export class Html {
  readonly #markup: string

  private constructor(markup: string) {
    this.#markup = markup
  }

  static of(markup: string): Html {
    return new Html(markup)
  }

  toString(): string {
    return this.#markup
  }
}

/** What may stand in a template. `undefined` and `false` leave nothing behind. */
export type Part = Html | string | number | undefined | false | readonly Part[]

/**
 * Markup from a template. Everything put in is escaped for a text and for a quoted attribute alike, so a template has to
 * quote its attributes, and may put nothing into a tag's name, a script or a style.
 *
 * @example html`<p class="${kind}">${name}</p>`
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = strings[0] ?? ''
  parts.forEach((part, index) => {
    markup += markupOf(part) + strings[index + 1]
  })
  return Html.of(markup)
}

function markupOf(part: Part): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Html) return part.toString()
  if (typeof part === 'number') return String(part)
  if (typeof part === 'string') return escaped(part)
  return part.map(markupOf).join('')
}

/** NUL and halves of characters have no place in a document, and parsers differ in what they make of them. */
function escaped(text: string): string {
  return text.toWellFormed().replace(special, (character) => entities[character] ?? '\ufffd')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const special = /[&<>"'`\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g
