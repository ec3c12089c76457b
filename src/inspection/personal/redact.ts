import { createHmac } from 'node:crypto'
import { type SecretKind, secretKindNames, secretKinds } from '../secrets/kinds.ts'
import { type PersonalKind, personalKindNames, personalKinds } from './kinds.ts'
import { letters } from './letters.ts'
import type { Match } from './scanner.ts'
import { sealTokens } from './tokens.ts'

/** Writes something else where matches are. What it writes is never found again: redacting twice is redacting once. */
export interface Redaction {
  /** The text without what the matches cover; they are in order, and do not overlap. */
  redact(text: string, matches: readonly Match[]): string
  /** What stands in the place of one. */
  replacement(text: string, match: Match): string
}

/**
 * `label`: what kind it was. `mask`: that, and as much of the end as people tell theirs by. `hash`: the same letters for the same
 * value, in this house. `token`: the value itself, sealed.
 */
export const redactionForms = ['label', 'mask', 'hash', 'token'] as const

export type RedactionForm = (typeof redactionForms)[number]

export interface RedactionParts {
  /** Where a kind has no form of its own. */
  readonly form?: RedactionForm | undefined
  readonly forms?: Readonly<Partial<Record<PersonalKind | SecretKind, RedactionForm>>> | undefined
  /** 32 bytes, for hashes and tokens. */
  readonly key?: Uint8Array | undefined
}

/** Throws where a form needs a key and there is none. */
export function openRedaction({ form = 'label', forms = {}, key }: RedactionParts = {}): Redaction {
  const writers = writersOf(key)
  const byKind = new Map<string, Writer>()
  for (const kind of [...personalKindNames, ...secretKindNames]) {
    const writer = writers[forms[kind] ?? form]
    if (writer === undefined) throw new Error(`\`${forms[kind] ?? form}\` needs a key of 32 bytes`)
    byKind.set(kind, writer)
  }
  const replacement = (text: string, { kind, start, end }: Match): string =>
    (byKind.get(kind) as Writer)(kind, text.slice(start, end))
  return {
    replacement,
    redact(text, matches) {
      if (matches.length === 0) return text
      let clean = ''
      let from = 0
      for (const match of matches) {
        clean += text.slice(from, match.start) + replacement(text, match)
        from = match.end
      }
      return clean + text.slice(from)
    },
  }
}

type Writer = (kind: PersonalKind | SecretKind, value: string) => string

function writersOf(key: Uint8Array | undefined): Readonly<Record<RedactionForm, Writer | undefined>> {
  const seal = key === undefined ? undefined : sealTokens(key)
  const hashKey = key === undefined ? undefined : createHmac('sha256', key).update('redaction hash').digest()
  return {
    label: labelOf,
    mask: masked,
    hash:
      hashKey === undefined
        ? undefined
        : (kind, value) =>
            `[${kind}:${letters(createHmac('sha256', hashKey).update(`${kind}\0${value}`).digest().subarray(0, hashBytes))}]`,
    token: seal === undefined ? undefined : seal.seal,
  }
}

/** 80 bits: sixteen letters. */
const hashBytes = 10

const labels: Readonly<Record<PersonalKind | SecretKind, { readonly label: string }>> = {
  ...personalKinds,
  ...secretKinds,
}

function labelOf(kind: PersonalKind | SecretKind): string {
  return labels[kind].label
}

/** Kinds of which a part tells nobody enough to do harm. Of the others nothing stays. */
function masked(kind: PersonalKind | SecretKind, value: string): string {
  switch (kind) {
    case 'email': {
      const sign = value.lastIndexOf('@')
      const [first = ''] = value.slice(0, sign).replace(/^"/, '')
      return `${/^[A-Za-z]$/.test(first) ? first : ''}***@${value.slice(sign + 1)}`
    }
    case 'ssn':
    case 'card':
    case 'phone':
      return endOf(labelOf(kind), value)
    case 'iban':
    case 'bank-account':
      return `****${value.replace(/[^0-9A-Za-z]/g, '').slice(-4)}`
    default:
      return labelOf(kind)
  }
}

/** `XXX-XXX-0100`: the label with the last four digits. */
function endOf(label: string, value: string): string {
  return label.slice(0, -4) + value.replace(/[^0-9]/g, '').slice(-4)
}
