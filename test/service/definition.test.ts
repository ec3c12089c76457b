// How a service is described, in the configuration and by its certificates.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { nameKey } from '../../src/authn/service/distinguished-name.ts'
import { serviceOptions } from '../../src/authn/service/options.ts'
import { ServiceBook } from '../../src/authn/service/service-book.ts'
import { serviceNameProblem } from '../../src/authn/service/service-name.ts'
import { Services } from '../../src/authn/service/services.ts'
import { type PeerCertificate, peerCertificate } from '../../src/http/peer-certificate.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { makeAuthority } from '../support/certificates.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { certificate, configured, jwkOf, keyPairs, type Line, root } from './scene.ts'

/** What is wrong with a configuration, by path. */
function problems(written: unknown): Readonly<Record<string, string>> {
  const parsed = serviceOptions.safeParse(written)
  if (parsed.success) return {}
  const flat = (
    issues: readonly { path: PropertyKey[]; message: string; errors?: unknown; issues?: unknown }[],
  ): [string, string][] =>
    issues.map(({ path, message, issues: inner }) => [
      path.join('.'),
      `${message} ${inner === undefined ? '' : JSON.stringify(inner)}`,
    ])
  return Object.fromEntries(flat(parsed.error.issues as never))
}

const jwk = jwkOf(keyPairs.EdDSA.publicKey)

test('AK4: what is wrong with a service in a configuration is told by its path', () => {
  for (const [service, path, message] of [
    [{ permissions: ['a b'] }, 'permissions.0', /expected a permission/],
    [{ permissions: ['a', 'a'] }, 'permissions.1', /already/],
    [{ permissions: 'a' }, 'permissions', /array/],
    [{ secret: 'inline' }, '', /secret/],
    [{ secrets: ['inline'] }, 'secrets.0', /env\('NAME'\)/],
    [{ secrets: [{ env: 'A' }, { env: 'B' }, { env: 'C' }] }, 'secrets', /2/],
    [{ addresses: ['10.0.0.1/8'] }, 'addresses.0', /`10\.0\.0\.0\/8`/],
    [{ addresses: ['everywhere'] }, 'addresses.0', /network/],
    [{ certificates: [{ dns: '*.internal' }] }, 'certificates.0.dns', /pattern/],
    [{ certificates: [{ dns: 'billing..internal' }] }, 'certificates.0.dns', /DNS name/],
    [{ certificates: [{ dns: 'bücher.example' }] }, 'certificates.0.dns', /DNS name/],
    [{ certificates: [{ subject: 'billing' }] }, 'certificates.0.subject', /RFC 4514/],
    [{ certificates: [{ subject: '' }] }, 'certificates.0.subject', /RFC 4514/],
    [{ certificates: [{ uri: 'billing' }] }, 'certificates.0.uri', /URI/],
    [{ certificates: [{ uri: 'spiffe://a b' }] }, 'certificates.0.uri', /URI/],
    [{ certificates: [{ email: 'billing' }] }, 'certificates.0.email', /address/],
    [{ certificates: [{}] }, 'certificates.0', /one of `subject`/],
    [{ certificates: [{ dns: 'a', uri: 'b:c' }] }, 'certificates.0', /one of `subject`/],
    [{ certificates: [{ dns: 'a.b' }, { dns: 'A.B' }] }, 'certificates.1', /already/],
    [{ publicKeys: [{ kid: 'a' }] }, 'publicKeys.0', /kid, jwk/],
    [{ publicKeys: [{ kid: '', jwk }] }, 'publicKeys.0.kid', /letters/],
    [
      {
        publicKeys: [
          { kid: 'a', jwk },
          { kid: 'a', jwk },
        ],
      },
      'publicKeys.1.kid',
      /already/,
    ],
    [{ publicKeys: [{ kid: 'a', jwk: { kty: 'oct', k: 'AAAA' } }] }, 'publicKeys.0.jwk', /secret/],
    [{ publicKeys: [{ kid: 'a', jwk: jwkOf(keyPairs.ES256.privateKey) }] }, 'publicKeys.0.jwk', /secret/],
    [{ publicKeys: [{ kid: 'a', jwk: { ...jwk, x: 'AAAA' } }] }, 'publicKeys.0.jwk', /none/],
    [{ publicKeys: [{ kid: 'a', jwk: { kty: 'EC', crv: 'secp256k1' } }] }, 'publicKeys.0.jwk', /Ed25519/],
    [{ publicKeys: [{ kid: 'a', jwk: { ...jwk, use: 'enc' } }] }, 'publicKeys.0.jwk', /use/],
    [{ publicKeys: [{ kid: 'a', jwk: { ...jwk, alg: 'none' } }] }, 'publicKeys.0.jwk', /alg/],
    [{ limit: { limit: 0, window: '1h' } }, 'limit.limit', /1/],
    [{ limit: { limit: 1, window: '1ms' } }, 'limit.window', /100ms/],
  ] as const) {
    const found = problems({ billing: service })
    const at = path === '' ? 'billing' : `billing.${path}`
    assert.match(found[at] ?? JSON.stringify(found), message, JSON.stringify(service))
  }
})

test('AK4: a public key comes from a file too: a JWK, a PEM key or a certificate, and never a private one', (context) => {
  const folder = throwAwayFolder(context)
  const { publicKey, privateKey } = keyPairs.ES256
  const files = {
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: JSON.stringify(jwkOf(publicKey)),
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    nonsense: 'nonsense',
  }
  const path = (name: string): string => join(folder, name)
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text)
  const read = (name: string): unknown => {
    const parsed = serviceOptions.safeParse({ billing: { publicKeys: [{ kid: 'a', file: path(name) }] } })
    return parsed.success ? parsed.data['billing']?.publicKeys[0]?.jwk : JSON.stringify(parsed.error.issues)
  }
  for (const name of ['pem', 'jwk']) assert.deepEqual(read(name), jwkOf(publicKey), name)
  assert.match(String(read('private')), /private one/)
  assert.match(String(read('nonsense')), /expected a JWK/)
  assert.match(String(read('missing')), /ENOENT/)
})

test('AK4: a service’s name is no person’s, no client’s, and nobody’s who is in the record already', () => {
  for (const name of ['a', '0', 'billing', 'billing-v2.internal_x', 'a'.repeat(63), 'constructor'])
    assert.equal(serviceNameProblem(name), undefined, name)
  for (const [name, problem] of [
    ['', /lower-case/],
    ['Billing', /lower-case/],
    ['-a', /first/],
    ['.a', /first/],
    ['a'.repeat(64), /63/],
    ['a b', /letters/],
    ['a\0', /letters/],
    ['a\n', /letters/],
    ['bücher', /letters/],
    ['0190f3a1-7b2c-7def-8123-456789abcdef', /people/],
    ['gh_cl_mine', /made up here/],
    ['anonymous', /audit/],
    ['operator', /audit/],
    ['gatehouse', /audit/],
  ] as const)
    assert.match(serviceNameProblem(name) ?? 'nothing', problem, name)
  assert.match(problems({ Billing: {} })['Billing'] ?? '', /key/i)
})

test('AK5: a certificate, or a key, is one service’s', () => {
  const found = problems({
    a: { certificates: [{ subject: 'CN=a,O=X' }], publicKeys: [{ kid: 'k', jwk }] },
    b: { certificates: [{ dns: 'b' }, { subject: 'cn = a , o = X' }], publicKeys: [{ kid: 'k', jwk }] },
  })
  assert.deepEqual(Object.keys(found).toSorted(), ['b.certificates.1', 'b.publicKeys.0.kid'])
  for (const message of Object.values(found)) assert.match(message, /`a` has it already/)
})

function bookOf(written: Readonly<Record<string, object>>): { book: ServiceBook; lines: Line[] } {
  const lines: Line[] = []
  const note = (level: string) => (fields: object, message: string) => void lines.push({ ...fields, level, message })
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const clock = testClock()
  const services = new Services({ clock, random: systemRandom, root })
  return { book: new ServiceBook({ services, configured: configured(written), clock, log }), lines }
}

test('AK5: a trusted certificate is the service’s that has its subject, or one of its alternative names', () => {
  const { book } = bookOf({
    billing: {
      permissions: ['invoice:*'],
      certificates: [
        { subject: 'CN=billing,OU=Payments\\, Ltd,O=Example' },
        { dns: 'Billing.internal' },
        { uri: 'spiffe://example.com/billing' },
        { email: 'Billing@Example.com' },
      ],
    },
    ledger: { certificates: [{ dns: 'ledger.internal' }] },
  })
  const owner = (more: Partial<PeerCertificate>): string | undefined => book.byCertificate(certificate(more))?.id
  for (const more of [
    { subject: 'CN=billing,OU=Payments\\, Ltd,O=Example' },
    { subject: 'CN=billing,OU=Payments\\2C Ltd,O=Example' },
    { dns: ['billing.internal'] },
    { dns: ['other.internal', 'BILLING.INTERNAL'] },
    { uris: ['spiffe://example.com/billing'] },
    { emails: ['Billing@example.COM'] },
    { subject: 'CN=ledger', dns: ['billing.internal'] },
  ])
    assert.equal(owner(more), 'billing', JSON.stringify(more))
  for (const more of [
    {},
    { subject: 'CN=Billing,OU=Payments\\, Ltd,O=Example' },
    { subject: 'CN=billing' },
    { subject: 'CN=billing,O=Example,OU=Payments\\, Ltd' },
    { subject: 'not a name' },
    { dns: ['*.internal'] },
    { dns: ['x.billing.internal'] },
    { dns: ['billing.internal.'] },
    { dns: ['spiffe://example.com/billing'] },
    { uris: ['spiffe://example.com/billing/'] },
    { uris: ['SPIFFE://example.com/billing'] },
    { emails: ['billing@example.com'] },
    { addresses: ['10.0.0.1'] },
    { dns: ['billing.internal'], trusted: false },
    { subject: 'CN=billing\\,OU=Payments\\, Ltd\\,O=Example' },
  ])
    assert.equal(owner(more), undefined, JSON.stringify(more))
  const shown = certificate({ dns: ['billing.internal'] })
  const held = book.byCertificate(shown)
  assert.deepEqual(held?.credential, { kind: 'certificate', id: shown.thumbprint })
  assert.deepEqual(held?.permissions, ['invoice:*'])
  assert.equal(book.byCertificate({ ...shown }), held, 'the same object, whichever connection shows it')
  // The authority was taken back: what was remembered of the certificate does not help it.
  assert.equal(book.byCertificate({ ...shown, trusted: false }), undefined)
})

test('AK5: a real certificate is the service’s whose names it has, whatever its subject is made of', async () => {
  const authority = await makeAuthority()
  // As RFC 4514 §2.1 writes it, from the end; and as the parts stand in the certificate.
  const subjects = [
    ['CN=billing\\, inc,OU=a\\+b,O=Ex\\"am\\"ple', 'O=Ex\\"am\\"ple,OU=a\\+b,CN=billing\\, inc'],
    ['CN=Lučić,DC=example,DC=net', 'DC=net,DC=example,CN=Lučić'],
    ['CN=\\#billing,O=\\ a \\ ', 'O=\\ a \\ ,CN=\\#billing'],
    ['OU=y+CN=x,O=z', 'O=z,CN=x+OU=y'],
  ] as const
  const { book } = bookOf({
    ...Object.fromEntries(subjects.map(([subject], index) => [`s${index}`, { certificates: [{ subject }] }])),
    named: { certificates: [{ dns: 'billing.internal' }, { uri: 'spiffe://example.com/billing' }] },
  })
  const owner = async (wanted: Parameters<typeof authority.issue>[0]): Promise<string | undefined> => {
    const { cert } = await authority.issue(wanted)
    return book.byCertificate(peerCertificate(new X509Certificate(cert), true))?.id
  }
  for (const [index, [, subject]] of subjects.entries()) assert.equal(await owner({ subject }), `s${index}`, subject)
  assert.equal(await owner({ subject: 'CN=x', dns: ['billing.internal'] }), 'named')
  assert.equal(await owner({ subject: 'CN=x', uris: ['spiffe://example.com/billing'] }), 'named')
  // A name that pretends to be two.
  assert.equal(await owner({ subject: 'CN=x', dns: ['evil, DNS:billing.internal'] }), undefined)
  assert.equal(await owner({ subject: 'CN=x\\,DC=billing.internal' }), undefined)
})

test('AK5: a certificate with names of several services is none’s, and that is told once', () => {
  const { book, lines } = bookOf({ a: { certificates: [{ dns: 'a' }] }, b: { certificates: [{ dns: 'b' }] } })
  const both = certificate({ dns: ['a', 'b'] })
  for (let turn = 0; turn < 3; turn++) assert.equal(book.byCertificate(both), undefined)
  assert.equal(lines.length, 1)
  assert.deepEqual(lines[0]?.['thumbprint'], both.thumbprint)
})

test('AK3: a service is found by the id of its key, and by no other', () => {
  const { book } = bookOf({ a: { publicKeys: [{ kid: 'k', jwk }] } })
  assert.equal(book.byKeyId('k'), book.find('a'))
  assert.equal(book.byKeyId('k')?.publicKeys[0]?.key.asymmetricKeyType, 'ed25519')
  for (const kid of ['', 'K', 'a', '__proto__']) assert.equal(book.byKeyId(kid), undefined)
})

test('AK5: a distinguished name is compared whatever way it is written (RFC 4514), and by its case', () => {
  const same = [
    ['CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'], // RFC 4514 §4
    ['CN=Before\\0DAfter,DC=example,DC=net', 'cn=Before\\0dAfter, dc=example, dc=net'],
    ['OU=Sales+CN=J.  Smith,DC=example', 'CN=J.  Smith+OU=Sales,DC=example'],
    ['CN=James \\"Jim\\" Smith\\, III', 'CN=James \\22Jim\\22 Smith\\2c III'],
    ['2.5.4.3=a', 'CN=a'],
    ['emailAddress=a@b', 'E=a@b'],
    ['CN=\\ a\\ ', 'CN=\\20a\\20'],
    ['CN = a ', 'CN=a'],
    ['CN=#0C0161', 'CN=#0c0161'],
  ] as const
  for (const [one, other] of same) {
    assert.ok(nameKey(one), one)
    assert.equal(nameKey(one), nameKey(other), `${one} ${other}`)
  }
  for (const [one, other] of [
    ['CN=a', 'CN=A'],
    ['CN=a,O=b', 'O=b,CN=a'],
    ['CN=a+O=b', 'CN=a,O=b'],
    ['CN=a\\,O=b', 'CN=a,O=b'],
    ['CN=a', 'CN=a\\ '],
    ['CN=#0C0161', 'CN=a'],
    ['CN=#0C0161', 'CN=\\#0C0161'],
    ['CN=a', 'OU=a'],
    ['CN=a', 'CN=a,CN=a'],
  ] as const)
    assert.notEqual(nameKey(one), nameKey(other), `${one} ${other}`)
  for (const text of [
    '',
    'CN',
    'CN=',
    '=a',
    'CN=a,',
    ',CN=a',
    'CN=a;O=b',
    'CN="a"',
    'CN=a\\',
    'CN=a\\g',
    'CN=\\ff',
    'CN=a\0',
    'C N=a',
    'CN=a+',
    `CN=${'a'.repeat(1_000)}`,
  ])
    assert.equal(nameKey(text), undefined, text)
})

test('AK5: any value survives any escaping of it, and never runs into the next', () => {
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => text.isWellFormed())
  const special = (text: string): string =>
    [...text].map((one) => (/[ "#+,;<=>\\]/.test(one) ? `\\${one}` : one === '\0' ? '\\00' : one)).join('')
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  fc.assert(
    fc.property(value, value, (one, other) => {
      assert.ok(nameKey(`CN=${special(one)}`), special(one))
      assert.equal(nameKey(`CN=${special(one)},O=${hex(other)}`), nameKey(`CN=${hex(one)},O=${special(other)}`))
      if (one !== other) assert.notEqual(nameKey(`CN=${special(one)}`), nameKey(`CN=${special(other)}`))
      assert.notEqual(nameKey(`CN=${special(`${one},O=${other}`)}`), nameKey(`CN=${special(one)},O=${special(other)}`))
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => void nameKey(text)))
})
