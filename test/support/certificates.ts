// Certificates for tests, made as they are needed: an authority, what it issues and what it takes back.
import 'reflect-metadata'
import { randomBytes, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A certificate with its key, both in PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Wanted {
  /** The subject: a common name, or a whole name such as `CN=billing,O=Example`. */
  readonly subject?: string
  readonly dns?: readonly string[]
  readonly uris?: readonly string[]
  readonly emails?: readonly string[]
  readonly addresses?: readonly string[]
  /** What it is for; both where nothing is said. */
  readonly usage?: readonly ('server' | 'client')[]
  /** From now, in milliseconds: a minute ago, and in a day. */
  readonly fromMs?: number
  readonly untilMs?: number
  /** Extensions beside the usual ones. */
  readonly more?: readonly x509.Extension[]
  readonly rsa?: boolean
}

export interface Authority extends Identity {
  issue(wanted?: Wanted): Promise<Identity>
  /** An authority below this one. */
  below(subject: string, options?: AuthorityOptions): Promise<Authority>
  /** Its revocation list, in PEM. */
  revoke(identities?: readonly Identity[], options?: ListOptions): Promise<string>
}

export interface AuthorityOptions {
  readonly pathLength?: number
  readonly untilMs?: number
  readonly more?: readonly x509.Extension[]
  /** A certificate with this name that may not sign others. */
  readonly impostor?: boolean
}

export interface ListOptions {
  readonly fromMs?: number
  readonly untilMs?: number
  readonly more?: readonly x509.Extension[]
}

const dayMs = 86_400_000
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const

/** An authority of its own. */
export async function makeAuthority(subject = 'CN=Test Authority', options: AuthorityOptions = {}): Promise<Authority> {
  const keys = await keyPair(false)
  const name = nameOf(subject)
  const cert = await x509.X509CertificateGenerator.create({
    ...lifetime(options),
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: signing,
    extensions: await authorityExtensions(keys.publicKey, options),
  })
  return authorityOf(cert, keys)
}

/** A certificate that vouches for itself. */
export async function makeSelfSigned(wanted: Wanted = {}): Promise<Identity> {
  const keys = await keyPair(wanted.rsa === true)
  const name = nameOf(wanted.subject ?? 'CN=self')
  const cert = await x509.X509CertificateGenerator.create({
    ...lifetime(wanted),
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    ...(wanted.rsa === true ? {} : { signingAlgorithm: signing }),
    extensions: leafExtensions(wanted),
  })
  return identity(cert, keys)
}

/** A SAN extension that holds these names as they are, bytes and all. */
export function alternativeNames(
  names: readonly { readonly type: 'dns' | 'email' | 'url' | 'ip'; readonly value: string }[],
): x509.Extension {
  return new x509.SubjectAlternativeNameExtension([...names])
}

/** An extension of which nobody has heard. */
export function unknownExtension(critical: boolean): x509.Extension {
  return new x509.Extension('1.2.3.4.5', critical, new Uint8Array([5, 0]))
}

/** The bytes behind a PEM text. */
export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[A-Z0-9 ]+-----|\s/g, ''), 'base64')
}

async function authorityOf(cert: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Authority> {
  const sign = { issuer: cert.subjectName, signingKey: keys.privateKey, signingAlgorithm: signing }
  return {
    ...(await identity(cert, keys)),
    async issue(wanted: Wanted = {}): Promise<Identity> {
      const own = await keyPair(wanted.rsa === true)
      const leaf = await x509.X509CertificateGenerator.create({
        ...sign,
        ...lifetime(wanted),
        subject: nameOf(wanted.subject ?? 'CN=leaf'),
        publicKey: own.publicKey,
        extensions: [...leafExtensions(wanted), await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)],
      })
      return identity(leaf, own)
    },
    async below(subject: string, options: AuthorityOptions = {}): Promise<Authority> {
      const own = await keyPair(false)
      const inner = await x509.X509CertificateGenerator.create({
        ...sign,
        ...lifetime(options),
        subject: nameOf(subject),
        publicKey: own.publicKey,
        extensions: [
          ...(await authorityExtensions(own.publicKey, options)),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      })
      return authorityOf(inner, own)
    },
    async revoke(identities: readonly Identity[] = [], options: ListOptions = {}): Promise<string> {
      const now = Date.now()
      const list = await x509.X509CrlGenerator.create({
        ...sign,
        thisUpdate: new Date(now + (options.fromMs ?? -60_000)),
        nextUpdate: new Date(now + (options.untilMs ?? dayMs)),
        entries: identities.map(({ cert: revoked }) => ({
          serialNumber: new x509.X509Certificate(revoked).serialNumber,
          revocationDate: new Date(now - 1000),
        })),
        extensions: [...(options.more ?? [])],
      })
      return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`
    },
  }
}

async function identity(cert: x509.X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Identity> {
  return { cert: `${cert.toString('pem')}\n`, key: await privatePem(keys) }
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`
}

function keyPair(rsa: boolean): Promise<webcrypto.CryptoKeyPair> {
  return rsa
    ? crypto.subtle.generateKey(
        { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
        true,
        ['sign', 'verify'],
      )
    : crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
}

function lifetime({ fromMs = -60_000, untilMs = dayMs }: { readonly fromMs?: number; readonly untilMs?: number }): {
  readonly serialNumber: string
  readonly notBefore: Date
  readonly notAfter: Date
} {
  const now = Date.now()
  return {
    serialNumber: `4${randomBytes(15).toString('hex').slice(1)}`,
    notBefore: new Date(now + Math.min(fromMs, untilMs - 60_000)),
    notAfter: new Date(now + untilMs),
  }
}

async function authorityExtensions(key: webcrypto.CryptoKey, options: AuthorityOptions): Promise<x509.Extension[]> {
  const { pathLength, impostor = false, more = [] } = options
  return [
    new x509.BasicConstraintsExtension(!impostor, pathLength, true),
    new x509.KeyUsagesExtension(
      impostor ? x509.KeyUsageFlags.digitalSignature : x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
      true,
    ),
    await x509.SubjectKeyIdentifierExtension.create(key),
    ...more,
  ]
}

function leafExtensions(wanted: Wanted): x509.Extension[] {
  const { dns = [], uris = [], emails = [], addresses = [], usage = ['server', 'client'], more = [] } = wanted
  const names = [
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...emails.map((value) => ({ type: 'email' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ]
  const purposes = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth }
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
    ...(usage.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(usage.map((one) => purposes[one]))]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ...more,
  ]
}

/** Values stand as they are: a name is taken apart only where it says `TYPE=`. */
function nameOf(subject: string): x509.Name {
  return new x509.Name(/^[A-Za-z0-9.]+=/.test(subject) ? subject : [{ CN: [subject] }])
}
