import { DerReader, integerText, objectIdentifier, tags } from './der.ts'
import { type Extensions, readExtensions } from './extensions.ts'
import { type SignatureAlgorithm, signatureAlgorithmOf } from './signature-algorithms.ts'

/** What of a certificate decides whether a path leads through it, and Node does not tell. */
export interface CertificateFields {
  /** As revocation lists write it: `integerText`. */
  readonly serial: string
  /** What it is signed by; undefined for what is too weak, or not known. */
  readonly signedBy: SignatureAlgorithm | undefined
  /** The names as they were written, in DER. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly extensions: Extensions
  /** How many authorities may stand below this one; undefined: as many as one likes (RFC 5280 §4.2.1.9). */
  readonly pathLength: number | undefined
  /** Bits of `KeyUsage`, the first one highest; undefined: every use (RFC 5280 §4.2.1.3). */
  readonly keyUsage: number | undefined
  /** Purposes by object identifier; undefined: every purpose (RFC 5280 §4.2.1.12). */
  readonly purposes: readonly string[] | undefined
}

/** The extensions by object identifier (RFC 5280 §4.2.1). */
export const extensionIds = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  distributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

export const usages = { digitalSignature: 0x80, keyAgreement: 0x08, crlSign: 0x02 } as const

/** Reads the DER form of a certificate; undefined where it is none. OpenSSL, which has read it before, reads more than DER. */
export function certificateFields(der: Uint8Array): CertificateFields | undefined {
  try {
    return read(der)
  } catch {
    return undefined
  }
}

function read(der: Uint8Array): CertificateFields {
  const body = new DerReader(der).enter(tags.sequence).enter(tags.sequence)
  body.optional(tags.context(0)) // version
  const serial = integerText(body.take(tags.integer).content)
  const signedBy = signatureAlgorithmOf(body.take(tags.sequence).content)
  const issuer = body.take(tags.sequence).whole
  body.take(tags.sequence) // validity
  const subject = body.take(tags.sequence).whole
  body.take(tags.sequence) // public key
  let extensions: Extensions = new Map()
  while (!body.done) {
    const { tag, content } = body.take()
    if (tag === tags.context(3)) extensions = readExtensions(content)
  }
  return {
    serial,
    signedBy,
    issuer,
    subject,
    extensions,
    pathLength: pathLengthOf(extensions),
    keyUsage: keyUsageOf(extensions),
    purposes: purposesOf(extensions),
  }
}

function pathLengthOf(extensions: Extensions): number | undefined {
  const value = extensions.get(extensionIds.basicConstraints)?.value
  if (value === undefined) return undefined
  const constraints = new DerReader(value).enter(tags.sequence)
  constraints.optional(tags.boolean)
  const length = constraints.optional(tags.integer)?.content
  return length === undefined ? undefined : Number(`0x${Buffer.from(length).toString('hex')}`)
}

function keyUsageOf(extensions: Extensions): number | undefined {
  const value = extensions.get(extensionIds.keyUsage)?.value
  return value === undefined ? undefined : (new DerReader(value).take(tags.bitString).content[1] ?? 0)
}

function purposesOf(extensions: Extensions): readonly string[] | undefined {
  const value = extensions.get(extensionIds.extendedKeyUsage)?.value
  if (value === undefined) return undefined
  const list = new DerReader(value).enter(tags.sequence)
  const purposes: string[] = []
  while (!list.done) purposes.push(objectIdentifier(list.take(tags.objectIdentifier).content))
  return purposes
}
