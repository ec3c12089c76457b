import type { SignatureParts, SignatureScheme } from './checking.ts'
import { secondsOf } from './moment.ts'
import type { MethodUriBodyOptions } from './options.ts'
import { notAcceptable, required } from './refusals.ts'
import { checkSharedSecret, soleField } from './shared-secret.ts'

/**
 * Two headers, a signature and the time in seconds: the HMAC-SHA-256 of `METHOD\nURI\nBODY\nTIMESTAMP` in base64, the URI
 * being path and query as they are sent. Host and other headers are not covered.
 */
export function methodUriBody(options: MethodUriBodyOptions, parts: SignatureParts): SignatureScheme {
  const { header, timestampHeader, service, serviceHeader } = options
  const form = { ...options, service, serviceHeader }
  return {
    begin({ method, path, query, headers }) {
      const value = soleField(headers, header)
      const time = soleField(headers, timestampHeader)
      if (value === undefined) return required(header)
      if (typeof value === 'object') return value
      if (time === undefined) return required(timestampHeader)
      if (typeof time === 'object') return time
      const at = secondsOf(time)
      if (at === undefined) return notAcceptable(`\`${timestampHeader}\` has to be a time in whole seconds`)
      const signature = Buffer.from(value, 'base64')
      if (signature.byteLength !== 32 || signature.toString('base64') !== value)
        return notAcceptable(`\`${header}\` has to be 32 bytes in base64, with their padding`)
      // No part can run into the next: method, address and time hold no line break, and stand on the outside of the body.
      const framed = { before: `${method}\n${path}${query}\n`, after: `\n${at}` }
      return checkSharedSecret(form, parts, headers, { signature, at }, framed)
    },
  }
}
