import { afterNumber } from './number.ts'
import { operatorAt } from './operators.ts'
import { kinds, Tokens } from './tokens.ts'
import { hashStep, mayBeginPath, mayBeWord, wordOf, wordOfPath, wordSigns } from './words.ts'

/** How a text is read: as what stands in an expression, or as what stands behind an opening quote. */
export interface Reading {
  readonly quote: '' | "'" | '"' | '`'
  /** Whether what stands in a comment of one line is read too: for text that people wrote, where `#` and `--` begin none. */
  readonly comments: boolean
}

/** Reads a text as SQL of no dialect in particular: whatever any of them takes for a string, a comment or an operator is one. */
export function tokenise(text: string, { quote, comments }: Reading): Tokens {
  tokens.clear()
  const dead: Dead = { block: false, dollars: 0 }
  let at = quote === '' ? 0 : firstLiteral(text, quote, tokens)
  while (at < text.length) at = step(text, at, tokens, comments, dead)
  return tokens
}

/** Of one reading at a time: that of the last is gone when the next begins. */
const tokens = new Tokens()

/** What was looked for once and stands nowhere behind: else looking for it again and again takes the square of the time. */
interface Dead {
  block: boolean
  dollars: number
}

/** The literal that the text begins in. A backslash escapes nothing there: what put it may not be what the database reads by. */
function firstLiteral(text: string, quote: string, tokens: Tokens): number {
  let at = text.indexOf(quote)
  while (at >= 0 && text[at + 1] === quote) at = text.indexOf(quote, at + 2)
  tokens.add(at < 0 ? kinds.open : kinds.string, 0, at < 0 ? text.length : at + 1)
  return at < 0 ? text.length : at + 1
}

function step(text: string, at: number, tokens: Tokens, comments: boolean, dead: Dead): number {
  const code = text.charCodeAt(at)
  const next = text.charCodeAt(at + 1)
  if (isSpace(code)) return at + 1
  if (isWord(code)) return isDigit(code) ? number(text, at, tokens) : word(text, at, tokens)
  switch (code) {
    case 0x22: // "
    case 0x27: // '
      return string(text, at, at, tokens)
    case 0x60: // `
      return quotedName(text, at, '`', tokens)
    case 0x5b: // [
      return bracketName(text, at, tokens)
    case 0x28: // (
    case 0x7b: // {
      tokens.add(kinds.left, at, at + 1)
      return at + 1
    case 0x29: // )
    case 0x7d: // }
      tokens.add(kinds.right, at, at + 1)
      return at + 1
    case 0x2c: // ,
      tokens.add(kinds.comma, at, at + 1)
      return at + 1
    case 0x3b: // ;
      tokens.add(kinds.semicolon, at, at + 1)
      return at + 1
    case 0x23: // #
      return next === 0x3e ? operator(text, at, tokens) : lineComment(text, at, 1, tokens, comments)
    case 0x00: // where the program behind reads C strings, the statement ends here
      tokens.add(kinds.comment, at, at + 1)
      return at + 1
    case 0x2d: // -
      return next === 0x2d ? lineComment(text, at, 2, tokens, comments) : operator(text, at, tokens)
    case 0x2f: // /
      return next === 0x2a ? blockComment(text, at, tokens, dead) : operator(text, at, tokens)
    case 0x2a: // * of a comment that some dialects nest, or that MySQL runs
      return next === 0x2f ? at + 2 : operator(text, at, tokens)
    case 0x40: // @
      return variable(text, at, tokens)
    case 0x24: // $
      return dollar(text, at, tokens, dead)
    case 0x3a: // :
      return colon(text, at, tokens)
    case 0x2e: // .
      if (isDigit(next)) return number(text, at, tokens)
      tokens.add(kinds.other, at, at + 1)
      return at + 1
    case 0x5c: // \
      if (next === 0x4e && !isWord(text.charCodeAt(at + 2))) {
        tokens.add(kinds.literal, at, at + 2) // \N of MySQL
        return at + 2
      }
      return next === 0x27 || next === 0x22 ? at + 1 : other(at, tokens)
    default:
      return operator(text, at, tokens)
  }
}

function operator(text: string, at: number, tokens: Tokens): number {
  const found = operatorAt(text, at)
  if (found === undefined) return other(at, tokens)
  tokens.add(found.kind, at, at + found.text.length, found.word)
  return at + found.text.length
}

function other(at: number, tokens: Tokens): number {
  tokens.add(kinds.other, at, at + 1)
  return at + 1
}

function number(text: string, at: number, tokens: Tokens): number {
  const end = afterNumber(text, at)
  tokens.add(kinds.number, at, end)
  return end
}

/** A string, whose content ends at a quote that is neither doubled nor behind a backslash. */
function string(text: string, start: number, at: number, tokens: Tokens): number {
  const quote = text.charCodeAt(at)
  let end = at + 1
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x5c) end++
    else if (code !== quote) continue
    else if (text.charCodeAt(end + 1) === quote) end++
    else break
  }
  const open = end >= text.length
  tokens.add(open ? kinds.open : kinds.string, start, open ? text.length : end + 1)
  return open ? text.length : end + 1
}

const quotedMax = 128

/** A name in backticks, which may be a piece of a longer one. Where it is too long for a name, the backtick is none. */
function quotedName(text: string, at: number, quote: string, tokens: Tokens): number {
  const end = closing(text, at, quote)
  if (end < 0) return other(at, tokens)
  if (text[end] === '.') return path(text, at, end, tokens, false)
  tokens.add(kinds.name, at, end, wordOfPath(text.slice(at + 1, end - 1).toLowerCase()))
  return end
}

function bracketName(text: string, at: number, tokens: Tokens): number {
  const end = closing(text, at, ']')
  if (end < 0 || !isWord(text.charCodeAt(at + 1))) return other(at, tokens)
  tokens.add(kinds.name, at, end)
  return end
}

/** Behind the closing quote, or −1. */
function closing(text: string, at: number, quote: string): number {
  const most = Math.min(text.length, at + quotedMax)
  for (let end = at + 1; end < most; end++) if (text[end] === quote) return end + 1
  return -1
}

/** What may stand before a quote and belongs to the string. */
const stringPrefixes = new Set(['n', 'x', 'b', 'e', 'q', 'nq', 'r', 'u'])

function word(text: string, start: number, tokens: Tokens): number {
  let end = start
  let hash = 0
  let isCommon = true
  for (; ; end++) {
    const code = text.charCodeAt(end)
    const sign = code < 128 ? (wordSigns[code] as number) : isWord(code) ? underline : 0
    if (sign === 0) break
    if (sign === underline) isCommon = false
    hash = hashStep(hash, sign)
  }
  const next = text.charCodeAt(end)
  if (next === 0x26 && end === start + 1 && (text.charCodeAt(start) | 0x20) === 0x75) {
    const quote = text.charCodeAt(end + 1) // U&'d\0061t' of the standard
    if (quote === 0x27 || quote === 0x22) return string(text, start, end + 1, tokens)
  }
  if (next === 0x27 && (end - start <= 2 || text.charCodeAt(start) === 0x5f)) {
    const prefix = text.slice(start, end).toLowerCase()
    if (prefix === 'q' || prefix === 'nq') return alternativeString(text, start, end, tokens)
    if (stringPrefixes.has(prefix) || prefix.startsWith('_')) return string(text, start, end, tokens)
  }
  if (next === 0x2e && (goesOnAsPath(text, end) || end - start > longestWord))
    return path(text, start, end, tokens, isCommon && !mayBeginPath(hash, false))
  const isUnknown = end - start > longestWord || !mayBeWord(hash, !isCommon)
  return named(text, start, end, tokens, isUnknown ? undefined : text.slice(start, end).toLowerCase())
}

/** `_`; and what is not ASCII counts as it: by these a word may be known though no list holds it. */
const underline = 0x5f

/** Whether a piece of a name follows the dot, or another dot. */
function goesOnAsPath(text: string, dot: number): boolean {
  const next = text.charCodeAt(dot + 1)
  return next === 0x2e || next === 0x60 || isWord(next)
}

const longestWord = 64

function named(text: string, start: number, end: number, tokens: Tokens, name: string | undefined): number {
  const known = name === undefined ? undefined : (wordOf(name) ?? wordOfPath(name))
  if (opensBracket(text, end) && (known === undefined || known.call)) tokens.add(kinds.call, start, end, known)
  else tokens.add(known?.kind ?? kinds.name, start, end, known)
  return end
}

/** A name of several pieces: `master..sysdatabases`, `information_schema.tables`, with or without backticks. */
function path(text: string, start: number, from: number, tokens: Tokens, beginsUnknown: boolean): number {
  let end = from
  let isUnknown = beginsUnknown
  for (let piece = 0; piece < 6 && text.charCodeAt(end) === 0x2e; piece++) {
    let next = end + 1
    if (text.charCodeAt(next) === 0x2e) next++
    const begin = next
    if (text[next] === '`') next = Math.max(begin, closing(text, next, '`'))
    else while (isWord(text.charCodeAt(next))) next++
    if (next === begin) break
    end = next
  }
  if (isUnknown) for (let at = from; at < end && isUnknown; at++) isUnknown = isPlainPiece(text.charCodeAt(at))
  if (isUnknown) return named(text, start, end, tokens, undefined)
  if (end === from)
    return named(text, start, end, tokens, plainName(text.slice(start, Math.min(end, start + longestWord))))
  return named(text, start, end, tokens, end - start > 2 * longestWord ? undefined : plainName(text.slice(start, end)))
}

/** What no name is known by, where its first piece is unknown. */
function isPlainPiece(code: number): boolean {
  return code < 128 && code !== underline && code !== 0x60
}

function plainName(path: string): string {
  return path.replaceAll('`', '').toLowerCase()
}

function opensBracket(text: string, at: number): boolean {
  for (let next = at; next < at + 16; next++) {
    const code = text.charCodeAt(next)
    if (code === 0x28) return true
    if (
      code === 0x2f &&
      text.charCodeAt(next + 1) === 0x2a &&
      text.charCodeAt(next + 2) === 0x2a &&
      text.charCodeAt(next + 3) === 0x2f
    )
      next += 3
    else if (!isSpace(code)) return false
  }
  return false
}

/** Oracle's `q'[…]'`. */
function alternativeString(text: string, start: number, quote: number, tokens: Tokens): number {
  const opener = text[quote + 1] ?? ''
  const closer = `${closers[opener] ?? opener}'`
  const end = text.slice(quote + 2, quote + longestAlternative).indexOf(closer)
  if (end >= 0) {
    tokens.add(kinds.string, start, quote + end + 4)
    return quote + end + 4
  }
  return string(text, start, quote, tokens)
}

const longestAlternative = 128

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' }

function variable(text: string, start: number, tokens: Tokens): number {
  let at = start + 1
  if (text[at] === '@') at++
  else if (text[at] === '>') return operator(text, start, tokens) // @> of PostgreSQL
  const from = at
  const quote = text[at]
  if (quote === '`' || quote === "'" || quote === '"') at = Math.max(from, closing(text, at, quote))
  else while (isWord(text.charCodeAt(at)) || text[at] === '.') at++
  tokens.add(at === start + 1 ? kinds.other : kinds.variable, start, at)
  return at
}

/** PostgreSQL's `$tag$…$tag$`, `$1`, or a name. */
function dollar(text: string, start: number, tokens: Tokens, dead: Dead): number {
  let at = start + 1
  while (at < start + 32 && isWord(text.charCodeAt(at)) && text[at] !== '$') at++
  if (text[at] === '$') {
    const tag = text.slice(start, at + 1)
    const end = dead.dollars < deadDollarsMax ? text.indexOf(tag, at + 1) : -1
    if (end < 0) dead.dollars++
    else {
      tokens.add(kinds.string, start, end + tag.length)
      return end + tag.length
    }
  }
  if (at === start + 1) return other(start, tokens)
  tokens.add(kinds.variable, start, at)
  return at
}

const deadDollarsMax = 8

function colon(text: string, at: number, tokens: Tokens): number {
  const next = text.charCodeAt(at + 1)
  if (next === 0x3a || next === 0x3d) return operator(text, at, tokens)
  if (!isWord(next)) return other(at, tokens)
  let end = at + 2
  while (isWord(text.charCodeAt(end))) end++
  tokens.add(kinds.variable, at, end)
  return end
}

/** `/*…*\/` is white space; what MySQL runs (`/*!50000 …`) is read; one that nothing closes comments out the rest. */
function blockComment(text: string, at: number, tokens: Tokens, dead: Dead): number {
  const mark = text[at + 2]
  if (mark === '!' || (mark === 'M' && text[at + 3] === '!')) {
    let from = at + (mark === '!' ? 3 : 4)
    const most = from + 6
    while (from < most && isDigit(text.charCodeAt(from))) from++
    return from
  }
  const end = dead.block ? -1 : text.indexOf('*/', at + 2)
  if (end >= 0) return end + 2
  dead.block = true
  tokens.add(kinds.comment, at, text.length)
  return at + 2
}

function lineComment(text: string, at: number, length: number, tokens: Tokens, comments: boolean): number {
  tokens.lineComments++
  const end = comments ? -1 : lineEnd(text, at)
  if (end < 0 || end >= text.length) {
    tokens.add(kinds.comment, at, text.length)
    return comments ? at + length : text.length
  }
  return end + 1
}

function lineEnd(text: string, at: number): number {
  for (let end = at; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x0a || code === 0x0d) return end
  }
  return -1
}

/** White space of any dialect: MySQL takes U+00A0 for a space, SQL Server every control character. */
function isSpace(code: number): boolean {
  return (
    (code <= 0x20 && code !== 0) ||
    code === 0xa0 ||
    code === 0x85 ||
    code === 0x3000 ||
    (code >= 0x2000 && code <= 0x200b)
  )
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Letters, digits, `_`, `$`, and letters outside of ASCII. */
function isWord(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    (code > 0xbf && !isSpace(code) && !(code >= 0x2010 && code <= 0x206f))
  )
}
