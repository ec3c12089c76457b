/** Where the text ends before the markup does. */
export const unending = -1

/** Where the markup that begins at a `<` ends (WHATWG HTML §13.2.5); `unending` where it does not; nothing where the `<` begins none. */
export function markupEnd(html: string, less: number): number | undefined {
  return joinedEnd(html, less + 1)
}

/** The same, for the place behind the `<`. */
export function joinedEnd(html: string, at: number): number | undefined {
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

/** The name of the tag that begins there, in lower case. */
export function tagName(html: string, start: number): string {
  let at = start
  while (at < html.length && !endsName(html.charCodeAt(at))) at++
  return html.slice(start, at).toLowerCase()
}

/** An attribute as it is written, with references in its value. */
export type OnAttribute = (name: string, value: string) => void

/**
 * Behind the `>` that ends a tag: one that is not within the quotes of a value (§13.2.5.32 to §13.2.5.40). Its attributes are told
 * on the way.
 */
export function tagEnd(html: string, start: number, on?: OnAttribute): number {
  let at = start
  while (at < html.length && !endsName(html.charCodeAt(at))) at++
  while (at < html.length) {
    const code = html.charCodeAt(at)
    if (code === greater) return at + 1
    if (code === slash || isSpace(code)) {
      at++
      continue
    }
    const from = at
    at++ // an `=` that comes first belongs to the name
    while (at < html.length && !endsAttribute(html.charCodeAt(at))) at++
    const to = at
    let next = at
    while (isSpace(html.charCodeAt(next))) next++
    if (html.charCodeAt(next) !== equals) {
      on?.(html.slice(from, to), '')
      at = next
      continue
    }
    next++
    while (isSpace(html.charCodeAt(next))) next++
    const quote = html.charAt(next)
    if (quote === '"' || quote === "'") {
      const close = html.indexOf(quote, next + 1)
      if (close === -1) return unending
      on?.(html.slice(from, to), html.slice(next + 1, close))
      at = close + 1
    } else {
      at = next
      while (at < html.length && html.charCodeAt(at) !== greater && !isSpace(html.charCodeAt(at))) at++
      on?.(html.slice(from, to), html.slice(next, at))
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

const greater = 0x3e
export const slash = 0x2f
const exclamation = 0x21
const question = 0x3f
const equals = 0x3d

export function isLetter(code: number): boolean {
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
