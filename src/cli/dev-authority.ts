import 'reflect-metadata' // its part needs it, and has to find it there
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509'
import { pemOf } from '../http/x509/pem.ts'
import { parseAddress } from '../kernel/ip.ts'

/** A certificate and its private key, both PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Leaf {
  readonly commonName: string
  /** DNS names and addresses. */
  readonly names: readonly string[]
  readonly purpose: 'server' | 'client'
}

interface Authority {
  readonly certificate: X509Certificate
  readonly publicKey: webcrypto.CryptoKey
  readonly privateKey: webcrypto.CryptoKey
}

const { subtle } = webcrypto
const p256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const

/** How long what is made here is good. */
export const lifetimesMs = { authority: 31_536_000_000, leaf: 2_592_000_000, list: 2_592_000_000 } as const

/** An authority to try things with. Its certificates are for leaves only. */
export async function makeAuthority(nowMs: number): Promise<Identity> {
  const { publicKey, privateKey } = await subtle.generateKey(p256, true, ['sign', 'verify'])
  const name = [{ CN: [`Gatehouse development ${randomBytes(4).toString('hex')}`] }]
  const certificate = await X509CertificateGenerator.create({
    ...lifetime(nowMs, lifetimesMs.authority),
    subject: name,
    issuer: name,
    publicKey,
    signingKey: privateKey,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return identityOf(certificate, privateKey)
}

/** What the authority vouches for, with a key of its own. */
export async function issue(
  identity: Identity,
  { commonName, names, purpose }: Leaf,
  nowMs: number,
): Promise<Identity> {
  const authority = await authorityOf(identity)
  const { publicKey, privateKey } = await subtle.generateKey(p256, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    ...lifetime(nowMs, lifetimesMs.leaf),
    subject: [{ CN: [commonName] }],
    issuer: authority.certificate.subjectName,
    publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([purpose === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: parseAddress(value) === undefined ? 'dns' : 'ip', value })),
      ),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  return identityOf(certificate, privateKey)
}

/** The authority's revocation list, PEM: it takes back the certificates of these serial numbers, in hex. */
export async function makeRevocationList(
  identity: Identity,
  serials: Iterable<string>,
  nowMs: number,
): Promise<string> {
  const authority = await authorityOf(identity)
  const list = await X509CrlGenerator.create({
    issuer: authority.certificate.subjectName,
    thisUpdate: new Date(nowMs - skewMs),
    nextUpdate: new Date(nowMs + lifetimesMs.list),
    signingKey: authority.privateKey,
    signingAlgorithm,
    entries: [...serials].map((serialNumber) => ({
      serialNumber,
      revocationDate: new Date(nowMs),
      reason: X509CrlReason.cessationOfOperation,
    })),
    extensions: [
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
      new Extension(crlNumber, false, integer(nowMs)),
    ],
  })
  return pemOf(new Uint8Array(list.rawData), 'X509 CRL')
}

async function authorityOf({ cert, key }: Identity): Promise<Authority> {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
  return {
    certificate: new X509Certificate(cert),
    publicKey: await subtle.importKey('spki', spki, p256, true, ['verify']),
    privateKey: await subtle.importKey('pkcs8', pkcs8, p256, false, ['sign']),
  }
}

async function identityOf(certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<Identity> {
  return {
    cert: pemOf(new Uint8Array(certificate.rawData), 'CERTIFICATE'),
    key: pemOf(new Uint8Array(await subtle.exportKey('pkcs8', key)), 'PRIVATE KEY'),
  }
}

/** Clocks differ by minutes. */
const skewMs = 300_000

/** A serial number of 127 random bits, positive (RFC 5280 §4.1.2.2). */
function lifetime(nowMs: number, ms: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return { serialNumber: serial.toString('hex'), notBefore: new Date(nowMs - skewMs), notAfter: new Date(nowMs + ms) }
}

/** `id-ce-cRLNumber` (RFC 5280 §5.2.3): grows with each list. */
const crlNumber = '2.5.29.20'

function integer(value: number): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(value.toString(16).padStart(16, '0'), 'hex')
  const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  const content = (short[0] ?? 0) >= 0x80 ? [0, ...short] : [...short]
  return new Uint8Array([0x02, content.length, ...content])
}
