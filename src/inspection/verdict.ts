import type { Finding } from './finding.ts'

/** What came of looking at the fields of one message. */
export interface Verdict {
  /** Everything that is worth remembering, the surest first; also what is not sure enough to act upon. */
  readonly findings: readonly Finding[]
  /** How sure it is of the field that is worst, from 0 to 1. */
  readonly score: number
  /** What the message is to be refused for; empty where it may go on. */
  readonly refused: readonly Finding[]
}

export const harmless: Verdict = { findings: [], score: 0, refused: [] }

/**
 * How sure the findings of one field are together: as sure as the surest, and a little surer where another kind of sign agrees.
 * Signs of one text are no independent witnesses: they read the same characters, and the longer a text is, the more of them it
 * holds by chance. So of all others only the surest of another kind counts, and takes a quarter of what it is sure of away from
 * the doubt: no number of weak ones comes to more than that.
 */
export function together(findings: readonly { readonly what: string; readonly confidence: number }[]): number {
  let first = 0
  let kind: string | undefined
  let second = 0
  for (const { what, confidence } of findings) {
    if (confidence > first) {
      if (what !== kind) second = first
      first = confidence
      kind = what
    } else if (what !== kind && confidence > second) second = confidence
  }
  return first + (1 - first) * second * agreement
}

const agreement = 0.25

/** Less sure than this, a finding is not worth a line in the record. */
export const worthRemembering = 0.25

/** Findings of one message that are remembered, at most. */
export const findingsMax = 32

export function surestFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => b.confidence - a.confidence).slice(0, findingsMax)
}
