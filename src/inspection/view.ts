/** A text as one of its readers would decode it: the original, and what stands in it under another spelling. */
export interface View {
  readonly text: string
  /** How it was decoded, outermost first; empty for the original. */
  readonly by: readonly Decoding[]
  /** The stretch of the original that it stands for, in UTF-16 units: a run of base64 in a sentence, or the whole. */
  readonly start: number
  readonly end: number
}

/** Ways of writing a text so that it does not look like itself. */
export type Decoding = 'url' | 'html' | 'unicode' | 'escape' | 'base64' | 'hex' | 'utf7' | 'invisible' | 'comment'
