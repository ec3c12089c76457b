import type { Trait } from './functions.ts'

/** What a walk over tokens met, in numbers: the features that are weighed. */
export interface Evidence {
  /** Tokens that followed each other as SQL lets them. */
  steps: number
  /** How it came to its end. */
  end: 'broken' | 'text' | 'comment' | 'quote' | 'bound'
  /** Places where it was open what follows an operator, though the text or a comment ended. */
  dangling: boolean
  logic: number
  compare: number
  arithmetic: number
  /** Clauses between logical operators that compare constants alone: true, or false, whatever the row. */
  constantCompare: number
  /** Constants that stand for a clause: `or 1`, `|| true`. */
  constantClause: number
  names: number
  numbers: number
  nulls: number
  hex: number
  strings: number
  /** Strings that look like what stands between two strings. */
  gaps: number
  systemVariables: number
  calls: number
  plainCalls: number
  time: number
  error: number
  file: number
  schema: number
  union: number
  select: number
  from: number
  star: number
  subselect: number
  branch: number
  /** Statements behind the first, each by a head that no prose has. */
  stacked: number
  /** Such statements that no `;` stands before. */
  bare: number
  /** The text itself begins with such a statement. */
  head: number
  /** Clauses that stand behind a condition: `order by 1`, `having`, `limit`, `where`. */
  clause: number
  orderNumber: number
  /** `1.e(`: of no use but to hide. */
  disguise: number
  /** Closing brackets of the query around it. */
  closes: number
}

export function noEvidence(): Evidence {
  return {
    steps: 0,
    end: 'broken',
    dangling: false,
    logic: 0,
    compare: 0,
    arithmetic: 0,
    constantCompare: 0,
    constantClause: 0,
    names: 0,
    numbers: 0,
    nulls: 0,
    hex: 0,
    strings: 0,
    gaps: 0,
    systemVariables: 0,
    calls: 0,
    plainCalls: 0,
    time: 0,
    error: 0,
    file: 0,
    schema: 0,
    union: 0,
    select: 0,
    from: 0,
    star: 0,
    subselect: 0,
    branch: 0,
    stacked: 0,
    bare: 0,
    head: 0,
    clause: 0,
    orderNumber: 0,
    disguise: 0,
    closes: 0,
  }
}

/** Notes what a function is good for that is called. */
export function noteCall(evidence: Evidence, trait: Trait | undefined): void {
  if (trait === 'plain') evidence.plainCalls++
  else if (trait !== undefined) evidence[trait]++
}

/** A function that nobody calls does nothing; a procedure, and a table, is named without brackets. */
export function noteName(evidence: Evidence, trait: Trait | undefined): void {
  if (trait === 'file' || trait === 'schema') evidence[trait]++
}
