import type { HtmlOptions } from '../html/options.ts'
import type { InjectionOptions } from '../injection/options.ts'
import type { PersonalOptions } from '../personal/options.ts'
import type { PromptOptions } from '../prompts/options.ts'
import type { SecretOptions } from '../secrets/options.ts'
import type { UploadOptions } from '../uploads/options.ts'

/** What is looked for in the requests of a route, as plain data: a thread is told it as it is. */
export interface ExaminationPlan {
  readonly injection: InjectionOptions | undefined
  readonly prompts: PromptOptions | undefined
  readonly pii: PersonalOptions | undefined
  readonly secrets: SecretOptions | undefined
  readonly uploads: UploadOptions | undefined
  /** Which markup stays in which fields. */
  readonly html: HtmlOptions | undefined
  /** Whether somebody else is asked about the texts afterwards; `needed` where the request waits for what they say. */
  readonly texts: 'unwanted' | 'wanted' | 'needed'
  /** The schema of the body, which tells what its fields are for. */
  readonly schema: unknown
  /** Bytes of a body that are looked into. */
  readonly bodyBytesMax: number
  /** 32 bytes, for hashes and tokens in the place of personal data. */
  readonly key: Uint8Array
}
