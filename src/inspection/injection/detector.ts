import type { Role } from '../field.ts'
import type { FirstLook } from './first-look.ts'

/** Families of injection, each with its number in MITRE's list of weaknesses. */
export const families = {
  sql: 'CWE-89',
  xss: 'CWE-79',
  command: 'CWE-78',
  traversal: 'CWE-22',
  template: 'CWE-1336',
  code: 'CWE-94',
  nosql: 'CWE-943',
  ldap: 'CWE-90',
  xpath: 'CWE-643',
  xxe: 'CWE-611',
  ssrf: 'CWE-918',
  inclusion: 'CWE-98',
  prototype: 'CWE-1321',
  crlf: 'CWE-93',
  deserialisation: 'CWE-502',
  ssi: 'CWE-97',
  mail: 'CWE-88',
  fixation: 'CWE-384',
  encoding: 'CWE-174',
} as const

export type Family = keyof typeof families

/**
 * One decoded text in, signs out; told nothing about HTTP. A scan takes time in proportion to the length of the text, whatever
 * the text is: every expression in it is linear or bounded.
 */
export interface Detector {
  readonly family: Family
  /** It looks at how values are put together as well, and not at each alone. */
  readonly structure?: true
  scan(text: string, hint: Hint, look: FirstLook): readonly Sign[]
}

/** What is known of the field that a text stands in. */
export interface Hint {
  readonly role: Role
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'body' | 'answer'
  /** Its own name in lower case. */
  readonly name: string
  /** Where in its part of the message: a pointer into JSON and XML, else the name as it was sent. */
  readonly at: string
}

export interface Sign {
  /** `sql/tautology`. */
  readonly rule: string
  /**
   * How sure this sign alone is, from 0 to 1: the share of texts like this, among those that people and programs send, that are
   * attacks. At 0.5 and above it is one by itself; weaker ones add up within a field.
   */
  readonly confidence: number
  /** Where in the text that was scanned, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

export const noSigns: readonly Sign[] = []
