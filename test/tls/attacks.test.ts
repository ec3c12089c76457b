// Certificates and lists that somebody bent: written by hand, signed by whoever has the key.
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { checkTls } from '../../src/endpoints/tls.ts'
import { certificateOfField } from '../../src/http/client-cert.ts'
import { Authorities } from '../../src/http/x509/authorities.ts'
import { DerReader, tags } from '../../src/http/x509/der.ts'
import { pemOf } from '../../src/http/x509/pem.ts'
import { type RevocationList, readRevocationList } from '../../src/http/x509/revocation-list.ts'
import { silent } from '../../src/kernel/log.ts'
import { type Authority, derOf, makeAuthority, unknownExtension } from '../support/certificates.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { startTlsHouse, type TlsHouse } from '../support/tls.ts'

let root: Authority

before(async () => {
  root = await makeAuthority('CN=Root')
})

const now = Date.now()
/** Where the parts of a certificate stand. */
const tbs = { serial: 1, algorithm: 2, key: 6 } as const
/** Where the entries of a list stand. */
const entries = 5

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { byteLength: length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function partsOf(content: Uint8Array): Uint8Array[] {
  const reader = new DerReader(content)
  const parts: Uint8Array[] = []
  while (!reader.done) parts.push(reader.take().whole)
  return parts
}

function inside(whole: Uint8Array, tag: number = tags.sequence): Uint8Array {
  return new DerReader(whole).take(tag).content
}

/** A certificate or a list with other parts in it, and a signature over them. */
function resigned(
  pem: string,
  change: (parts: Uint8Array[]) => void,
  signature = (bytes: Uint8Array): Uint8Array => sign('sha256', bytes, root.key),
): Buffer {
  const [body = empty, algorithm = empty] = partsOf(inside(derOf(pem)))
  const parts = partsOf(inside(body))
  const at = parts.findIndex((part) => Buffer.compare(part, algorithm) === 0)
  change(parts)
  const changed = tlv(tags.sequence, ...parts)
  const bits = tlv(tags.bitString, new Uint8Array(1), signature(changed))
  return tlv(tags.sequence, changed, parts[at] as Uint8Array, bits)
}

const empty = new Uint8Array()

function field(der: Uint8Array): string {
  return `:${Buffer.from(der).toString('base64')}:`
}

function isVouchedFor(
  der: Uint8Array,
  anchor: Uint8Array = derOf(root.cert),
  lists?: readonly RevocationList[],
): boolean {
  const authorities = new Authorities([new X509Certificate(anchor)], lists)
  return authorities.vouchedUntil(new X509Certificate(der), [], now) !== undefined
}

function listOf(der: Uint8Array): RevocationList {
  return readRevocationList(der) ?? assert.fail('it is no list')
}

test('AK5: a certificate whose key nobody can read is nobody’s, and the house goes on', async (context) => {
  const { folder } = await startTlsHouse(context, root, { tls: { clientCa: root.cert } })
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
    services: { billing: { certificates: [{ dns: 'billing.internal' }] } },
    listen: { trustedProxies: ['127.0.0.1'], clientCertHeader: { clientCa: join(folder, 'ca.pem') } },
  })
  const { cert } = await root.issue({ dns: ['billing.internal'] })
  const ask = async (der: Uint8Array): Promise<number> => {
    const answer = await fetch(`${house.url}/known`, { headers: { 'client-cert': field(der) } })
    await answer.body?.cancel()
    return answer.status
  }
  const unreadable = Buffer.from(derOf(cert))
  const curve = unreadable.indexOf(Buffer.from('2a8648ce3d0301', 'hex'))
  unreadable[curve + 6] = 0x7f // a curve that there is none of
  assert.throws(() => new X509Certificate(unreadable).publicKey)
  assert.equal(await ask(unreadable), 401)
  assert.equal(await ask(derOf(cert)), 200)
})

test('A25: the certificate of a trusted proxy is that of no client behind it, also where the proxy is not asked for theirs', async (context) => {
  const { cert, key } = await root.issue({ dns: ['billing.internal'] })
  const listening = (trustedProxies: string[]): Promise<TlsHouse> =>
    startTlsHouse(context, root, { tls: { clientCa: root.cert }, config: { listen: { trustedProxies } } })
  const behind = await listening(['127.0.0.1'])
  const ask = async (house: TlsHouse, headers: Record<string, string>): Promise<number> =>
    (await house.ask('/known', { cert, key, headers })).status
  assert.equal(await ask(behind, { 'x-forwarded-for': '198.51.100.7' }), 401)
  assert.equal(await ask(behind, { 'x-forwarded-proto': 'https' }), 401)
  assert.equal(await ask(behind, {}), 200, 'what it asks for itself')
  assert.equal(await ask(await listening([]), { 'x-forwarded-for': '198.51.100.7' }), 200, 'nobody’s proxy')
})

test('A25: what a proxy passes on is judged after the limits of addresses: a flood checks no signatures', async (context) => {
  const { folder, write } = await startTlsHouse(context, root, { tls: { clientCa: root.cert } })
  const errors: string[] = []
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(
    context,
    {
      upstreams: { api: upstream.url },
      limits: false,
      shield: { addresses: { deny: ['203.0.113.0/24'] } },
      routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
      listen: { trustedProxies: ['127.0.0.1'], clientCertHeader: { clientCa: join(folder, 'ca.pem') } },
    },
    { log: { ...silent, error: (_fields, message) => void errors.push(message) } },
  )
  write('ca.pem', 'half') // whoever looks at a certificate looks at this file first
  const { cert } = await root.issue()
  const ask = async (from: string): Promise<readonly [status: number, looked: number]> => {
    const headers = { 'client-cert': field(derOf(cert)), 'x-forwarded-for': from }
    const answer = await fetch(`${house.url}/known`, { headers })
    await answer.body?.cancel()
    return [answer.status, errors.length]
  }
  assert.deepEqual(await ask('203.0.113.7'), [403, 0])
  assert.deepEqual(await ask('198.51.100.7'), [401, 1])
})

test('AK5: whatever byte of a certificate is another, nobody vouches for it, and nothing throws', async () => {
  const { cert } = await root.issue({
    subject: 'CN=billing,O=Example',
    dns: ['billing.internal'],
    uris: ['spiffe://example/billing'],
    emails: ['billing@example.com'],
    addresses: ['192.0.2.1'],
  })
  const authorities = new Authorities([new X509Certificate(root.cert)], undefined)
  const whole = derOf(cert)
  let read = 0
  for (let at = 0; at < whole.byteLength; at++) {
    for (const flip of [0x01, 0x20, 0x80, 0xff]) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] as number) ^ flip
      const found = certificateOfField(field(changed), authorities, now)
      if (found !== undefined) read++
      assert.notEqual(found?.trusted, true, `byte ${at} ^ ${flip}`)
    }
  }
  assert.ok(read > whole.byteLength, 'most of them are certificates')
})

test('AK5: a serial number below zero is taken back like any other', async () => {
  const leaf = await root.issue()
  for (const [written, another] of [
    [
      [0x85, 0x01],
      [0x00, 0x85, 0x01],
    ],
    [
      [0x00, 0x85, 0x01],
      [0x85, 0x01],
    ],
    [[0x80], [0x01]],
  ] as const) {
    const certificate = resigned(leaf.cert, (parts) => {
      parts[tbs.serial] = tlv(tags.integer, new Uint8Array(written))
    })
    const listing = async (serial: readonly number[]): Promise<RevocationList> => {
      const since = tlv(tags.utcTime, Buffer.from('250101000000Z'))
      const entry = tlv(tags.sequence, tlv(tags.integer, new Uint8Array(serial)), since)
      return listOf(resigned(await root.revoke(), (parts) => parts.splice(entries, 1, tlv(tags.sequence, entry))))
    }
    const name = Buffer.from(written).toString('hex')
    assert.equal(isVouchedFor(certificate, undefined, [await listing(another)]), true, name)
    assert.equal(isVouchedFor(certificate, undefined, [await listing(written)]), false, name)
  }
})

test('AK5: a list is read to its end or not at all, and what is critical in it is so however it is written', async () => {
  const leaf = derOf((await root.issue()).cert)
  const written = await root.revoke([], { more: [unknownExtension(false)] })
  const critical = (spelling: number) => (parts: Uint8Array[]) => {
    const last = parts.length - 1
    const extension = partsOf(inside(inside(parts[last] as Uint8Array, tags.context(0))))[0] as Uint8Array
    const [id = empty, value = empty] = partsOf(inside(extension))
    const marked = tlv(tags.sequence, id, tlv(tags.boolean, new Uint8Array([spelling])), value)
    parts[last] = tlv(tags.context(0), tlv(tags.sequence, marked))
  }
  assert.equal(isVouchedFor(leaf, undefined, [listOf(derOf(written))]), true)
  assert.equal(isVouchedFor(leaf, undefined, [listOf(resigned(written, critical(0x00)))]), true)
  assert.equal(isVouchedFor(leaf, undefined, [listOf(resigned(written, critical(0xff)))]), false)
  const otherwise = derOf(written) // it says one algorithm where it is signed, and another outside
  otherwise[otherwise.lastIndexOf(Buffer.from('2a8648ce3d040302', 'hex')) + 7] = 0x03
  for (const bent of [
    resigned(written, critical(0x01)),
    // What was taken back stands where nobody looks.
    resigned(written, (parts) => parts.splice(4, 1, tlv(0x18 | 0x80, empty))),
    resigned(written, (parts) => parts.push(tlv(tags.sequence, empty))),
    otherwise,
  ])
    assert.equal(readRevocationList(bent), undefined)
})

test('AK5: an extension is critical however that is written, or the certificate is nobody’s', async () => {
  const { cert } = await root.issue({ more: [unknownExtension(true)] })
  const marked = (spelling: number): Buffer =>
    resigned(cert, (parts) => {
      const last = parts.length - 1
      const bytes = Buffer.from(parts[last] as Uint8Array)
      bytes[bytes.indexOf(Buffer.from('06042a0304050101ff', 'hex')) + 8] = spelling
      parts[last] = bytes
    })
  assert.deepEqual(
    [0x00, 0xff, 0x01].map((spelling) => isVouchedFor(marked(spelling))),
    [true, false, false],
  )
})

test('AK5: a key or a signature that is too weak, or made to be slow, is nobody’s, in a header as at a handshake', async () => {
  const { cert } = await root.issue()
  const withKey = (key: KeyObject): Buffer =>
    resigned(cert, (parts) => {
      parts[tbs.key] = key.export({ type: 'spki', format: 'der' })
    })
  const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).publicKey
  const rsa = (modulusLength: number): KeyObject => generateKeyPairSync('rsa', { modulusLength }).publicKey
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1']) assert.ok(isVouchedFor(withKey(ec(curve))), curve)
  for (const curve of ['secp112r1', 'secp160r1', 'prime192v1'])
    assert.equal(isVouchedFor(withKey(ec(curve))), false, curve)
  assert.ok(isVouchedFor(withKey(generateKeyPairSync('ed25519').publicKey)))
  assert.deepEqual([isVouchedFor(withKey(rsa(2048))), isVouchedFor(withKey(rsa(1024)))], [true, false])

  const { n = '' } = rsa(2048).export({ format: 'jwk' })
  const slow = (exponent: string): KeyObject => createPublicKey({ key: { kty: 'RSA', n, e: exponent }, format: 'jwk' })
  const huge = createPublicKey({ key: { kty: 'RSA', n: n.repeat(8), e: 'AQAB' }, format: 'jwk' })
  assert.deepEqual(
    [slow('AQAB'), slow(n), huge].map((key) => isVouchedFor(withKey(key))),
    [true, false, false],
    'a check may cost what a check costs',
  )

  const authority = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const anchor = resigned(root.cert, (parts) => {
    parts[tbs.key] = createPublicKey(authority.publicKey.export({ type: 'spki', format: 'pem' })).export({
      type: 'spki',
      format: 'der',
    })
  })
  const padding = 6 // RSA_PKCS1_PSS_PADDING
  for (const [hash, id, holds] of [
    ['sha1', '2b0e03021a', false],
    ['sha256', '608648016503040201', true],
  ] as const) {
    const oid = tlv(tags.objectIdentifier, Buffer.from(id, 'hex'))
    const hashed = tlv(tags.sequence, oid)
    const mask = tlv(tags.sequence, tlv(tags.objectIdentifier, Buffer.from('2a864886f70d010108', 'hex')), hashed)
    const salt = tlv(tags.context(2), tlv(tags.integer, new Uint8Array([20])))
    const pss = tlv(tags.objectIdentifier, Buffer.from('2a864886f70d01010a', 'hex'))
    const parameters = tlv(tags.sequence, tlv(tags.context(0), hashed), tlv(tags.context(1), mask), salt)
    const signed = resigned(
      cert,
      (parts) => {
        parts[tbs.algorithm] = tlv(tags.sequence, pss, parameters)
      },
      (bytes) => sign(hash, bytes, { key: authority.privateKey, padding, saltLength: 20 }),
    )
    assert.ok(new X509Certificate(signed).verify(authority.publicKey), hash)
    assert.equal(isVouchedFor(signed, anchor), holds, hash)
  }
})

test('AK5: an authority that OpenSSL reads and that is not written in DER is a mistake, and no crash', async (context) => {
  const { write } = await startTlsHouse(context, root)
  const bent = Buffer.from(derOf(root.cert))
  bent[bent.indexOf(Buffer.from('0603551d130101ff', 'hex')) + 7] = 0x01
  assert.ok(new X509Certificate(bent).ca)
  const clientCa = write('bent.pem', pemOf(bent, 'CERTIFICATE'))
  const crl = write('crl.pem', await root.revoke())
  const listen = { clientCertHeader: { clientCa, crl: [crl] }, trustedProxies: ['127.0.0.1'], tls: undefined }
  const mistakes = checkTls(listen as never, {})
  assert.deepEqual(
    mistakes.map(({ path }) => path),
    ['listen.clientCertHeader.clientCa'],
  )
  assert.match(mistakes[0]?.message ?? '', /not written in DER/)
})
