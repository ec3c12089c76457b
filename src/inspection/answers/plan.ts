import type { PersonalOptions } from '../personal/options.ts'
import type { PromptOptions } from '../prompts/options.ts'
import type { AnswerCheck } from '../schema/answer.ts'
import type { SecretOptions } from '../secrets/options.ts'

/** What is looked for in the answers of a route. */
export interface AnswerPlan {
  readonly pii: PersonalOptions | undefined
  readonly secrets: SecretOptions | undefined
  readonly prompts: PromptOptions | undefined
  readonly check: AnswerCheck | undefined
  /** Whether an answer that breaks its schema is refused; else it is noted. */
  readonly refusesBroken: boolean
  /** Bytes of an answer that is looked at whole. */
  readonly bytesMax: number
  /** 32 bytes, for hashes and tokens in the place of personal data. */
  readonly key: Uint8Array
  /** Told, for the log, what an answer breaks. */
  readonly tellBroken: (what: string) => void
  /** Told what went wrong where an answer was only looked at, and has left. */
  readonly tellFailed: (error: unknown) => void
  /** Told of each answer that was not looked into, because it is no text. */
  readonly tellUnseen: () => void
}
