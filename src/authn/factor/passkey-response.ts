import { z } from 'zod'
import { fromBase64url } from '../../kernel/bytes.ts'

/** Base64url in its one spelling, of so many bytes. */
function bytes(min: number, max: number) {
  const lengthMax = Math.ceil((max * 4) / 3)
  return z.string().refine((text) => text.length <= lengthMax && (fromBase64url(text)?.length ?? -1) >= min)
}

/** At least 100 bits of entropy in at least 16 bytes (§4 "Credential ID"), and at most 1023 (§7.1 step 25). */
const credentialId = bytes(16, 1023)
const clientDataJSON = bytes(2, 4096)

/** `PublicKeyCredential.toJSON()` of a registration (§5.1), as far as it is read; the bounds leave room for any honest one. */
export const registrationResponse = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    attestationObject: bytes(37, 16_384),
    transports: z.array(z.string().max(32)).max(16).nullish(),
  }),
})

/** `PublicKeyCredential.toJSON()` of a sign-in. */
export const assertionResponse = z.object({
  id: credentialId,
  rawId: credentialId,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON,
    authenticatorData: bytes(37, 4096),
    signature: bytes(1, 1024),
    userHandle: bytes(0, 64).nullish(),
  }),
})

export function isCredentialId(text: string): boolean {
  return credentialId.safeParse(text).success
}

/** Transports that browsers know (§5.8.4), each once: a hint of the client's, kept for it and never relied on. */
export function knownTransports(named: readonly string[]): readonly Transport[] {
  return transports.filter((transport) => named.includes(transport))
}

type Transport = (typeof transports)[number]
const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const

/** No page of another site asks in our name: not from a frame either (§7.1 step 10, §7.2 step 13). Throws where it is no JSON. */
export function clientDataProblem(text: string): string | undefined {
  const clientData: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
  if (typeof clientData !== 'object' || clientData === null) return 'expected client data, got another shape'
  const crossed =
    ('crossOrigin' in clientData && clientData.crossOrigin !== false) ||
    ('topOrigin' in clientData && clientData.topOrigin !== undefined)
  return crossed ? 'the ceremony was held in a frame of another site' : undefined
}

/** Whether an attestation is more than we asked for: neither none nor by the passkey's own key (§6.5.4). Throws where it is no CBOR. */
export async function hasCertificates(attestationObject: string): Promise<boolean> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  const attestation = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const format = attestation.get('fmt')
  return !(format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined))
}
