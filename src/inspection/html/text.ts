/**
 * A text without markup. What a browser would read as a tag, a comment or a declaration (WHATWG HTML §13.2.5) is cut out, scripts
 * and styles with their contents; every other character stays as it was: `O'Brien`, `a < b`, `AT&T`, `&lt;b&gt;`. A `<` that
 * would begin a tag which nowhere ends is written `&lt;`. The result holds no markup, so that it is text and harmless HTML alike,
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

/** The same HTML, but that no markup in it runs on to the end: readers of HTML drop all that such a tag would take in. */
export function closeMarkup(html: string): string {
  for (let at = html.indexOf('<'); at !== -1; ) {
    const end = markupEnd(html, at)
    if (end === unending) return html.slice(0, at) + withoutOpenings(html.slice(at))
    at = html.indexOf('<', end ?? at + 1)
  }
  return html
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

  text(): string {
    return this.#parts.join('')
  }
}

const unending = -1

/** Where the markup that begins at a `<` ends; `unending` where it does not; nothing where the `<` begins none. */
function markupEnd(html: string, less: number): number | undefined {
  return joinedEnd(html, less + 1)
}

/** The same, for the place behind the `<`. */
function joinedEnd(html: string, at: number): number | undefined {
  const code = html.charCodeAt(at)
  if (isLetter(code)) return elementEnd(html, at)
  if (code === slash) return isLetter(html.charCodeAt(at + 1)) ? tagEnd(html, at + 1) : bogusEnd(html, at + 1)
  if (code === exclamation) return html.startsWith('--', at + 1) ? commentEnd(html, at + 3) : bogusEnd(html, at + 1)
  return code === question ? bogusEnd(html, at + 1) : undefined
}

/** A start tag; of a script and a style sheet all of it, since their contents are no text of the page. */
function elementEnd(html: string, at: number): number {
  const end = tagEnd(html, at)
  if (end === unending) return unending
  const name = rawName.exec(html.slice(at, at + 8))?.[1]?.toLowerCase()
  if (name === undefined) return end
  closings[name as keyof typeof closings].lastIndex = end
  const closing = closings[name as keyof typeof closings].exec(html)
  return closing === null ? unending : tagEnd(html, closing.index + 2)
}

const rawName = /^(script|style)[\t\n\f\r />]/i
const closings = { script: /<\/script(?=[\t\n\f\r />])/gi, style: /<\/style(?=[\t\n\f\r />])/gi }

/** Behind the `>` that ends a tag: one that is not within the quotes of a value (§13.2.5.32 to §13.2.5.40). */
function tagEnd(html: string, start: number): number {
  let at = start
  while (at < html.length && !endsName(html.charCodeAt(at))) at++
  while (at < html.length) {
    const code = html.charCodeAt(at)
    if (code === greater) return at + 1
    if (code === slash || isSpace(code)) {
      at++
      continue
    }
    at++ // an `=` that comes first belongs to the name
    while (at < html.length && !endsAttribute(html.charCodeAt(at))) at++
    let next = at
    while (isSpace(html.charCodeAt(next))) next++
    if (html.charCodeAt(next) !== equals) {
      at = next
      continue
    }
    next++
    while (isSpace(html.charCodeAt(next))) next++
    const quote = html.charAt(next)
    if (quote === '"' || quote === "'") {
      const close = html.indexOf(quote, next + 1)
      if (close === -1) return unending
      at = close + 1
    } else {
      at = next
      while (at < html.length && html.charCodeAt(at) !== greater && !isSpace(html.charCodeAt(at))) at++
    }
  }
  return unending
}

/** §13.2.5.43 to §13.2.5.51: `-->` and `--!>`, and `>` and `->` at once. */
function commentEnd(html: string, at: number): number {
  if (html.startsWith('>', at)) return at + 1
  if (html.startsWith('->', at)) return at + 2
  commentClosing.lastIndex = at
  return commentClosing.exec(html) === null ? unending : commentClosing.lastIndex
}

const commentClosing = /--!?>/g

function bogusEnd(html: string, at: number): number {
  const end = html.indexOf('>', at)
  return end === -1 ? unending : end + 1
}

/** What a browser would take for the inside of one tag up to the end: nothing in it may begin another. */
function withoutOpenings(html: string): string {
  return html.replace(/<(?=[A-Za-z/!?])/g, '&lt;')
}

const greater = 0x3e
const slash = 0x2f
const exclamation = 0x21
const question = 0x3f
const equals = 0x3d

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d
}

function endsName(code: number): boolean {
  return code === greater || code === slash || isSpace(code)
}

function endsAttribute(code: number): boolean {
  return code === equals || endsName(code)
}
