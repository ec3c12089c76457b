import { openByteDecoder } from './byte-decoder.ts'
import { readableAs } from './media-type.ts'
import { Redactions } from './redactions.ts'
import type { Redactor } from './redactor.ts'
import { openTransform } from './surface.ts'
import { Unscreenable } from './transform.ts'

/** What comes of a body that is here whole. */
export type RedactedBody =
  | {
      readonly bytes: Uint8Array
      /** The field as it is now, where it has changed. */
      readonly contentType: string | undefined
      readonly redactions: Redactions
    }
  /** It is no text, or nobody says so: it has not been looked into. */
  | { readonly unseen: true }
  | { readonly problem: string }

/** A body without what the redactor finds, everything else byte for byte as it came. */
export function redactBody(bytes: Uint8Array, contentType: string | undefined, redactor: Redactor): RedactedBody {
  const { surface, charset, asUtf8 } = readableAs(contentType)
  if (surface === 'none' || surface === 'unsaid') return { unseen: true }
  const decoder = openByteDecoder(charset, 'as said')
  if (decoder === undefined) return { problem: 'expected a charset that is known, got another' }
  const redactions = new Redactions()
  const transform = openTransform(surface, redactor, redactions, { deltas: [], eventMax: Number.POSITIVE_INFINITY })
  const text = decoder.decode(bytes) + decoder.end()
  let redacted: string
  try {
    redacted = transform.feed(text) + transform.end()
  } catch (error) {
    if (error instanceof Unscreenable) return { problem: error.message }
    throw error
  }
  // What has not changed goes on as it came, even where it is not well encoded.
  if (redactions.count === 0) return { bytes, contentType: undefined, redactions }
  return { bytes: Buffer.from(redacted), contentType: asUtf8, redactions }
}

/** The same for one text: a part of a multipart body, a parameter. */
export function redactText(
  text: string,
  redactor: Redactor,
  at: string,
  redactions: Redactions,
  name?: string,
): string {
  const { text: redacted, matches } = redactor.redact(text, name)
  for (const { kind, rule } of matches) redactions.add(kind, rule, at)
  return redacted
}
