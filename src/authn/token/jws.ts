import { base64url, fromBase64url, strictUtf8 } from '../../kernel/bytes.ts'
import { parseStrict } from '../../kernel/json.ts'
import { signatures } from '../../keys/signatures.ts'
import type { SigningKey } from '../../keys/signing-key.ts'

export type Members = Readonly<Record<string, unknown>>

/** A token in its parts (RFC 7515 §7.1), read and not believed: nothing of it has been checked but its form. */
export interface ReadJws {
  readonly header: Members
  readonly claims: Members
  /** What the signature has to fit: the text as it came, and never what it was read as. */
  readonly signedText: string
  readonly signature: Buffer
}

/** Signs claims by a key of ours. */
export function writeJws(key: SigningKey, type: string, claims: object): string {
  const text = `${encode({ alg: key.algorithm, typ: type, kid: key.kid })}.${encode(claims)}`
  return `${text}.${base64url(signatures[key.algorithm].sign(key, text))}`
}

/** Reads a token in its compact form, or says what is wrong with it. There is one spelling for each, and no member twice. */
export function readJws(token: string): ReadJws | { readonly fault: string } {
  const parts = token.split('.', 4)
  if (parts.length !== 3) return { fault: 'not three parts' }
  const [headerText = '', payloadText = '', signatureText = ''] = parts
  const header = decode(headerText)
  if (header === undefined) return { fault: 'the header is not one JSON object in canonical base64url' }
  const signature = fromBase64url(signatureText)
  if (signature === undefined) return { fault: 'the signature is not canonical base64url' }
  for (const name of Object.keys(header)) {
    // RFC 8725 §3.10, RFC 7515 §4.1.11: crit, jwk, jku, x5c, zip … are neither followed nor passed over.
    if (name !== 'alg' && name !== 'typ' && name !== 'kid')
      return { fault: `header \`${name.slice(0, 32)}\` is none of ours` }
  }
  const claims = decode(payloadText)
  if (claims === undefined) return { fault: 'the payload is not one JSON object in canonical base64url' }
  return { header, claims, signedText: token.slice(0, headerText.length + 1 + payloadText.length), signature }
}

/** Whether the signature is that of the key, by the algorithm of the key. */
export function fits(key: SigningKey, { signedText, signature }: ReadJws): boolean {
  return signatures[key.algorithm].verify(key, signedText, signature)
}

function encode(part: object): string {
  return base64url(Buffer.from(JSON.stringify(part)))
}

function decode(text: string): Members | undefined {
  const bytes = fromBase64url(text)
  if (bytes === undefined) return undefined
  let json: string
  try {
    json = strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
  const parsed = parseStrict(json)
  if ('error' in parsed || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
    return undefined
  return parsed.value as Members
}
