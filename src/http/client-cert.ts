import { X509Certificate } from 'node:crypto'
import { sha256Hex } from '../kernel/bytes.ts'
import { GenerationCache } from '../kernel/cache.ts'
import { isMalformed, type Member, parseItem, parseList } from '../wire/structured-fields.ts'
import { type PeerCertificate, peerCertificate } from './peer-certificate.ts'
import type { Authorities } from './x509/authorities.ts'
import { certificatesOf } from './x509/pem.ts'

/**
 * The certificate that a proxy passes on in `Client-Cert` (RFC 9440 §2.2): a byte sequence of its DER form, `:MIIB…:`, or the
 * escaped PEM that nginx and Envoy write. Undefined where it is neither. `chain` is `Client-Cert-Chain`, a list of the others
 * that the client has sent. Where there are authorities, they decide whether it is trusted; without them the proxy's word
 * is taken. Only a proxy that is trusted may be asked: whoever else sends the field, makes it up (INVARIANTS A 25).
 */
export function certificateOfField(
  text: string,
  authorities: Authorities | undefined,
  nowMs: number,
  chain = '',
): PeerCertificate | undefined {
  const cache = cacheOf(authorities)
  const key = sha256Hex(`${text}\n${chain}`)
  const known = cache.get(key)
  if (known !== undefined && nowMs >= known.fromMs && nowMs < known.untilMs) return known.certificate
  const leaf = readOne(text.trim())
  if (leaf === undefined) return undefined
  const vouched =
    authorities === undefined ? lifetimeOf(leaf, nowMs) : authorities.vouchedUntil(leaf, readChain(chain), nowMs)
  const certificate = peerCertificate(leaf, vouched !== undefined)
  cache.set(key, { certificate, fromMs: nowMs, untilMs: vouched ?? nowMs + untrustedMs })
  return certificate
}

interface Known {
  readonly certificate: PeerCertificate
  readonly fromMs: number
  readonly untilMs: number
}

/** How long a certificate that nobody vouches for is remembered as such. */
const untrustedMs = 10_000

/** As many certificates as speak through the proxy at a time. */
const capacity = 1_000

const without = new GenerationCache<string, Known>(capacity)
const withAuthorities = new WeakMap<Authorities, GenerationCache<string, Known>>()

function cacheOf(authorities: Authorities | undefined): GenerationCache<string, Known> {
  if (authorities === undefined) return without
  let cache = withAuthorities.get(authorities)
  if (cache === undefined) withAuthorities.set(authorities, (cache = new GenerationCache(capacity)))
  return cache
}

/** Until when it is good by its own dates; undefined where it is not. */
function lifetimeOf({ validFromDate, validToDate }: X509Certificate, nowMs: number): number | undefined {
  const untilMs = validToDate.getTime()
  return validFromDate.getTime() <= nowMs && nowMs < untilMs ? untilMs : undefined
}

function readOne(text: string): X509Certificate | undefined {
  const item = parseItem(text)
  const bytes = isMalformed(item) ? undefined : bytesOf(item)
  if (bytes !== undefined) return certificateIn(bytes)
  if (!text.startsWith('-----BEGIN')) return undefined
  const certificates = certificatesOf(unescaped(text))
  return typeof certificates !== 'string' && certificates.length === 1 ? certificates[0] : undefined
}

/** A list of byte sequences (RFC 9440 §2.3). One that cannot be read as such is no chain at all. */
function readChain(text: string): readonly X509Certificate[] {
  const members = parseList(text)
  if (isMalformed(members)) return []
  const chain: X509Certificate[] = []
  for (const member of members) {
    const bytes = bytesOf(member)
    const certificate = bytes === undefined ? undefined : certificateIn(bytes)
    if (certificate === undefined) return []
    chain.push(certificate)
  }
  return chain
}

/** A byte sequence, and nothing beside it. */
function bytesOf(member: Member): Buffer | undefined {
  if (!('item' in member) || member.item.type !== 'bytes' || member.parameters.size > 0) return undefined
  return Buffer.from(member.item.base64, 'base64')
}

/** DER of one certificate and nothing behind it. */
function certificateIn(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der)
    return certificate.raw.equals(der) ? certificate : undefined
  } catch {
    return undefined
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
