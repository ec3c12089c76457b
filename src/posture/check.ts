import { markUnshowable } from '../kernel/one-line.ts'
import { type DataFacts, type Facts, isKnown, type MachineFacts } from './facts.ts'

export const areas = [
  'authentication',
  'authorisation',
  'validation',
  'limits',
  'data',
  'headers',
  'monitoring',
  'compliance',
  'development',
  'production',
] as const

export type Area = (typeof areas)[number]

/** One line of the checklist: a pure function of what is known. */
export interface Check {
  readonly id: string
  readonly title: string
  readonly area: Area
  /** A house whose `must` does not hold should not serve. */
  readonly level: 'must' | 'should'
  /** The entries of the OWASP API Security Top 10 (2023) that it answers. */
  readonly owasp: readonly Owasp[]
  readonly look: (facts: Facts) => Finding
}

export type Owasp = `API${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`

/** What a look at it came to. */
export interface Finding {
  readonly outcome: 'holds' | 'fails' | 'unknown'
  /** Facts, with their values; of what is unknown, why. Never a secret. */
  readonly found: string
  /** The key to set, or the command to run. */
  readonly mend?: string
}

export function holds(found: string): Finding {
  return { outcome: 'holds', found }
}

export function fails(found: string, mend: string): Finding {
  return { outcome: 'fails', found, mend }
}

export function unknown(why: string): Finding {
  return { outcome: 'unknown', found: why }
}

/** Holds or fails by one question. */
export function either(is: boolean, ifSo: string, ifNot: string, mend: string): Finding {
  return is ? holds(ifSo) : fails(ifNot, mend)
}

/** A look into the store, which may not be there to look into. */
export function inData(look: (data: DataFacts, facts: Facts) => Finding): Check['look'] {
  return (facts) => (isKnown(facts.data) ? look(facts.data, facts) : unknown(facts.data.unknown))
}

/** A look at the machine, which is not the house's own where it is embedded. */
export function onMachine(look: (machine: MachineFacts, facts: Facts) => Finding): Check['look'] {
  return (facts) => (isKnown(facts.machine) ? look(facts.machine, facts) : unknown(facts.machine.unknown))
}

/** None of these: fails with the first of them by name. */
export function none(names: readonly string[], ifNone: string, what: string, mend: string): Finding {
  return names.length === 0 ? holds(ifNone) : fails(`${what}: ${listed(names)}`, mend)
}

/** The first of many, on one line. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).map((name) => `\`${markUnshowable(name, '·')}\``)
  return `${shown.join(', ')}${names.length > namesMax ? ` and ${names.length - namesMax} more` : ''}`
}

const namesMax = 5
