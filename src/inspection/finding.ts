import { oneLine } from '../kernel/one-line.ts'
import { redactText } from '../kernel/redact.ts'
import { type Place, placeText } from './place.ts'
import type { Decoding } from './view.ts'

/** Something that was found in a message. It never holds what was found itself: findings are logged and remembered. */
export interface Finding {
  readonly kind: FindingKind
  /** What of that kind: `sql`, `card`, `override`, `hate`. */
  readonly what: string
  /** Which rule found it: a stable name, `sql/tautology`. */
  readonly rule: string
  readonly place: Place
  /** How sure, from 0 to 1. */
  readonly confidence: number
  /** Where in the field as it was sent, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** How it was written, outermost first, where it was hidden. */
  readonly decoded: readonly Decoding[]
  /** Whether something else stands in its place now. */
  readonly struckOut?: boolean
}

export type FindingKind = 'injection' | 'personal-data' | 'secret' | 'prompt' | 'moderation' | 'upload' | 'schema'

/** `sql 97 % at query q (sql/tautology by url, base64)`: one line that holds nothing of what was found. */
export function findingText({ what, rule, place, confidence, decoded }: Finding): string {
  const hidden = decoded.length === 0 ? '' : ` by ${decoded.join(', ')}`
  return `${what} ${Math.floor(confidence * 100)} % at ${placeText(place)} (${rule}${hidden})`
}

/**
 * Several, the first ones first, as one text of bounded length for the record: whole ones, as many as there is room for, and how
 * many more there were. Names of fields are the sender's: they are cut, and stripped of credentials.
 */
export function findingsText(findings: readonly Finding[]): string {
  let told = ''
  for (const [at, finding] of findings.entries()) {
    const piece = oneLine(redactText(findingText(shortened(finding))))
    const separated = told === '' ? piece : `; ${piece}`
    const left = findings.length - at
    if (told !== '' && told.length + separated.length > textMax - (left > 1 ? moreMax : 0))
      return `${told}; and ${left} more`
    told += separated
  }
  return told
}

/** What an event says in one detail. */
const textMax = 256
const moreMax = '; and 100 more'.length

/** What parts one finding from the next is not for senders to write. */
function shortened(finding: Finding): Finding {
  const { place } = finding
  const at = place.at.replaceAll(/[;()]/g, '_')
  return {
    ...finding,
    place: { in: place.in, at: at.length <= nameMax ? at : `${at.slice(0, nameMax).toWellFormed()}…` },
  }
}

const nameMax = 60

/** What `findingsText` has told of one finding: enough to weigh it again. */
export interface ToldFinding {
  readonly what: string
  readonly rule: string
  readonly place: string
  readonly confidence: number
}

/** Reads what the record holds of a request. */
export function readFindings(text: string): readonly ToldFinding[] {
  return text.split('; ').flatMap((piece) => {
    const told = /^([\w-]{1,40}) (\d{1,3}) % at ([^()]{1,200}) \(([\w/.-]{1,80})/.exec(piece)
    if (told === null) return []
    const [, what = '', percent, place = '', rule = ''] = told
    return [{ what, rule, place, confidence: Number(percent) / 100 }]
  })
}
