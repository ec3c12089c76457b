// What a certificate says, and whether somebody vouches for it: judged here, and by OpenSSL beside it.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import * as x509 from '@peculiar/x509'
import fc from 'fast-check'
import type { TlsOptions } from '../../src/endpoints/options.ts'
import { openPassedCertificates } from '../../src/endpoints/passed-certificates.ts'
import { certificateOfField } from '../../src/http/client-cert.ts'
import { alternativeNames, peerCertificate } from '../../src/http/peer-certificate.ts'
import { Authorities } from '../../src/http/x509/authorities.ts'
import { DerError, DerReader, objectIdentifier } from '../../src/http/x509/der.ts'
import { certificatesOf, revocationListsOf } from '../../src/http/x509/pem.ts'
import { type Log, silent } from '../../src/kernel/log.ts'
import {
  type Authority,
  derOf,
  makeAuthority,
  makeSelfSigned,
  alternativeNames as namesExtension,
  unknownExtension,
} from '../support/certificates.ts'
import { throwAwayFolder } from '../support/folder.ts'

let root: Authority
let other: Authority

before(async () => {
  root = await makeAuthority('CN=Root')
  other = await makeAuthority('CN=Other')
})

const now = Date.now()

function read(pem: string): X509Certificate {
  return new X509Certificate(pem)
}

function field(pem: string): string {
  return `:${derOf(pem).toString('base64')}:`
}

test('AK5: a certificate says its thumbprint, its subject and its names', async () => {
  const { cert } = await root.issue({
    subject: 'CN=billing,OU=Payments,O=Example',
    dns: ['Billing.Internal'],
    uris: ['spiffe://example/billing'],
    emails: ['ops@example.com'],
    addresses: ['10.0.0.1', '2001:db8::1'],
  })
  const { der, ...said } = peerCertificate(read(cert), true)
  assert.deepEqual(der, derOf(cert))
  assert.deepEqual(said, {
    thumbprint: createHash('sha256').update(derOf(cert)).digest('base64url'),
    subject: said.subject,
    dns: ['billing.internal'],
    uris: ['spiffe://example/billing'],
    emails: ['ops@example.com'],
    addresses: ['10.0.0.1', '2001:db8::1'],
    trusted: true,
  })
})

test('AK5: the subject is written as RFC 4514 writes it, and as OpenSSL does', async (context) => {
  const folder = throwAwayFolder(context)
  const names: x509.JsonName[] = [
    [{ C: ['DE'] }, { O: ['Ex, "Inc"'] }, { CN: [' lead#<>;=+\\ '] }],
    [{ O: ['a'], OU: ['b + CN=c'] }, { CN: ['x'] }],
    [{ CN: ['line\nCN=admin'] }],
    [{ CN: ['plain'] }, { E: ['a@b.c'] }],
    [{ CN: ['zürich'] }],
  ]
  for (const [index, name] of names.entries()) {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    })
    const file = join(folder, `${index}.pem`)
    writeFileSync(file, certificate.toString('pem'))
    const openssl = execFileSync('openssl', ['x509', '-in', file, '-noout', '-subject', '-nameopt', 'RFC2253,-esc_msb'])
    const { subject } = peerCertificate(read(certificate.toString('pem')), false)
    assert.equal(
      subject,
      openssl
        .toString()
        .replace(/^subject=/, '')
        .trimEnd(),
    )
    assert.doesNotMatch(subject, /\n/)
  }
})

test('AK5: a name cannot smuggle in another: what it says is one name (CVE-2021-44532)', async () => {
  const values = [
    'good.example, DNS:evil.example',
    'a", DNS:"evil.example',
    "it's",
    'back\\slash',
    'x\u0000.evil.example',
  ]
  const { cert } = await root.issue({
    more: [
      namesExtension([
        ...values.map((value) => ({ type: 'dns' as const, value })),
        { type: 'url', value: 'u:x, DNS:evil' },
      ]),
    ],
  })
  const { dns, uris } = peerCertificate(read(cert), true)
  assert.deepEqual(
    dns,
    values.map((value) => value.toLowerCase()),
  )
  assert.deepEqual(uris, ['u:x, DNS:evil'])
})

test('AK5: whatever ASCII text a DNS name or a URI is, it comes back as it is, and alone', async () => {
  const ascii = fc.string({
    unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 20,
  })
  await fc.assert(
    fc.asyncProperty(ascii, ascii, async (dns, uri) => {
      const extension = namesExtension([
        { type: 'dns', value: dns },
        { type: 'url', value: uri },
      ])
      const { cert } = await root.issue({ more: [extension] })
      const found = peerCertificate(read(cert), true)
      assert.deepEqual([found.dns, found.uris], [[dns.toLowerCase()], [uri]])
    }),
    { numRuns: 40 },
  )
})

test('names that are not written in exactly that way name nobody', () => {
  const nobody = { dns: [], uris: [], emails: [], addresses: [] }
  for (const text of [
    'DNS:a"b',
    'DNS:"a',
    'DNS:a, ',
    'DNS:a,DNS:b',
    'a.example',
    'DNS:"a"b',
    'DNS:"a\\q"',
    'DNS:a\nDNS:b',
  ])
    assert.deepEqual(alternativeNames(text), nobody, text)
  assert.deepEqual(alternativeNames('DNS:a, DirName:"CN=dir\\u002c DNS:evil", othername:<unsupported>'), {
    ...nobody,
    dns: ['a'],
  })
  fc.assert(fc.property(fc.string(), (text) => void alternativeNames(text)))
})

/** A path of certificates, and whether it should lead anywhere. OpenSSL is asked the same. */
interface Path {
  readonly leaf: string
  readonly chain?: readonly string[]
  readonly anchors?: readonly string[]
  readonly lists?: readonly string[]
  readonly trusted: boolean
  /** Where we are stricter than OpenSSL. */
  readonly openssl?: boolean
}

async function paths(): Promise<Readonly<Record<string, Path>>> {
  const leaf = await root.issue()
  const middle = await root.below('CN=Middle')
  const inner = await middle.issue()
  const noDepth = await root.below('CN=No Depth', { pathLength: 0 })
  const tooDeep = await noDepth.below('CN=Too Deep')
  const impostor = await root.below('CN=Impostor', { impostor: true })
  const pastMiddle = await root.below('CN=Past', { untilMs: -40_000 })
  const constrained = await root.below('CN=Constrained', {
    more: [new x509.Extension('2.5.29.30', true, nameConstraints)],
  })
  const strange = await root.below('CN=Strange', { more: [unknownExtension(true)] })
  const namesake = await makeAuthority('CN=Root')
  const forServers = await root.below('CN=For Servers', {
    more: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])],
  })
  const clean = await root.revoke()
  const middleClean = await middle.revoke()
  const signedBy = async (authority: Authority): Promise<string> => (await authority.issue()).cert
  return {
    'issued by an authority': { leaf: leaf.cert, trusted: true },
    'through a middle one that came along': { leaf: inner.cert, chain: [middle.cert], trusted: true },
    'through a middle one that is among ours': { leaf: inner.cert, anchors: [root.cert, middle.cert], trusted: true },
    'through a middle one that did not come': { leaf: inner.cert, trusted: false },
    'a heap of others in between': {
      leaf: inner.cert,
      chain: [other.cert, namesake.cert, leaf.cert, middle.cert],
      trusted: true,
    },
    'issued by another authority': { leaf: await signedBy(other), trusted: false },
    'issued by another authority, which came along': {
      leaf: await signedBy(other),
      chain: [other.cert],
      trusted: false,
    },
    'issued by a namesake of ours': { leaf: await signedBy(namesake), trusted: false },
    'signed by nobody': { leaf: (await makeSelfSigned()).cert, trusted: false },
    'run out': { leaf: (await root.issue({ untilMs: -40_000 })).cert, trusted: false },
    'not yet valid': { leaf: (await root.issue({ fromMs: 60_000 })).cert, trusted: false },
    'through one that has run out': { leaf: await signedBy(pastMiddle), chain: [pastMiddle.cert], trusted: false },
    'through one that may not issue': { leaf: await signedBy(impostor), chain: [impostor.cert], trusted: false },
    'through a leaf': { leaf: (await authorityWith(leaf)).cert, chain: [leaf.cert], trusted: false },
    'deeper than allowed': { leaf: await signedBy(tooDeep), chain: [tooDeep.cert, noDepth.cert], trusted: false },
    'as deep as allowed': { leaf: await signedBy(noDepth), chain: [noDepth.cert], trusted: true },
    'for servers only': { leaf: (await root.issue({ usage: ['server'] })).cert, trusted: false },
    'for every purpose': { leaf: (await root.issue({ usage: [] })).cert, trusted: true },
    'under an authority for servers': { leaf: await signedBy(forServers), chain: [forServers.cert], trusted: false },
    'a critical extension that nobody knows': {
      leaf: (await root.issue({ more: [unknownExtension(true)] })).cert,
      trusted: false,
    },
    'another extension that nobody knows': {
      leaf: (await root.issue({ more: [unknownExtension(false)] })).cert,
      trusted: true,
    },
    'a strange authority': { leaf: await signedBy(strange), chain: [strange.cert], trusted: false },
    'an authority with name constraints': {
      leaf: (await constrained.issue({ dns: ['a.example'] })).cert,
      chain: [constrained.cert],
      trusted: false,
      openssl: true,
    },
    'an RSA key': { leaf: (await root.issue({ rsa: true })).cert, trusted: true },
    'not taken back': { leaf: leaf.cert, lists: [clean], trusted: true },
    'taken back': { leaf: leaf.cert, lists: [await root.revoke([leaf])], trusted: false },
    'another one taken back': { leaf: leaf.cert, lists: [await root.revoke([inner])], trusted: true },
    'a list that is out of date': {
      leaf: leaf.cert,
      lists: [await root.revoke([], { fromMs: -90_000, untilMs: -40_000 })],
      trusted: false,
    },
    'a list of tomorrow': { leaf: leaf.cert, lists: [await root.revoke([], { fromMs: 60_000 })], trusted: false },
    'a list of another authority only': { leaf: leaf.cert, lists: [await other.revoke()], trusted: false },
    'a list that a namesake signed': { leaf: leaf.cert, lists: [await namesake.revoke()], trusted: false },
    'a list with a critical extension that nobody knows': {
      leaf: leaf.cert,
      lists: [await root.revoke([], { more: [unknownExtension(true)] })],
      trusted: false,
    },
    'a middle one without a list': { leaf: inner.cert, chain: [middle.cert], lists: [clean], trusted: false },
    'lists for the whole path': { leaf: inner.cert, chain: [middle.cert], lists: [clean, middleClean], trusted: true },
    'a middle one that was taken back': {
      leaf: inner.cert,
      chain: [middle.cert],
      lists: [await root.revoke([middle]), middleClean],
      trusted: false,
    },
  }
}

/** Permits `example` and what is below it. */
const nameConstraints = new Uint8Array([0x30, 0x0d, 0xa0, 0x0b, 0x30, 0x09, 0x82, 0x07, ...Buffer.from('example')])

/** A leaf that signs another. */
async function authorityWith(leaf: {
  readonly cert: string
  readonly key: string
}): Promise<{ readonly cert: string }> {
  const key = await crypto.subtle.importKey('pkcs8', derOf(leaf.key), { name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
  ])
  const own = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=forged',
    issuer: new x509.X509Certificate(leaf.cert).subjectName,
    publicKey: own.publicKey,
    signingKey: key,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return { cert: certificate.toString('pem') }
}

test('AK5: a certificate is trusted by the path that leads to an authority, as OpenSSL finds it', async (context) => {
  for (const [name, path] of Object.entries(await paths())) {
    const { leaf, chain = [], anchors = [root.cert], lists, trusted, openssl = trusted } = path
    const parsedLists = lists?.flatMap((text) => [...(revocationListsOf(text) as never[])])
    const authorities = new Authorities(anchors.map(read), parsedLists)
    assert.equal(authorities.vouchedUntil(read(leaf), chain.map(read), now) !== undefined, trusted, name)
    assert.equal(opensslTrusts(context, path, anchors), openssl, `OpenSSL: ${name}`)
  }
})

function opensslTrusts(context: TestContext, { leaf, chain = [], lists }: Path, anchors: readonly string[]): boolean {
  const folder = throwAwayFolder(context)
  const write = (name: string, texts: readonly string[]): string => {
    writeFileSync(join(folder, name), texts.join('\n'))
    return join(folder, name)
  }
  const checks = lists === undefined ? [] : ['-crl_check_all', '-CRLfile', write('crl.pem', lists)]
  const between = chain.length === 0 ? [] : ['-untrusted', write('chain.pem', chain)]
  const args = ['verify', '-purpose', 'sslclient', '-no-CApath', '-no-CAstore', '-CAfile', write('ca.pem', anchors)]
  return spawnSync('openssl', [...args, ...between, ...checks, write('leaf.pem', [leaf])]).status === 0
}

test('AK5: trust ends with the first date of a path, or when the next list is due', async () => {
  const leaf = await root.issue({ untilMs: 50_000 })
  const untilMs = Math.floor((Date.now() + 20_000) / 1000) * 1000
  const list = await root.revoke([], { untilMs: 20_000 })
  const without = new Authorities([read(root.cert)], undefined).vouchedUntil(read(leaf.cert), [], now)
  assert.equal(without, read(leaf.cert).validToDate.getTime())
  const lists = revocationListsOf(list)
  assert.ok(typeof lists !== 'string')
  const withList = new Authorities([read(root.cert)], lists).vouchedUntil(read(leaf.cert), [], now) ?? 0
  assert.ok(Math.abs(withList - untilMs) <= 2000, `${withList - untilMs}`)
})

test('a heap of look-alikes costs a bounded number of signatures', async () => {
  const alike = await Promise.all(Array.from({ length: 60 }, () => makeAuthority('CN=Alike')))
  const leaf = await (alike[0] as Authority).issue()
  const authorities = new Authorities(
    alike.slice(1).map(({ cert }) => read(cert)),
    undefined,
  )
  const startedAt = performance.now()
  assert.equal(
    authorities.vouchedUntil(
      read(leaf.cert),
      alike.slice(0, 8).map(({ cert }) => read(cert)),
      now,
    ),
    undefined,
  )
  assert.ok(performance.now() - startedAt < 100)
})

test('A25: `Client-Cert` is read as RFC 9440 writes it, and as nginx and Envoy do', async () => {
  const { cert } = await root.issue({ dns: ['billing.internal'] })
  const authorities = new Authorities([read(root.cert)], undefined)
  for (const text of [field(cert), ` ${field(cert)} `, encodeURIComponent(cert)]) {
    const found = certificateOfField(text, authorities, now)
    assert.deepEqual([found?.dns, found?.trusted], [['billing.internal'], true])
    assert.equal(found?.thumbprint, createHash('sha256').update(derOf(cert)).digest('base64url'))
  }
  assert.equal(certificateOfField(field(cert), authorities, now), certificateOfField(field(cert), authorities, now))
})

test('A25: what is not one certificate and nothing else is none', async () => {
  const { cert } = await root.issue()
  const whole = derOf(cert)
  const sequence = (bytes: Buffer): string => `:${bytes.toString('base64')}:`
  const wrong = [
    '',
    '::',
    ':AAAA:',
    whole.toString('base64'),
    `${field(cert)};x=1`,
    `${field(cert)}, ${field(cert)}`,
    field(cert).replace(':', ': '),
    `:${whole.toString('base64url')}`,
    sequence(Buffer.concat([whole, Buffer.from([0])])),
    sequence(whole.subarray(0, -1)),
    cert.replaceAll('-----', '--'),
    `%${encodeURIComponent(cert)}`,
    encodeURIComponent(cert + cert),
    '-----BEGIN%20CERTIFICATE-----%zz',
  ]
  for (const text of wrong) assert.equal(certificateOfField(text, undefined, now), undefined, text.slice(0, 60))
  fc.assert(fc.property(fc.string(), (text) => assert.equal(certificateOfField(text, undefined, now), undefined)))
})

test('A25: what a proxy passes on is trusted by our authorities, and by the proxy’s word only where there are none', async () => {
  const middle = await root.below('CN=Middle')
  const [good, forged, past] = await Promise.all([middle.issue(), other.issue(), root.issue({ untilMs: -40_000 })])
  const authorities = new Authorities([read(root.cert)], undefined)
  const trusted = (cert: string, by: Authorities | undefined, chain?: string): boolean | undefined =>
    certificateOfField(field(cert), by, now, chain)?.trusted
  assert.equal(trusted(good.cert, authorities), false)
  assert.equal(trusted(good.cert, authorities, field(middle.cert)), true)
  assert.equal(trusted(good.cert, authorities, `${field(other.cert)} ,${field(middle.cert)}`), true)
  assert.equal(trusted(good.cert, authorities, `${field(middle.cert)}, nonsense`), false)
  assert.equal(trusted(forged.cert, authorities, field(other.cert)), false)
  assert.equal(trusted(forged.cert, undefined), true)
  assert.equal(trusted(past.cert, undefined), false)
})

test('A25: a certificate that was read before is trusted no longer than its dates allow', async () => {
  const { cert } = await root.issue({ untilMs: 30_000 })
  for (const authorities of [new Authorities([read(root.cert)], undefined), undefined]) {
    assert.equal(certificateOfField(field(cert), authorities, now)?.trusted, true)
    assert.equal(certificateOfField(field(cert), authorities, now + 60_000)?.trusted, false)
    assert.equal(certificateOfField(field(cert), authorities, now)?.trusted, true)
  }
})

test('A25: the authorities that judge what a proxy passes on follow their files, and stay where those are not in order', async (context) => {
  const folder = throwAwayFolder(context)
  const [ca, crl] = [join(folder, 'ca.pem'), join(folder, 'crl.pem')]
  writeFileSync(ca, root.cert)
  writeFileSync(crl, await root.revoke())
  let monotonicMs = 0
  const clock = { now: () => now, monotonic: () => monotonicMs }
  const errors: string[] = []
  const log: Log = { ...silent, error: (_fields, message) => void errors.push(message) }
  const { cert } = await root.issue()
  const options = { clientCertHeader: { clientCa: ca, crl: [crl] }, tls: undefined }
  const passed = openPassedCertificates(options, { clock, log })
  const byTls = openPassedCertificates({ clientCertHeader: true, tls: { clientCa: ca } as TlsOptions }, { clock, log })
  const trusted = (leaf = cert): boolean | undefined => {
    monotonicMs += 6_000
    return passed?.(field(leaf), undefined)?.trusted
  }
  assert.equal(trusted(), true)
  const foreign = await other.issue()
  assert.deepEqual([trusted(foreign.cert), byTls?.(field(foreign.cert), undefined)?.trusted], [false, false])
  assert.equal(openPassedCertificates({ clientCertHeader: false, tls: undefined }, { clock, log }), undefined)
  writeFileSync(crl, 'half')
  assert.deepEqual([trusted(), trusted(), errors.length], [true, true, 1])
  writeFileSync(crl, await root.revoke([{ cert, key: '' }]))
  assert.deepEqual([trusted(), errors.length], [false, 1])
})

test('DER has one spelling: other lengths, ends and depths are refused', () => {
  for (const bytes of [
    [],
    [0x30],
    [0x30, 0x80],
    [0x30, 0x81, 0x01, 0],
    [0x30, 0x82, 0, 0x80],
    [0x30, 5, 1],
    [0x1f, 0x81, 0],
  ])
    assert.throws(() => new DerReader(new Uint8Array(bytes)).take(), DerError, bytes.join())
  assert.throws(() => objectIdentifier(new Uint8Array([0x2a, 0x86])), DerError)
  assert.equal(objectIdentifier(new Uint8Array([0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])), '1.2.840.10045.4.3.2')
  assert.equal(objectIdentifier(new Uint8Array([0x88, 0x37])), '2.999')
})

test('a revocation list or a certificate that was changed or cut is told as such, or not by its authority', async () => {
  const leaf = await root.issue()
  const list = derOf(await root.revoke([leaf]))
  const pem = (bytes: Buffer): string =>
    `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`
  fc.assert(
    fc.property(fc.nat(list.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(list)
      changed[at] = (changed[at] as number) ^ flip
      const lists = revocationListsOf(pem(changed))
      if (typeof lists === 'string') return
      // Whatever it says now, nobody signed it: the authority has no list, and its certificates are not trusted.
      assert.equal(new Authorities([read(root.cert)], lists).vouchedUntil(read(leaf.cert), [], now), undefined)
    }),
    { numRuns: 200 },
  )
  assert.equal(typeof revocationListsOf(pem(list.subarray(0, 40))), 'string')
  assert.match(certificatesOf('hello') as string, /holds no `BEGIN CERTIFICATE`/)
  assert.match(certificatesOf(leaf.cert.slice(0, 200)) as string, /no end/)
  assert.match(
    certificatesOf(`${leaf.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`) as string,
    /certificate 2/,
  )
})
