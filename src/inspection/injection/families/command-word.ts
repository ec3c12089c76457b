/** The first word of a command as a shell would read it: quotes, escapes and empty expansions taken away. */
export interface Word {
  /** In lower case, without the folders before it and `.exe` behind it. */
  readonly name: string
  readonly end: number
  /** It was written so that it does not look like itself: `c'a't`, `c\at`, `c$@at`, `c^md`. */
  readonly noisy: boolean
  /** It begins with a capital, as a name or a sentence does. */
  readonly capital: boolean
  /** It stands in quotes as a whole. */
  readonly quoted: boolean
  /** It is called by the path of a folder of programs. */
  readonly binary: boolean
  /** A glob for a path: `/???/c?t`. */
  readonly wild: boolean
  /** How many variables it is made of. */
  readonly variables: number
  /** `a=b` */
  readonly assigns: boolean
  readonly isOption: boolean
}

/** Reads a word; undefined where none begins. A word is cut at 96 characters, which no command has. */
export function readWord(text: string, from: number): Word | undefined {
  let folded = ''
  let letters = 0
  let inner = false
  let openings = 0
  let variables = 0
  let wild = false
  let assigns = false
  let ended = false
  let at = from
  const last = Math.min(text.length, from + wordMax)
  while (at < last && !ended) {
    const char = text[at] as string
    switch (char) {
      case "'":
      case '"': {
        const close = text.indexOf(char, at + 1)
        if (close < 0 || close >= last) {
          ended = true
          break
        }
        if (at > from || (close + 1 < last && isWordChar(text.charCodeAt(close + 1)))) inner = true
        if (at === from) openings++
        folded += text.slice(at + 1, close)
        at = close + 1
        break
      }
      case '\\': {
        const next = text.charCodeAt(at + 1)
        if (isLetter(next) && !isPathy(folded)) {
          inner = true
          at++
        } else if (next === 0x0a) at += 2
        else {
          folded += '/'
          at++
        }
        break
      }
      case '^':
        inner = true
        at++
        break
      case '$': {
        const used = readVariable(text, at)
        if (used === undefined) {
          ended = true
          break
        }
        if (used.isSpace) {
          ended = true
          break
        }
        if (used.isEmpty) inner = true
        else variables++
        at = used.end
        break
      }
      case '{':
        // `{cat,/etc/passwd}`: a list is words with spaces between them.
        if (at !== from) ended = true
        else {
          const comma = text.indexOf(',', at + 1)
          if (comma < 0 || comma >= last) return undefined
          inner = true
          at++
        }
        break
      case '?':
      case '*':
      case '[':
      case ']':
        if (!folded.startsWith('/')) {
          ended = true
          break
        }
        wild = true
        folded += char
        at++
        break
      case '=':
        assigns = folded.length > 0 && /^\w{1,32}$/.test(folded)
        if (!assigns) ended = true
        else {
          const value = endOfValue(text, at + 1, last)
          folded = ''
          at = value
          ended = true
        }
        break
      default: {
        const code = text.charCodeAt(at)
        if (isWordChar(code) || (code === 0x2b && text.includes(' '))) {
          folded += char
          if (isLetter(code)) letters++
          at++
        } else ended = true
      }
    }
  }
  if (assigns) return { ...bare, end: at, assigns: true }
  if (folded === '' && variables === 0) return undefined
  const lower = folded.toLowerCase()
  const slash = lower.lastIndexOf('/')
  const own = slash < 0 ? lower : lower.slice(slash + 1)
  const name = own.includes('.') ? own.replace(programEnding, '') : own
  const binary = slash >= 0 && programFolder.test(lower)
  return {
    name,
    end: at,
    noisy: inner && (letters > 0 || variables > 0),
    capital: !inner && /^[A-Z][a-z]/.test(folded),
    quoted: openings === 1 && !inner,
    binary,
    wild: wild && (globPath.test(lower) || programFolder.test(lower)),
    variables,
    assigns: false,
    isOption: lower.startsWith('-'),
  }
}

const wordMax = 96
const bare = {
  name: '',
  noisy: false,
  capital: false,
  quoted: false,
  binary: false,
  wild: false,
  variables: 0,
  isOption: false,
}
const programEnding = /\.(?:exe|com|bat|cmd|ps1|sh)$/
const programFolder =
  /^(?:\/(?:usr\/(?:local\/)?)?s?bin\/[a-z0-9[?*]|[a-z]:\/{1,2}windows\/{1,2}system32\/{1,2}[\w-]{1,32}\.(?:exe|com)\b)/
/** A path that is a question more than an answer: `/???/c?t`, `/bi[n]/sh`, `/b*\/id`. */
const globPath = /^\/(?:[a-z]{0,6}[?*][?*a-z]{0,6}|[a-z]{0,4}\[[a-z-]{1,6}\][a-z]{0,4})\/[a-z?*[\]]{1,16}/

/** `$@`, `$*`, `${x}`, `$x`, `$1`, `$'…'`, `$IFS`: how far it goes, and whether it stands for nothing or for a space. */
function readVariable(text: string, at: number): { end: number; isEmpty: boolean; isSpace: boolean } | undefined {
  const next = text.charCodeAt(at + 1)
  if (next === 0x40 || next === 0x2a || next === 0x21 || next === 0x23 || (next >= 0x31 && next <= 0x39))
    return { end: at + 2, isEmpty: true, isSpace: false }
  if (next === 0x7b) {
    const close = text.indexOf('}', at + 2)
    if (close < 0 || close > at + 48) return undefined
    const name = text.slice(at + 2, close)
    return { end: close + 1, isEmpty: name === '@' || name === '*', isSpace: name.startsWith('IFS') }
  }
  let end = at + 1
  while (end < text.length && end < at + 32 && isNameChar(text.charCodeAt(end))) end++
  if (end === at + 1) return undefined
  return { end, isEmpty: false, isSpace: text.startsWith('IFS', at + 1) }
}

function endOfValue(text: string, from: number, last: number): number {
  let at = from
  while (at < last && !isBreak(text.charCodeAt(at))) at++
  return at
}

function isBreak(code: number): boolean {
  return code <= 0x20 || code === 0x3b || code === 0x26 || code === 0x7c || code === 0x29
}

/** Behind a drive or a folder a backslash is a separator, not an escape. */
function isPathy(folded: string): boolean {
  return folded.endsWith(':') || folded.endsWith('/') || folded.includes(':/')
}

function isWordChar(code: number): boolean {
  return isNameChar(code) || code === 0x2e || code === 0x2d || code === 0x2f || code === 0x3a
}

function isNameChar(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39) || code === 0x5f
}

function isLetter(code: number): boolean {
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x7a
}
