import { type Detector, type Hint, noSigns, type Sign } from '../detector.ts'
import type { FirstLook } from '../first-look.ts'
import type { Evidence } from './evidence.ts'
import { scanFragment } from './fragment.ts'
import { mayBreakOut, mayHoldSql } from './gate.ts'
import { type Reading, tokenise } from './tokenizer.ts'
import { kinds, type Tokens } from './tokens.ts'
import { walk } from './walk.ts'
import { confidenceOf, ruleOf, type Site, type Start } from './weigh.ts'

/** Finds texts that go on as SQL where the program behind expects a value, in any dialect. */
export const sqlDetector: Detector = { family: 'sql', scan }

function scan(text: string, hint: Hint, look: FirstLook): readonly Sign[] {
  if (versions.test(text)) return noSigns
  const fragment = hint.role === 'prose' ? noSigns : scanFragment(text, hint.role === 'name')
  if (fragment.length > 0) return fragment
  if (!mayHoldSql(text, look)) return noSigns
  const found = new Best()
  const lines = linesOf(text)
  const shape = {
    hint,
    lines,
    length: text.length,
    script: script.test(text),
    statements: lines > 5 ? statementsOf(text) : 0,
  }
  for (const quote of quotes) {
    if (quote !== '' && !mayBreakOut(text, quote)) continue
    const commented = read(text, { quote, comments: false }, shape, found)
    if (commented) read(text, { quote, comments: true }, shape, found)
  }
  return found.signs()
}

/** What versions of a package will do: `>=18 || ^16.14`. */
const versions =
  /^(?=.{0,64}[<>^~]=?\s?\d{1,4}\.)\s{0,2}(?:[<>]=?|[~^=])?\s?[\dxX*]{1,6}(?:\.[\dxX*]{1,6}){0,3}(?:(?:\s{0,2}(?:\|\||-|,)\s{0,2}|\s{1,2})(?:[<>]=?|[~^=])?\s?[\dxX*]{1,6}(?:\.[\dxX*]{1,6}){0,3}){0,7}\s{0,2}$/

const quotes: readonly Reading['quote'][] = ['', "'", '"', '`']

/** How a text begins that is SQL as people write it down. */
const script =
  /^\s{0,64}(?:--[^\n]{0,256}\n\s{0,64}){0,8}(?:select|insert|update|delete|create|drop|alter|set|with|revoke|grant)\s/i

function linesOf(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0 && lines < linesMax; at = text.indexOf('\n', at + 1)) lines++
  return lines
}

const linesMax = 64

/** Lines that begin as those of a script do. */
function statementsOf(text: string): number {
  let count = 0
  statementLine.lastIndex = 0
  while (count < statementsMax && statementLine.test(text)) count++
  return count
}

const statementLine =
  /^(?:select|insert|update|delete|create|drop|alter|set|grant|revoke|replace|with|begin|commit|comment|call|declare|prepare|execute|from|where|--)(?:\s|$)/gim
const statementsMax = 4

/** The surest sign of each rule. */
class Best {
  readonly #byRule = new Map<string, Sign>()

  add(sign: Sign): void {
    const before = this.#byRule.get(sign.rule)
    if (before === undefined || before.confidence < sign.confidence) this.#byRule.set(sign.rule, sign)
  }

  /** Doubts of one detector about one text are one doubt: of those below one half only the greatest counts. */
  signs(): readonly Sign[] {
    if (this.#byRule.size === 0) return noSigns
    const sorted = [...this.#byRule.values()].sort((a, b) => b.confidence - a.confidence)
    const sure = sorted.filter(({ confidence }) => confidence >= 0.5)
    return sure.length > 0 ? sure : sorted.slice(0, 1)
  }
}

/** Reads a text in one way, and tells whether comments of one line stand in it. */
function read(
  text: string,
  reading: Reading,
  shape: Pick<Site, 'hint' | 'lines' | 'length' | 'script' | 'statements'>,
  found: Best,
): boolean {
  const tokens = tokenise(text, reading)
  const { quote } = reading
  const prefix = quote === '' ? '' : text.slice(0, Math.min((tokens.end[0] ?? 1) - 1, plainMax + 1))
  const quotedWord =
    quote !== '' &&
    !/\S$/.test(prefix) &&
    !/^\s/.test(text.slice(tokens.end[0], (tokens.end[0] ?? 0) + 1)) &&
    !/^\w/.test(lastLiteral(text, tokens))
  const before = {
    quotedWord,
    apart: quotedWord && prefix.trim() !== '',
    plainPrefix: plain.test(prefix),
    prefixWords: prefix.match(/[a-z]{2,64}/gi)?.length ?? 0,
  }
  let at = 0
  while (at < tokens.length) {
    const start = startAt(tokens, at, quote !== '')
    if (start === undefined) {
      at++
      continue
    }
    const { evidence, stop, comment } = walk(text, tokens, at, operandFirst.has(start), literalFirst.has(start))
    if (isWorthWeighing(evidence, start)) {
      const site: Site = { ...shape, start, quote, ...before, commentWords: wordsBehind(text, tokens, comment) }
      const confidence = confidenceOf(evidence, site)
      const range = { start: tokens.start[at] ?? 0, end: tokens.end[stop - 1] ?? text.length }
      if (confidence >= confidenceMin) found.add({ rule: ruleOf(evidence, site), confidence, ...range })
    }
    at = stop // what a walk went over, another from the middle of it goes over in the same way
  }
  return tokens.lineComments > 0
}

function lastLiteral(text: string, tokens: Tokens): string {
  const last = tokens.length - 1
  return tokens.kind[last] === kinds.open
    ? text.slice((tokens.start[last] ?? 0) + 1, (tokens.start[last] ?? 0) + 3)
    : ''
}

/** Most walks stop after a word or two. */
function isWorthWeighing(e: Evidence, start: Start): boolean {
  if (e.end === 'broken' && e.steps < 4)
    return e.union + e.stacked + e.bare + e.time + e.error + e.file + e.schema + e.disguise > 0
  return e.steps > 1 || e.head > 0 || start === 'breakout'
}

/** Below that it is what any text may hold. */
const confidenceMin = 0.25

const plainMax = 64

const plain = /^[\w\s%.@)-]{0,64}$/

const operandFirst: ReadonlySet<Start> = new Set(['value', 'statement', 'midStatement'])

const literalFirst: ReadonlySet<Start> = new Set(['breakout', 'midString'])

/** Words behind the comment that ends a walk: who says ` -- ` in a sentence says something behind it. */
function wordsBehind(text: string, tokens: Tokens, comment: number): number {
  const from = comment < 0 ? undefined : tokens.start[comment]
  return from === undefined ? 0 : (text.slice(from + 1, from + 256).match(/[a-z]{2,64}/gi)?.length ?? 0)
}

/** Whether a walk begins at a token, and how. */
function startAt(tokens: Tokens, at: number, quoted: boolean): Start | undefined {
  const kind = tokens.kind[at]
  if (at === 0) {
    if (quoted) return undefined
    if (kind === kinds.select || kind === kinds.statement) return 'statement'
    return kind !== undefined && joins.has(kind) ? 'operator' : 'value'
  }
  const before = tokens.kind[at - 1]
  if (before === kinds.string) return quoted && at === 1 ? 'breakout' : 'midString'
  if (kind === kinds.select) return 'midStatement'
  if (kind === undefined || triggers[kind] !== 1) return undefined
  if (before === kinds.number || before === kinds.right || before === kinds.variable) return 'midNumber'
  return before === kinds.name ? 'midName' : 'midOther'
}

const joins: ReadonlySet<number> = new Set([
  kinds.compare,
  kinds.logic,
  kinds.right,
  kinds.comma,
  kinds.semicolon,
  kinds.clause,
  kinds.set,
])

const triggers = new Uint8Array(32)
for (const kind of [kinds.logic, kinds.semicolon, kinds.set, kinds.clause]) triggers[kind] = 1
