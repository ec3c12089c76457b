import type { KeyObject, X509Certificate } from 'node:crypto'
import { equalBytes, sha256Hex } from '../../kernel/bytes.ts'
import { type CertificateFields, certificateFields, extensionIds, usages } from './certificate-fields.ts'
import { isSignedBy, type RevocationList } from './revocation-list.ts'

/**
 * Those who vouch for clients, and what they have taken back. A path of certificates is judged as RFC 5280 §6.1 asks, for
 * clients of TLS, and stricter: an authority with name constraints, or with a critical extension that is not known here,
 * vouches for nobody. Where there are revocation lists, every authority of a path needs a current one.
 */
export class Authorities {
  readonly #anchors: readonly Candidate[]
  readonly #lists: readonly RevocationList[] | undefined
  readonly #signers = new WeakMap<RevocationList, Map<string, boolean>>()

  /** `lists` is undefined where nothing is ever taken back. */
  constructor(anchors: readonly X509Certificate[], lists: readonly RevocationList[] | undefined) {
    this.#anchors = anchors.map((certificate) => candidate(certificate)).filter((anchor) => anchor !== undefined)
    this.#lists = lists
  }

  /**
   * Until when the certificate is vouched for, in milliseconds since 1970; undefined where it is not. `chain` are certificates
   * that may stand between it and an authority: whoever sent them is believed nothing.
   */
  vouchedUntil(leaf: X509Certificate, chain: readonly X509Certificate[], nowMs: number): number | undefined {
    const end = candidate(leaf)
    if (end === undefined || !mayBeClient(end.fields)) return undefined
    const between = chain
      .slice(0, chainMax)
      .map((certificate) => candidate(certificate))
      .filter((one) => one !== undefined)
    return this.#climb([end], { between, nowMs, signatures: signaturesMax })
  }

  /** A path grows by who may have issued its last certificate, until it ends at one of ours. */
  #climb(path: readonly Candidate[], search: Search): number | undefined {
    const last = path.at(-1) as Candidate
    if (!isCurrent(last.certificate, search.nowMs)) return undefined
    for (const issuer of [...this.#anchors, ...search.between]) {
      if (path.some(({ name }) => name === issuer.name)) continue
      if (!equalBytes(issuer.fields.subject, last.fields.issuer) || !mayIssue(issuer, path)) continue
      if (search.signatures-- <= 0) return undefined
      if (!hasIssued(issuer, last)) continue
      const whole = [...path, issuer]
      if (this.#anchors.includes(issuer)) {
        const until = isCurrent(issuer.certificate, search.nowMs) ? this.#untilOf(whole, search.nowMs) : undefined
        if (until !== undefined) return until
      } else if (whole.length <= chainMax) {
        const until = this.#climb(whole, search)
        if (until !== undefined) return until
      }
    }
    return undefined
  }

  #untilOf(path: readonly Candidate[], nowMs: number): number | undefined {
    let until = Number.POSITIVE_INFINITY
    for (const [at, { certificate, fields }] of path.entries()) {
      // The last one has issued itself, or stands for itself.
      const listed =
        this.#lists === undefined ? Infinity : this.#notRevokedUntil(fields, path[at + 1] ?? path[at], nowMs)
      if (listed === undefined) return undefined
      until = Math.min(until, listed, certificate.validToDate.getTime())
    }
    return until
  }

  /** Until when a list of the issuer says that the certificate is not taken back. No current list is a no. */
  #notRevokedUntil({ serial }: CertificateFields, issuer: Candidate | undefined, nowMs: number): number | undefined {
    if (issuer === undefined || !maySignLists(issuer.fields)) return undefined
    let until: number | undefined
    for (const list of this.#lists ?? []) {
      if (!equalBytes(list.issuer, issuer.fields.subject) || !list.understood) continue
      if (!this.#isBy(list, issuer)) continue
      if (list.serials.has(serial)) return undefined // what one list has taken back, no other gives again
      if (list.fromMs <= nowMs && nowMs < list.untilMs) until = Math.max(until ?? 0, list.untilMs)
    }
    return until
  }

  #isBy(list: RevocationList, issuer: Candidate): boolean {
    let known = this.#signers.get(list)
    if (known === undefined) this.#signers.set(list, (known = new Map()))
    let signed = known.get(issuer.name)
    if (signed === undefined) {
      signed = isSignedBy(list, issuer.certificate.publicKey)
      // Bounded: a name and a key of an authority that was reached by signatures from one of ours.
      known.set(issuer.name, signed)
    }
    return signed
  }
}

interface Candidate {
  readonly certificate: X509Certificate
  readonly fields: CertificateFields
  /** Its SHA-256. */
  readonly name: string
}

interface Search {
  readonly between: readonly Candidate[]
  readonly nowMs: number
  /** How many signatures may yet be checked: a heap of look-alikes costs no more than this. */
  signatures: number
}

const chainMax = 8
const signaturesMax = 12

function candidate(certificate: X509Certificate): Candidate | undefined {
  const fields = certificateFields(certificate.raw)
  return fields && { certificate, fields, name: sha256Hex(certificate.raw) }
}

/** Extensions that are looked at, or that say nothing about whom an authority may vouch for. */
const known: ReadonlySet<string> = new Set([
  extensionIds.subjectKeyIdentifier,
  extensionIds.keyUsage,
  extensionIds.subjectAlternativeName,
  extensionIds.basicConstraints,
  extensionIds.distributionPoints,
  extensionIds.policies,
  extensionIds.authorityKeyIdentifier,
  extensionIds.extendedKeyUsage,
])

/** `id-kp-clientAuth` (RFC 5280 §4.2.1.12). */
const clientPurpose = '1.3.6.1.5.5.7.3.2'

function mayBeClient({ keyUsage, purposes, extensions }: CertificateFields): boolean {
  const uses = usages.digitalSignature | usages.keyAgreement
  return (
    (keyUsage === undefined || (keyUsage & uses) !== 0) &&
    (purposes === undefined || purposes.includes(clientPurpose)) &&
    isUnderstood(extensions)
  )
}

function isUnderstood(extensions: CertificateFields['extensions']): boolean {
  return extensions.entries().every(([id, { critical }]) => !critical || known.has(id))
}

/** Whether an authority may stand over this path. Its own constraints first: they cost no signature. */
function mayIssue({ certificate, fields }: Candidate, path: readonly Candidate[]): boolean {
  const { pathLength, purposes, extensions } = fields
  const authoritiesBelow = path
    .slice(1)
    .filter(({ fields: { issuer, subject } }) => !equalBytes(issuer, subject)).length
  return (
    certificate.ca &&
    (pathLength === undefined || authoritiesBelow <= pathLength) &&
    (purposes === undefined || purposes.includes(clientPurpose)) &&
    isUnderstood(extensions) &&
    !extensions.has(extensionIds.nameConstraints)
  )
}

function maySignLists({ keyUsage }: CertificateFields): boolean {
  return keyUsage === undefined || (keyUsage & usages.crlSign) !== 0
}

/** Names, key identifiers, the right to sign certificates, the strength of it all, and the signature itself. */
function hasIssued({ certificate: issuer }: Candidate, { certificate, fields }: Candidate): boolean {
  if (fields.signedBy === undefined) return false
  try {
    return (
      certificate.checkIssued(issuer) &&
      isStrong(certificate.publicKey) &&
      isStrong(issuer.publicKey) &&
      certificate.verify(issuer.publicKey)
    )
  } catch {
    return false // anybody can write a certificate whose key nobody can read
  }
}

/**
 * What OpenSSL asks at its level 2, which is what a handshake is held to: 112 bits. And no key that is made to be slow: an
 * exponent of thousands of bits makes a check as dear as a signature.
 */
function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  switch (asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return (
        (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 &&
        (asymmetricKeyDetails?.modulusLength ?? Infinity) <= 8192 &&
        (asymmetricKeyDetails?.publicExponent ?? Infinity) < 2n ** 33n
      )
    case 'ec':
      return curves.has(asymmetricKeyDetails?.namedCurve ?? '')
    default:
      return asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448'
  }
}

/** Those that TLS 1.3 knows (RFC 8446 §4.2.3). */
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

function isCurrent({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs < validToDate.getTime()
}
