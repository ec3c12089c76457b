import { type Clock, systemClock } from '../src/kernel/clock.ts'
import { componentOf, type SignedMessage, signatureBase, signatureParams } from '../src/wire/signature-base.ts'
import { type BareItem, isMalformed } from '../src/wire/structured-fields.ts'
import { base64 } from './base64.ts'
import { hmacKey, type PlatformKey, type SharedSecret } from './keyed-hash.ts'
import { type RequestFacts, signedBy } from './request-facts.ts'

export interface RequestSigning {
  /** A shared secret, or a private key of `crypto.subtle`: Ed25519, ECDSA (P-256, P-384), RSA-PSS (SHA-512) or RSASSA-PKCS1-v1_5 (SHA-256). */
  readonly key: SharedSecret
  /** The service by name for a shared secret; the id of the public key otherwise. */
  readonly keyid: string
  /** What is covered beside the digest of a body. */
  readonly components?: readonly string[]
  /** A random one, unless it is given; none for `false`. */
  readonly nonce?: string | false
  readonly tag?: string
  /** The name of the signature among others in one message. */
  readonly label?: string
  /** After how many seconds it is void; left out, the house says. */
  readonly lifetimeSeconds?: number
  readonly clock?: Clock
}

/**
 * Signs a request as an HTTP message (RFC 9421): `Signature-Input`, `Signature`, and `Content-Digest` (RFC 9530) where there
 * is a body. Signs what will be sent within the next minutes, once.
 *
 * Throws a `TypeError` for a key that signs no messages, and for a component that the request does not have.
 *
 * @example
 * const response = await fetch(await signRequest(new Request(url, { method: 'POST', body }), { key, keyid: 'billing' }))
 */
export function signRequest<R extends Request | RequestFacts>(
  request: R,
  {
    key,
    keyid,
    components = ['@method', '@authority', '@path', '@query'],
    nonce = base64(crypto.getRandomValues(new Uint8Array(16))),
    tag,
    label = 'sig',
    lifetimeSeconds,
    clock = systemClock,
  }: RequestSigning,
): Promise<R extends Request ? Request : Record<string, string>> {
  return signedBy(request, async ({ method, url, headers, body }) => {
    const digest = body === undefined ? {} : { 'Content-Digest': `sha-256=:${base64(await sha256(body))}:` }
    for (const [name, value] of Object.entries(digest)) headers.set(name, value)
    const named =
      body === undefined || components.includes('content-digest') ? components : [...components, 'content-digest']
    const covered = named.map((text) => {
      const component = componentOf(text)
      if (isMalformed(component)) throw new TypeError(`\`${text}\` is no component: ${component.problem}`)
      return component
    })
    const created = Math.floor(clock.now() / 1000)
    const parameters = new Map<string, BareItem>([['created', { type: 'integer', value: created }]])
    if (lifetimeSeconds !== undefined) parameters.set('expires', { type: 'integer', value: created + lifetimeSeconds })
    parameters.set('keyid', { type: 'string', value: keyid })
    if (nonce !== false) parameters.set('nonce', { type: 'string', value: nonce })
    if (tag !== undefined) parameters.set('tag', { type: 'string', value: tag })

    const made = signatureBase(covered, parameters, messageOf(method, url, headers))
    if ('problem' in made) throw new TypeError(`cannot sign: ${made.problem}`)
    const signature = base64(await signed(key, new TextEncoder().encode(made.base)))
    return {
      ...digest,
      'Signature-Input': `${label}=${signatureParams(covered, parameters)}`,
      Signature: `${label}=:${signature}:`,
    }
  })
}

function messageOf(method: string, url: URL, headers: Headers): SignedMessage {
  return {
    method,
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    path: url.pathname,
    query: url.search,
    lines: (name) => {
      const value = headers.get(name)
      return value === null ? [] : [value]
    },
  }
}

async function sha256(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', body))
}

async function signed(secret: SharedSecret, base: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const key = await hmacKey(secret)
  return new Uint8Array(await crypto.subtle.sign(algorithmOf(key), key, base))
}

/** How a key signs messages (RFC 9421 §3.3): the key says. */
function algorithmOf({ algorithm }: PlatformKey): Parameters<typeof crypto.subtle.sign>[0] {
  const { name } = algorithm
  const hash = 'hash' in algorithm ? (algorithm.hash as { name: string }).name : undefined
  const curve = 'namedCurve' in algorithm ? algorithm.namedCurve : undefined
  if (name === 'HMAC' && hash === 'SHA-256') return name
  if (name === 'Ed25519') return name
  if (name === 'ECDSA' && curve === 'P-256') return { name, hash: 'SHA-256' }
  if (name === 'ECDSA' && curve === 'P-384') return { name, hash: 'SHA-384' }
  if (name === 'RSA-PSS' && hash === 'SHA-512') return { name, saltLength: 64 }
  if (name === 'RSASSA-PKCS1-v1_5' && hash === 'SHA-256') return name
  throw new TypeError(`a key for ${[name, curve, hash].filter(Boolean).join(' ')} signs no messages (RFC 9421 §3.3)`)
}
