import { textAt } from './statement.ts'
import { kinds, type Tokens } from './tokens.ts'

/** Whether what stands behind a `select` can be selected: prose says `select a plan`, SQL goes on behind the name. */
export function selectsSomething(tokens: Tokens, select: number): boolean {
  const kind = tokens.kind[select + 1]
  if (kind === kinds.name) {
    const next = tokens.kind[select + 2]
    if (next === kinds.name) return goesOn(tokens, select + 3) // the column by another name
    return (
      next === kinds.comma || next === kinds.comment || ['from', 'into'].includes(tokens.word[select + 2]?.text ?? '')
    )
  }
  return (kind !== undefined && selectable.has(kind)) || tokens.word[select + 1]?.text === 'top'
}

/** Whether what may stand behind `union` does: a selection, `values (1)`, or `table users`. */
export function selectsRows(text: string, tokens: Tokens, at: number): boolean {
  if (tokens.kind[at] === kinds.select) return selectsSomething(tokens, at)
  const word = textAt(text, tokens, at)
  const kind = tokens.kind[at + 1]
  if (word === 'values') return kind === kinds.left || tokens.word[at + 1]?.text === 'row'
  if (word !== 'table' || kind !== kinds.name) return false
  const behind = tokens.kind[at + 2]
  return behind === undefined || behind === 0 || afterTable.has(behind)
}

const afterTable: ReadonlySet<number> = new Set([kinds.comment, kinds.semicolon, kinds.set, kinds.clause, kinds.right])

const selectable: ReadonlySet<number> = new Set([
  kinds.call,
  kinds.number,
  kinds.string,
  kinds.literal,
  kinds.variable,
  kinds.left,
  kinds.operator,
  kinds.prefix,
  kinds.branch,
])

/** Whether a list of columns goes on, or ends, at a token. */
export function goesOn(tokens: Tokens, at: number): boolean {
  return tokens.kind[at] === kinds.comma || tokens.word[at]?.text === 'from'
}

/** Behind `top 1`, `top (1)`. */
export function afterTop(tokens: Tokens, from: number): number {
  if (tokens.word[from]?.text !== 'top') return from
  let at = from + 1
  const bracket = tokens.kind[at] === kinds.left
  if (bracket) at++
  if (tokens.kind[at] === kinds.number) at++
  if (bracket && tokens.kind[at] === kinds.right) at++
  return at
}

/** Whether what compares by a word has behind it what that word takes: prose says `in the box`, `is late`. */
export function comparesWith(text: string, tokens: Tokens, at: number, word: string): boolean {
  const next = tokens.kind[at + 1]
  if (word === 'in') return next === kinds.left || textAt(text, tokens, at + 1) === 'boolean'
  if (word === 'is') return next === kinds.literal || next === kinds.not || tokens.word[at + 1]?.text === 'distinct'
  return true
}

/** `id=id`. */
export function comparesWithItself(text: string, tokens: Tokens, at: number): boolean {
  if (tokens.kind[at - 1] !== kinds.name || tokens.kind[at + 1] !== kinds.name) return false
  const name = textAt(text, tokens, at - 1)
  return name !== '' && name === textAt(text, tokens, at + 1)
}

/** `like '%'`: whatever it is. */
export function comparesWithAnything(text: string, tokens: Tokens, at: number): boolean {
  const word = tokens.word[at]?.text
  if (word !== 'like' && word !== 'ilike') return false
  return /^'%{1,4}'?$/.test(textAt(text, tokens, at + 1))
}

/** Whether a string is what stands between two strings of a list, and so the strings are what stands between quotes. */
export function isGap(text: string, tokens: Tokens, at: number): boolean {
  const start = tokens.start[at] ?? 0
  const end = tokens.end[at] ?? 0
  return end - start < gapMax && gap.test(text.slice(start + 1, end))
}

const gapMax = 24

const gap = /^[\s\])}]{0,24}[,:;][\s([{]{0,24}['"`]?$/

/** Whether a string counts as a number that is not 0. */
export function isTruth(text: string, tokens: Tokens, at: number): boolean {
  const first = text.charCodeAt((tokens.start[at] ?? 0) + 1)
  return first >= 0x30 && first <= 0x39
}

/** `1.e(ascii)`: a number that MySQL reads over. */
export function isDisguise(text: string, tokens: Tokens, at: number): boolean {
  const start = tokens.start[at] ?? 0
  const end = tokens.end[at] ?? 0
  return tokens.kind[at] === kinds.number && end - start < 16 && (text.charCodeAt(end - 1) | 0x20) === 0x65
}

/** What must stand behind the word of a clause: `by`, an operand, or what follows one. */
export const clauses: Readonly<Record<string, 'by' | 'operand' | 'operator'>> = {
  from: 'operand',
  where: 'operand',
  having: 'operand',
  limit: 'operand',
  offset: 'operand',
  into: 'operand',
  as: 'operand',
  on: 'operand',
  join: 'operand',
  procedure: 'operand',
  using: 'operand',
  separator: 'operand',
  escape: 'operand',
  uescape: 'operand',
  collate: 'operand',
  for: 'operand',
  with: 'operand',
  over: 'operand',
  waitfor: 'operand',
  group: 'by',
  order: 'by',
  partition: 'by',
  inner: 'operator',
  left: 'operator',
  right: 'operator',
  outer: 'operator',
  cross: 'operator',
  natural: 'operator',
  full: 'operator',
  asc: 'operator',
  desc: 'operator',
  nulls: 'operator',
}

/** What clauses of two words have for their second. */
export const seconds: Readonly<Record<string, ReadonlySet<string>>> = {
  procedure: new Set(['analyse']),
  for: new Set(['update', 'xml', 'json', 'share', '1']),
  with: new Set(['rollup', 'ties', 'query']),
}

/** What `not` may stand before, between two operands. */
export const negatable: ReadonlySet<string> = new Set([
  'like',
  'in',
  'between',
  'rlike',
  'regexp',
  'ilike',
  'glob',
  'similar',
])
