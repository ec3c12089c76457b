import type { Hint } from '../detector.ts'
import type { Evidence } from './evidence.ts'
import type { Reading } from './tokenizer.ts'

/** Where a walk began, and what kind of text it goes through. */
export interface Site {
  readonly start: Start
  readonly hint: Hint
  /** The quote that the reading begins in. */
  readonly quote: Reading['quote']
  /** Whether what stands before the first quote looks like a value: `O`, `100%`, `admin`. */
  readonly plainPrefix: boolean
  readonly prefixWords: number
  /** Whether what stands before the first quote, and behind the last, stands apart from it: `the 'or' of it`. */
  readonly quotedWord: boolean
  /** The same, where something stands before it. */
  readonly apart: boolean
  /** Whether the text begins with a statement. */
  readonly script: boolean
  /** Line breaks of the text, and its length. */
  readonly lines: number
  readonly length: number
  /** Lines that begin with a statement, as those of a script do: counted up to four. */
  readonly statements: number
  /** Words of prose behind the comment at the end. */
  readonly commentWords: number
}

/**
 * `breakout`: behind the literal that the text begins in. `value`: at the beginning of the text, with an operand; `operator`: there,
 * with what goes on after one. `statement`: at the beginning, with a statement. The others are in the middle.
 */
export type Start =
  | 'breakout'
  | 'value'
  | 'operator'
  | 'statement'
  | 'midString'
  | 'midNumber'
  | 'midName'
  | 'midStatement'
  | 'midOther'

/** The chance that what was met attacks: the sum of what each term says, in log odds. */
export function confidenceOf(evidence: Evidence, site: Site): number {
  let sum = bias + starts[site.start] + channels[site.hint.in] + (roles[site.hint.role] ?? 0) + endOf(evidence, site)
  for (const [weight, holds] of terms) sum += weight * Number(holds(evidence, site))
  return 1 / (1 + Math.exp(-sum))
}

/** Before anything is known. */
const bias = -3

const starts: Readonly<Record<Start, number>> = {
  breakout: 0.6,
  value: 0.5,
  operator: 0.2,
  statement: -1,
  midString: -0.7,
  midNumber: -0.9,
  midName: -1.4,
  midStatement: -2.5,
  midOther: -1.6,
}

const channels: Readonly<Record<Hint['in'], number>> = {
  path: 0.4,
  query: 0.5,
  header: 0.2,
  cookie: 0.5,
  body: 0,
  answer: -1,
}

const roles: Readonly<Partial<Record<Hint['role'], number>>> = { prose: -1, identifier: 0.5 }

/** What it says how a walk came to its end: an injection has to fit into the query around it. */
function endOf(e: Evidence, site: Site): number {
  const { start } = site
  switch (e.end) {
    case 'quote':
      if (site.quote !== '') return 2
      return start === 'value' && e.compare > 0 ? 1.8 : -1
    case 'broken':
      return -2 + Math.min(e.steps, 40) * 0.06
    case 'bound':
      return 0.5
    case 'comment':
      if (!e.dangling && site.commentWords <= 2)
        return start === 'breakout' && e.steps <= 2 ? 2.6 : start === 'value' ? 2.1 : 1.8
      return e.dangling && takesFragments(start) ? -0.7 : 0.3
    case 'text':
      if (e.dangling) return takesFragments(start) ? -0.7 : 0.3
      return start === 'breakout' ? -0.3 : 0.5
  }
}

/** What begins as nobody begins may end as nobody ends. */
function takesFragments(start: Start): boolean {
  return start === 'operator' || start === 'breakout' || start === 'statement'
}

type Term = readonly [weight: number, holds: (evidence: Evidence, site: Site) => boolean | number]

const terms: readonly Term[] = [
  // conditions
  [3.4, (e, s) => e.constantCompare > 0 && joined(e) && !statement(s)],
  [1.5, (e, s) => e.constantCompare > 0 && joined(e) && statement(s)],
  [1.2, (e, s) => e.constantCompare > 0 && !joined(e) && e.compare > 0 && s.start === 'breakout'],
  [0.8, (e, s) => e.constantCompare > 0 && !joined(e) && e.compare > 0 && s.start === 'value' && e.end !== 'text'],
  [2, (e, s) => e.constantCompare > 0 && !joined(e) && e.compare > 1 && e.strings > 1 && !s.apart],
  [2.4, (e, s) => e.constantClause > 0 && s.start === 'breakout' && (closed(e, s) || e.nulls > 0)],
  [1.2, (e, s) => e.constantClause > 0 && s.start === 'breakout' && !closed(e, s) && e.nulls === 0],
  [0.8, (e, s) => e.constantClause > 0 && s.start !== 'breakout'],
  [0.8, (e) => e.constantClause > 0 && e.clause > 0],
  [1, (e, s) => e.constantClause > 0 && s.start === 'value' && s.hint.role === 'identifier'],
  [1.2, (e, s) => e.constantClause > 0 && e.nulls > 0 && e.end === 'text' && s.start === 'value'],
  [1.6, (e, s) => e.logic > 0 && e.compare > 0 && closed(e, s)],
  [1.2, (e, s) => e.logic > 0 && e.compare > 0 && !closed(e, s) && s.start === 'breakout'],
  [0.3, (e, s) => e.logic > 0 && e.compare > 0 && s.start !== 'breakout'],
  [0.4, (e, s) => e.logic > 0 && e.compare === 0 && s.start === 'breakout'],
  [1, (e, s) => e.compare > 0 && e.logic === 0 && e.end === 'comment' && closed(e, s)],
  [0.6, (e, s) => e.arithmetic > 0 && s.start === 'breakout'],
  [-1.5, (e, s) => e.logic > 0 && e.end === 'quote' && s.quotedWord && e.arithmetic === 0 && !isShortSearch(s)],
  [-2, (e, s) => e.logic === 0 && e.end === 'quote' && s.apart && !isShortSearch(s)],
  [1, (e, s) => e.logic > 0 && e.end === 'quote' && s.start === 'breakout' && !s.quotedWord && s.plainPrefix],
  // what is selected, called, done
  [2.6, (e) => e.union > 0],
  [1.2, (e) => e.union > 0 && (e.numbers + e.nulls + e.strings > 1 || e.calls + e.from + e.systemVariables > 0)],
  [0.6, (e, s) => e.union > 0 && e.select > 0 && s.start === 'breakout' && s.hint.in !== 'body'],
  [3.4, (e, s) => e.stacked > 0 && (!statement(s) || s.hint.in !== 'body')],
  [1.5, (e, s) => e.stacked > 0 && statement(s) && s.hint.in === 'body'],
  [3.4, (e) => e.bare > 0 && e.end === 'comment'],
  [1.2, (e) => e.bare > 0 && e.end !== 'comment'],
  [1.6, (e, s) => e.bare > 0 && e.numbers > 0 && e.end === 'text' && s.start === 'value' && s.length < 80],
  [3, (e, s) => e.head > 0 && s.hint.in !== 'body'],
  [2.2, (e, s) => e.head > 0 && s.hint.in === 'body'],
  [3.6, (e) => e.time > 0],
  [2.8, (e) => e.error > 0],
  [3.5, (e) => e.file > 0 && e.head === 0],
  [1.5, (e) => e.file > 0 && e.head > 0],
  [2.2, (e, s) => e.schema > 0 && !statement(s)],
  [1, (e, s) => e.schema > 0 && statement(s)],
  [2, (e) => e.systemVariables > 0],
  [0.6, (e) => Math.min(e.plainCalls, 3)],
  [2.3, (e, s) => e.subselect > 0 && !statement(s)],
  [0.8, (e, s) => e.subselect > 0 && statement(s)],
  [1, (e) => e.branch > 1],
  [2, (e) => e.branch > 1 && e.constantCompare + e.constantClause + e.select > 0],
  [1.6, (e, s) => e.constantCompare > 0 && !joined(e) && e.calls > 0 && s.start === 'value' && isParameter(s)],
  [0.5, (e) => e.hex > 0],
  [4, (e) => e.disguise > 0],
  [2, (e, s) => e.orderNumber > 0 && !statement(s)],
  [0.6, (e) => e.clause > 0 && e.orderNumber === 0],
  [0.4, (e) => e.closes > 0 && e.steps > 2],
  [0.8, (e, s) => e.closes > 0 && e.strings > 0 && e.end === 'comment' && closed(e, s)], // further rows of an `insert`
  // statements as such
  [1.2, (e, s) => statement(s) && e.select > 0 && e.from > 0],
  [1.2, (e, s) => statement(s) && e.star > 0],
  [
    2.6,
    (e, s) => s.start === 'statement' && e.end !== 'broken' && e.from + e.systemVariables > 0 && s.hint.in !== 'body',
  ],
  // what speaks for people, and for programs
  [-0.35, (e, s) => Math.min(e.names, statement(s) ? 2 : 6)],
  [-2.5, (e, s) => e.gaps > 0 && s.quote !== ''],
  [-2.5, (_, s) => s.quote !== '' && s.script], // where a statement begins, its own quotes are known
  [-0.7, (_, s) => s.quote === '`'], // Markdown is full of them
  [-2, (e, s) => s.quote !== '' && !s.plainPrefix && !strong(e)],
  [-0.4, (e, s) => s.quote !== '' && !s.plainPrefix && strong(e)],
  [-1.5, (e, s) => s.prefixWords > 1 && !strong(e)],
  [-3.5, (_, s) => s.statements > 3 && s.hint.in === 'body'],
  [-1, (_, s) => s.lines > 2],
  [-0.4, (_, s) => s.length > 600],
]

function statement({ start }: Site): boolean {
  return start === 'statement' || start === 'midStatement'
}

/** What nobody writes code into. */
function isParameter({ hint }: Site): boolean {
  return hint.in !== 'body' || hint.role === 'identifier'
}

/** `A 'and' B`, and nothing else. */
function isShortSearch(s: Site): boolean {
  return s.apart && s.prefixWords < 2 && s.length <= 16 && s.hint.in !== 'body'
}

function joined(e: Evidence): boolean {
  return e.logic > 0 || e.clause > 0
}

/** Whether what follows in the query is taken care of: by a comment, or by a string that its quote closes. */
function closed(e: Evidence, { start, commentWords }: Site): boolean {
  return start === 'breakout' && (e.end === 'quote' || (e.end === 'comment' && !e.dangling && commentWords <= 2))
}

function strong(e: Evidence): boolean {
  return e.union + e.stacked + e.time > 0 || (e.logic > 0 && e.compare + e.constantClause > 0)
}

/** The rule that what was met belongs to: of all that it is, the worst. */
export function ruleOf(e: Evidence, site: Site): string {
  for (const [rule, holds] of rules) if (holds(e, site)) return rule
  return site.quote === '' ? 'sql/expression' : 'sql/breakout'
}

const rules: readonly (readonly [string, (evidence: Evidence, site: Site) => boolean])[] = [
  ['sql/file', (e) => e.file > 0],
  ['sql/time', (e) => e.time > 0],
  ['sql/stacked', (e) => e.stacked + e.bare > 0],
  ['sql/union', (e) => e.union > 0],
  ['sql/error', (e) => e.error > 0],
  ['sql/schema', (e) => e.schema > 0],
  ['sql/statement', (e, s) => statement(s) || e.head > 0],
  ['sql/tautology', (e) => e.constantCompare > 0],
  ['sql/disguise', (e) => e.disguise > 0],
  ['sql/subquery', (e) => e.subselect > 0],
  ['sql/comment', (e) => e.end === 'comment'],
]
