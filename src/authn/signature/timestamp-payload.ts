import type { SignatureParts, SignatureScheme } from './checking.ts'
import { secondsOf } from './moment.ts'
import type { TimestampPayloadOptions } from './options.ts'
import { notAcceptable, required } from './refusals.ts'
import { checkSharedSecret, soleField } from './shared-secret.ts'

/**
 * One header, `timestamp.signature`: the HMAC-SHA-256 of `timestamp.payload` in lower-case hex, the timestamp in seconds and
 * the payload being the body. Method, address and other headers are not covered.
 */
export function timestampPayload(options: TimestampPayloadOptions, parts: SignatureParts): SignatureScheme {
  const { header, service, serviceHeader } = options
  const form = { ...options, service, serviceHeader }
  return {
    begin({ headers }) {
      const value = soleField(headers, header)
      if (value === undefined) return required(header)
      if (typeof value === 'object') return value
      const at = secondsOf(value.slice(0, -65))
      if (at === undefined || !signaturePart.test(value))
        return notAcceptable(`\`${header}\` has to be a time in whole seconds, a dot and 64 lower-case hex digits`)
      const signature = Buffer.from(value.slice(-64), 'hex')
      return checkSharedSecret(form, parts, headers, { signature, at }, { before: `${at}.`, after: '' })
    },
  }
}

const signaturePart = /\.[0-9a-f]{64}$/
