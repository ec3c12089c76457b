import type { Decoding } from '../view.ts'

/** A reason to believe that a text gives orders to a model. */
export interface PromptSign {
  readonly what: PromptKind
  /** `override/ignore-previous`: a stable name. */
  readonly rule: string
  /** How sure this sign alone is, from 0 to 1. At 0.5 and above it is one by itself; weaker ones add up. */
  readonly confidence: number
  /** Where in the text as it was sent, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** How it was written, outermost first, where it was hidden. */
  readonly decoded: readonly Decoding[]
}

/** What a text tries (OWASP LLM01:2025): to override its orders, to be somebody else, to end the data it stands in, and so on. */
export const promptKinds = [
  'override',
  'role-play',
  'delimiter',
  'encoded',
  'invisible',
  'exfiltration',
  'system-prompt',
  'tool-order',
  'obfuscated',
  'refusal-suppression',
  'many-shot',
  'outsider',
  'model',
] as const

export type PromptKind = (typeof promptKinds)[number]

/** Whether a text is what somebody asks of a model, or what a tool brought back: data, which should ask for nothing. */
export type Channel = 'ask' | 'tool-result'
