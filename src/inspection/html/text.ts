import { joinedEnd, markupEnd, unending } from './scan.ts'

/**
 * A text without markup. What a browser would read as a tag, a comment or a declaration (WHATWG HTML §13.2.5) is cut out, scripts
 * and styles with their contents; every other character stays as it was: `O'Brien`, `a < b`, `AT&T`, `&lt;b&gt;`. A `<` that
 * would begin a tag which nowhere ends, or is the last character, is written `&lt;`. The result holds no markup, so that it is text and harmless HTML alike,
 * and to strip it again changes nothing.
 */
export function stripMarkup(html: string): string {
  let at = html.indexOf('<')
  if (at === -1) return html
  const kept = new Kept()
  let from = 0
  while (at !== -1) {
    kept.add(html.slice(from, at))
    const end = markupEnd(html, at)
    if (end === undefined) {
      kept.add('<')
      from = at + 1
    } else if (end === unending) {
      kept.add(withoutOpenings(html.slice(at)))
      return kept.text()
    } else {
      from = end
      // what was cut out may have kept a `<` from what follows it: `<<b>script>`
      while (kept.endsWithLess()) {
        const joined = joinedEnd(html, from)
        if (joined === undefined) break
        kept.dropLast()
        if (joined === unending) {
          kept.add(`&lt;${withoutOpenings(html.slice(from))}`)
          return kept.text()
        }
        from = joined
      }
    }
    at = html.indexOf('<', from)
  }
  kept.add(html.slice(from))
  return kept.text()
}

/** What is kept, in parts, so that its end can be taken back. */
class Kept {
  readonly #parts: string[] = []

  add(part: string): void {
    if (part !== '') this.#parts.push(part)
  }

  endsWithLess(): boolean {
    return this.#parts.at(-1)?.endsWith('<') === true
  }

  dropLast(): void {
    const last = this.#parts.pop()
    if (last !== undefined) this.add(last.slice(0, -1))
  }

  /** A `<` at the very end may begin a tag together with what a page puts behind it, such as the next field. */
  text(): string {
    const text = this.#parts.join('')
    return text.endsWith('<') ? `${text.slice(0, -1)}&lt;` : text
  }
}

/** What a browser would take for the inside of one tag up to the end: nothing in it may begin another. */
function withoutOpenings(html: string): string {
  return html.replace(/<(?=[A-Za-z/!?])/g, '&lt;')
}
