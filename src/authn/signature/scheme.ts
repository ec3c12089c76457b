import type { SignatureParts, SignatureScheme } from './checking.ts'
import { messageSignatures } from './message-signature.ts'
import { methodUriBody } from './method-uri-body.ts'
import type { SignatureOptions } from './options.ts'
import { timestampPayload } from './timestamp-payload.ts'

export type { Checking, SignatureScheme, SignedHead } from './checking.ts'

/** The forms of a configuration, by name. */
export function openSignatures({
  options,
  ...parts
}: Omit<SignatureParts, 'windowMaxMs'> & { readonly options: SignatureOptions }): ReadonlyMap<string, SignatureScheme> {
  const windowMaxMs = Math.max(...Object.values(options).map(({ window }) => window))
  return new Map(Object.entries(options).map(([name, scheme]) => [name, open(scheme, { ...parts, windowMaxMs })]))
}

function open(scheme: SignatureOptions[string], parts: SignatureParts): SignatureScheme {
  switch (scheme.form) {
    case 'timestamp-payload':
      return timestampPayload(scheme, parts)
    case 'method-uri-body':
      return methodUriBody(scheme, parts)
    case 'rfc9421':
      return messageSignatures(scheme, parts)
  }
}
