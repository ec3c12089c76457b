import type { Codec } from './codec.ts'
import { CodedText } from './coded-text.ts'
import type { Redactions } from './redactions.ts'
import type { Redactor } from './redactor.ts'
import type { TextTransform } from './transform.ts'

/** Rewrites a text of which nothing is known but how characters are written in it. */
export function openTextStream(redactor: Redactor, redactions: Redactions, codec: Codec): TextTransform {
  return new CodedText({ redactor, codec, pace: 'prompt', found: ({ kind, rule }) => redactions.add(kind, rule, '') })
}
