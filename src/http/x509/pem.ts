import { X509Certificate } from 'node:crypto'
import { type RevocationList, readRevocationList } from './revocation-list.ts'

/** The certificates of a PEM text (RFC 7468 §5), in their order, or half a sentence about what is wrong with it. */
export function certificatesOf(text: string): readonly X509Certificate[] | string {
  const blocks = blocksOf(text, 'CERTIFICATE')
  if (typeof blocks === 'string') return blocks
  const certificates: X509Certificate[] = []
  for (const [index, bytes] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(bytes))
    } catch {
      return `certificate ${index + 1} in it is none`
    }
  }
  return certificates
}

/** The revocation lists of a PEM text, or what is wrong with it. */
export function revocationListsOf(text: string): readonly RevocationList[] | string {
  const blocks = blocksOf(text, 'X509 CRL')
  if (typeof blocks === 'string') return blocks
  const lists: RevocationList[] = []
  for (const [index, bytes] of blocks.entries()) {
    const list = readRevocationList(bytes)
    if (list === undefined) return `revocation list ${index + 1} in it is none`
    lists.push(list)
  }
  return lists
}

/** Splits a text into its blocks of one kind, each whole: a file that is being written is refused, not read in part. */
export function blocksOf(text: string, label: string): readonly Buffer[] | string {
  const begun = text.split(`-----BEGIN ${label}-----`).length - 1
  if (begun === 0) return `it holds no \`BEGIN ${label}\``
  const whole = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`, 'g')
  const blocks = [...text.matchAll(whole)].map(([, body = '']) => Buffer.from(body, 'base64'))
  return blocks.length === begun ? blocks : `a \`BEGIN ${label}\` in it has no end, or no base64 inside`
}

/** A PEM text of one block (RFC 7468 §2). */
export function pemOf(der: Uint8Array, label: string): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.byteLength)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
