import { dnsKey, emailKey, nameReaders, subjectKey } from '../authn/service/definition.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import { addressText, parseAddress } from '../kernel/ip.ts'

/** What a house knows of the certificates of those who connect: nothing, that they hold the key, or who they are as well. */
export type Certificates = 'none' | 'shown' | 'verified'

/** The members of a client, of which one says which certificates are its own (RFC 8705 §2.1.2). */
export const subjectMembers = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const

export type SubjectMember = (typeof subjectMembers)[number]

/** A name as it is kept, or half a sentence about what is wrong with it. */
export function readSubject(
  member: SubjectMember,
  text: string,
): { readonly value: string } | { readonly problem: string } {
  return members[member].read(text)
}

/**
 * Whether a certificate has the name that a client is known by. Names are compared whole, by what they mean and not by how
 * they are written; a pattern in a certificate is a name like any other, and nobody's. Whether an authority vouches for the
 * certificate is another question.
 */
export function hasSubject(certificate: PeerCertificate, member: SubjectMember, expected: string): boolean {
  return members[member].fits(certificate, expected)
}

interface Member {
  read(text: string): { readonly value: string } | { readonly problem: string }
  fits(certificate: PeerCertificate, expected: string): boolean
}

const members: Readonly<Record<SubjectMember, Member>> = {
  tls_client_auth_subject_dn: {
    read: nameReaders.subject,
    fits({ subject }, expected) {
      const key = subjectKey(expected)
      return key !== undefined && key === subjectKey(subject)
    },
  },
  tls_client_auth_san_dns: {
    read: nameReaders.dns,
    fits: ({ dns }, expected) => dns.some((name) => dnsKey(name) === dnsKey(expected)),
  },
  // Character by character (RFC 5280 §7.4 asks for more; what it would take for one here counts as two).
  tls_client_auth_san_uri: {
    read: nameReaders.uri,
    fits: ({ uris }, expected) => uris.includes(expected),
  },
  tls_client_auth_san_ip: {
    read(text) {
      const value = addressOf(text)
      return value === undefined ? { problem: 'expected an address such as `192.0.2.1` or `2001:db8::1`' } : { value }
    },
    fits: ({ addresses }, expected) => {
      const address = addressOf(expected)
      return address !== undefined && addresses.some((one) => addressOf(one) === address)
    },
  },
  tls_client_auth_san_email: {
    read: nameReaders.email,
    fits: ({ emails }, expected) => emails.some((one) => emailKey(one) === emailKey(expected)),
  },
}

function addressOf(text: string): string | undefined {
  const address = parseAddress(text)
  return address === undefined ? undefined : addressText(address)
}
