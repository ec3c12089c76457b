import type { X509Certificate } from 'node:crypto'
import { hash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { addressText, parseAddress } from '../kernel/ip.ts'

/** The certificate whose key the far end of a connection has proven to hold, or that a trusted proxy says it has. */
export interface PeerCertificate {
  /** Its DER form (RFC 5280 §4.1). */
  readonly der: Uint8Array
  /** SHA-256 of its DER form, base64url without padding: `x5t#S256` (RFC 8705 §3.1). */
  readonly thumbprint: string
  /** The subject as RFC 4514 writes it, the most specific name first. */
  readonly subject: string
  /** The subject alternative names (RFC 5280 §4.2.1.6): DNS names in lower case. */
  readonly dns: readonly string[]
  readonly uris: readonly string[]
  readonly emails: readonly string[]
  readonly addresses: readonly string[]
  /** Whether an authority of the configuration vouches for it now. One that nobody vouches for proves its own key and nothing else. */
  readonly trusted: boolean
}

/** What a certificate says of whom it was made for. */
export function peerCertificate(certificate: X509Certificate, trusted: boolean): PeerCertificate {
  return {
    der: certificate.raw,
    thumbprint: hash('sha256', certificate.raw, 'base64url'),
    subject: distinguishedName(certificate.subject),
    ...alternativeNames(certificate.subjectAltName),
    trusted,
  }
}

/**
 * The certificate that the far end of a socket has shown, for a server that is not ours: that server's own trust is
 * believed, as it was at the handshake. Read once for each socket.
 */
export function certificateOfSocket(socket: {
  readonly remoteAddress?: string | undefined
}): PeerCertificate | undefined {
  const { getPeerX509Certificate, authorized } = socket as Partial<TLSSocket>
  if (getPeerX509Certificate === undefined) return undefined
  const known = seen.get(socket)
  if (known !== undefined) return known.certificate
  const shown = getPeerX509Certificate.call(socket)
  const certificate = shown === undefined ? undefined : peerCertificate(shown, authorized === true)
  seen.set(socket, { certificate })
  return certificate
}

const seen = new WeakMap<object, { readonly certificate: PeerCertificate | undefined }>()

/**
 * Node writes a name line by line, the least specific first, its values escaped as RFC 4514 §2.4 asks: a line break inside
 * a value is `\0A`. RFC 4514 §2.1 writes it from the other end, and so does `openssl x509 -nameopt RFC2253`.
 */
function distinguishedName(lines: string | undefined): string {
  if (lines === undefined || lines === '') return ''
  return lines
    .split('\n')
    .map((line) =>
      line
        .split(/ \+ (?=[A-Za-z0-9.]+=)/)
        .toReversed()
        .join('+'),
    )
    .toReversed()
    .join(',')
}

type AlternativeNames = Pick<PeerCertificate, 'dns' | 'uris' | 'emails' | 'addresses'>

const noNames: AlternativeNames = { dns: [], uris: [], emails: [], addresses: [] }

/**
 * Node writes the names as `TYPE:value, TYPE:value`, and a value in which anything could be taken for more than a value as a
 * JSON string (CVE-2021-44532). What cannot be read in exactly that way names nobody.
 */
export function alternativeNames(text: string | undefined): AlternativeNames {
  if (text === undefined || text === '') return noNames
  const names = { dns: [] as string[], uris: [] as string[], emails: [] as string[], addresses: [] as string[] }
  let at = 0
  while (at < text.length) {
    one.lastIndex = at
    const found = one.exec(text)
    if (found === null) return noNames
    const [whole, type = '', quoted, plain = ''] = found
    at += whole.length
    const value = quoted === undefined ? plain : unquoted(quoted)
    if (value === undefined) return noNames
    if (type === 'DNS') names.dns.push(value.toLowerCase())
    else if (type === 'URI') names.uris.push(value)
    else if (type === 'email') names.emails.push(value)
    else if (type === 'IP Address') {
      const address = parseAddress(value)
      if (address !== undefined) names.addresses.push(addressText(address))
    }
    // Directory names, registered identifiers and others are read over: nothing is mapped by them.
  }
  return names
}

const one = /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([ !#-+\--~\u0080-\uffff]*))(?:, (?=.)|$)/sy

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}
