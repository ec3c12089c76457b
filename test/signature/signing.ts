// Services that sign, and requests of theirs, made without any code of the house.
import { createHash, createHmac, createSecretKey, type KeyObject, sign } from 'node:crypto'
import type { z } from 'zod'
import type { Holder, Signer } from '../../src/authn/holder.ts'
import { signatureOptions } from '../../src/authn/signature/options.ts'
import type { Checking, SignatureScheme, SignedHead } from '../../src/authn/signature/scheme.ts'
import type { Refusal } from '../../src/kernel/error.ts'

/** 2026-01-01, where the clocks of the tests begin. */
export const startMs = Date.UTC(2026, 0, 1)
export const nowSeconds = startMs / 1000

export function secretOf(text: string): KeyObject {
  return createSecretKey(Buffer.from(text))
}

export function signer(name: string, keys: Partial<Pick<Signer, 'secrets' | 'publicKeys'>>): Signer {
  const holder: Holder = {
    type: 'service',
    id: name,
    credential: { kind: 'signature', id: name },
    roles: [],
    permissions: ['widgets:read'],
    lent: undefined,
    scopes: undefined,
    organisation: undefined,
    limit: undefined,
    from: undefined,
  }
  return { name, holder, secrets: [], publicKeys: [], ...keys }
}

/** The services of a test, as a registry gives them out. */
export function registry(...signers: readonly Signer[]) {
  return {
    signerOf: (name: string) => signers.find((one) => one.name === name),
    byKeyId: (kid: string) => signers.find(({ publicKeys }) => publicKeys.some((key) => key.kid === kid)),
  }
}

export function schemesOf(given: z.input<typeof signatureOptions>): z.output<typeof signatureOptions> {
  return signatureOptions.parse(given)
}

export interface Sent extends Omit<SignedHead, 'headers' | 'hasBody'> {
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | undefined
}

export const order: Sent = {
  method: 'POST',
  scheme: 'https',
  authority: 'api.example.com',
  path: '/orders/7',
  query: '?dry=1&x=%7e',
  headers: [['Content-Type', 'application/json']],
  body: Buffer.from('{"amount": 3}\n— ü'),
}

export function with_(sent: Sent, ...headers: readonly (readonly [string, string])[]): Sent {
  return { ...sent, headers: [...sent.headers, ...headers] }
}

/** Sends a request to a form, its body in these pieces, and answers what the form says. */
export async function check(
  scheme: SignatureScheme | undefined,
  sent: Sent,
  pieces: readonly Uint8Array[] = sent.body === undefined ? [] : [sent.body],
): Promise<Refusal | { readonly holder: Holder }> {
  const begun = begin(scheme, sent)
  if ('code' in begun) return begun
  if (begun.coversBody) for (const piece of pieces) begun.update(piece)
  return (await begun.finish()) ?? { holder: begun.holder }
}

export function begin(scheme: SignatureScheme | undefined, { headers, body, ...head }: Sent): Checking | Refusal {
  if (scheme === undefined) throw new Error('no such form')
  return scheme.begin({ ...head, headers: headers.flat(), hasBody: body !== undefined })
}

/** What a caller reads, and what the log reads: `signature-invalid: Invalid signature (…)`. */
export function outcome(result: Refusal | { readonly holder: Holder }): string {
  return 'holder' in result ? result.holder.id : `${result.code}: ${result.detail} (${result.reason})`
}

export function timestampPayload(sent: Sent, secret: string, at = nowSeconds): Sent {
  const mac = createHmac('sha256', secret)
    .update(`${at}.`)
    .update(sent.body ?? '')
    .digest('hex')
  return with_(sent, ['X-Service', 'billing'], ['X-Signature', `${at}.${mac}`])
}

export function methodUriBody(sent: Sent, secret: string, at = nowSeconds): Sent {
  const { method, path, query, body } = sent
  const text = Buffer.concat([
    Buffer.from(`${method}\n${path}${query}\n`),
    body ?? Buffer.alloc(0),
    Buffer.from(`\n${at}`),
  ])
  const mac = createHmac('sha256', secret).update(text).digest('base64')
  return with_(sent, ['X-Service', 'billing'], ['X-Timestamp', `${at}`], ['X-Signature', mac])
}

export interface MessageSigning {
  readonly key: KeyObject | string
  readonly params?: string
  readonly components?: readonly string[]
  readonly label?: string
  /** How the base is signed; HMAC with the key otherwise. */
  readonly by?: (base: string) => Buffer
}

const usual = ['"@method"', '"@authority"', '"@path"', '"@query"', '"content-digest"']

/** Signs by hand: the base is put together here, for the components that this file knows. */
export function messageSignature(
  sent: Sent,
  { key, params, components = usual, label = 'sig', by }: MessageSigning,
): Sent {
  const digest = createHash('sha256')
    .update(sent.body ?? '')
    .digest('base64')
  const withDigest = with_(sent, ['Content-Digest', `sha-256=:${digest}:`])
  const input = `(${components.join(' ')})${params ?? `;created=${nowSeconds};keyid="billing"`}`
  const lines = components.map((component) => `${component}: ${componentOf(component, withDigest)}\n`)
  const base = `${lines.join('')}"@signature-params": ${input}`
  const bytes = by?.(base) ?? createHmac('sha256', key).update(base).digest()
  return with_(
    withDigest,
    ['Signature-Input', `${label}=${input}`],
    ['Signature', `${label}=:${bytes.toString('base64')}:`],
  )
}

function componentOf(component: string, { method, scheme, authority, path, query, headers }: Sent): string {
  const name = /^"([^"]*)"/.exec(component)?.[1] ?? ''
  switch (name) {
    case '@method':
      return method
    case '@authority':
      return authority
    case '@path':
      return path
    case '@query':
      return query
    case '@target-uri':
      return `${scheme}://${authority}${path}${query}`
    case '@request-target':
      return path + query
    default:
      if (component === '"content-type";bs') return ':YXBwbGljYXRpb24vanNvbg==:'
      return headers
        .filter(([field]) => field.toLowerCase() === name)
        .map(([, value]) => value)
        .join(', ')
  }
}

export function signedWith(key: KeyObject, hash: string | null, more: object = {}): (base: string) => Buffer {
  return (base) => sign(hash, Buffer.from(base), { key, ...more })
}

/** The fields with one changed. */
export function changed(sent: Sent, name: string, change: (value: string) => string): Sent {
  return { ...sent, headers: sent.headers.map(([field, value]) => [field, field === name ? change(value) : value]) }
}
