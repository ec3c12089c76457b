import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type PeerCertificate, peerCertificate } from '../../src/http/peer-certificate.ts'
import { hasSubject, readSubject, type SubjectMember } from '../../src/oauth/certificate-subject.ts'
import { makeAuthority, type Wanted } from '../support/certificates.ts'

const authority = await makeAuthority()

async function shown(wanted: Wanted): Promise<PeerCertificate> {
  return peerCertificate(new X509Certificate((await authority.issue(wanted)).cert), true)
}

const subject = 'tls_client_auth_subject_dn'

test('A25: the thumbprint of a certificate is that of the example of RFC 8705', () => {
  // RFC 8705, appendix A: Figure 5 (the certificate), Figure 4 (the JWK with its thumbprint).
  const der = `MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=`
  const certificate = peerCertificate(new X509Certificate(Buffer.from(der, 'base64')), false)
  assert.equal(certificate.thumbprint, 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0')
  assert.equal(certificate.subject, 'CN=mtls')
})

test('A27: a subject is compared by what it means, part by part and in its order', async () => {
  const certificate = await shown({ subject: 'C=CH, O=Example\\, Inc., OU=Sales+CN=billing' })
  for (const name of [
    certificate.subject,
    'cn=billing+ou=Sales,o=Example\\2C Inc.,c=CH',
    'OU=Sales+CN=billing, O=Example\\, Inc., C=CH',
    '2.5.4.3=billing+2.5.4.11=Sales,2.5.4.10=Example\\2c Inc.,2.5.4.6=CH',
  ])
    assert.ok(hasSubject(certificate, subject, name), name)
  for (const name of [
    'CN=billing',
    'C=CH,O=Example\\, Inc.,OU=Sales+CN=billing',
    'CN=billing,OU=Sales,O=Example\\, Inc.,C=CH',
    'CN=Billing+OU=Sales,O=Example\\, Inc.,C=CH',
    'CN=billing+OU=Sales,O=Example\\, Inc.,C=CH,DC=more',
    'CN=billing+OU=Sales,O=Example,O=Inc.,C=CH',
    'CN=billin\\67+OU=Sales,O=Example Inc.,C=CH',
    '',
    'nonsense',
  ])
    assert.ok(!hasSubject(certificate, subject, name), name)
})

test('A27: a name inside a value is no name: neither of the subject nor of an alternative one', async () => {
  const sly = await shown({ subject: 'CN=evil\\,O=Bank', dns: ['evil.example'] })
  assert.ok(!hasSubject(sly, subject, 'CN=evil,O=Bank'))
  assert.ok(!hasSubject(sly, subject, 'O=Bank'))
  const injected = await shown({ subject: 'CN=evil', uris: ['https://evil.example/, DNS:bank.example'] })
  assert.ok(!hasSubject(injected, 'tls_client_auth_san_dns', 'bank.example'))
  const plain = await shown({ subject: 'CN=bank.example' })
  assert.ok(!hasSubject(plain, 'tls_client_auth_san_dns', 'bank.example'), 'a common name is no DNS name')
})

test('A27: alternative names are compared whole and by their kind', async () => {
  const certificate = await shown({
    subject: 'CN=x',
    dns: ['Billing.Internal', '*.wild.internal'],
    uris: ['spiffe://example.com/Billing'],
    emails: ['Billing@Example.com'],
    addresses: ['192.0.2.7', '2001:db8::1'],
  })
  // biome-ignore format: a table
  const table: readonly (readonly [member: SubjectMember, name: string, fits: boolean])[] = [
    ['tls_client_auth_san_dns',   'billing.internal',              true],
    ['tls_client_auth_san_dns',   'BILLING.internal',              true],
    ['tls_client_auth_san_dns',   'internal',                      false],
    ['tls_client_auth_san_dns',   'a.billing.internal',            false],
    ['tls_client_auth_san_dns',   'a.wild.internal',               false],
    ['tls_client_auth_san_dns',   '192.0.2.7',                     false],
    ['tls_client_auth_san_uri',   'spiffe://example.com/Billing',  true],
    ['tls_client_auth_san_uri',   'spiffe://example.com/billing',  false],
    ['tls_client_auth_san_uri',   'spiffe://example.com/Billing/', false],
    ['tls_client_auth_san_email', 'Billing@EXAMPLE.com',           true],
    ['tls_client_auth_san_email', 'billing@example.com',           false],
    ['tls_client_auth_san_email', 'Example.com',                   false],
    ['tls_client_auth_san_ip',    '192.0.2.7',                     true],
    ['tls_client_auth_san_ip',    '::ffff:192.0.2.7',              true],
    ['tls_client_auth_san_ip',    '2001:0DB8:0:0::1',              true],
    ['tls_client_auth_san_ip',    '2001:db8::2',                   false],
    ['tls_client_auth_san_ip',    'billing.internal',              false],
    ['tls_client_auth_san_ip',    '',                              false],
  ]
  for (const [member, name, fits] of table) assert.equal(hasSubject(certificate, member, name), fits, name)
})

test('A27: whatever stands in a certificate, its subject is the one that it says and no other', async () => {
  const nobody = { der: new Uint8Array(), thumbprint: '', dns: [], uris: [], emails: [], addresses: [], trusted: true }
  const escaped = (value: string): string =>
    [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(value, { maxLength: 4 }), (own, others) => {
      const dn = own.map((one) => `CN=${escaped(one)}`).join(',')
      const other = others.map((one) => `CN=${escaped(one)}`).join(',')
      const certificate = { ...nobody, subject: dn }
      assert.ok('value' in readSubject(subject, dn))
      assert.ok(hasSubject(certificate, subject, dn))
      assert.equal(hasSubject(certificate, subject, other), JSON.stringify(own) === JSON.stringify(others))
    }),
  )
  await fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const read = readSubject(subject, text)
      assert.equal(hasSubject({ ...nobody, subject: text }, subject, text), 'value' in read)
    }),
  )
})
