import { constants, createPublicKey, hash, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { fromBase64url, strictUtf8 } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { parseStrict } from '../../kernel/json.ts'
import type { Database } from '../../store/database.ts'
import type { Replays } from '../replays.ts'
import type { Nonces } from './nonces.ts'

/** What a proof has to fit. */
export interface ProofDemand {
  readonly method: string
  /** The address that was asked for, as the world knows it; query and fragment do not count. */
  readonly url: string
  /** The access token that it has to belong to, where one came along (RFC 9449 §4.2 `ath`). */
  readonly accessToken?: string | undefined
  /** The key that it has to show, where that is known beforehand (RFC 9449 §6.1 `jkt`). */
  readonly keyThumbprint?: string | undefined
}

/** A key whose holder has shown a moment ago that they have it. */
export interface ProvenKey {
  /** The thumbprint of the key (RFC 7638), as `cnf.jkt` has it. */
  readonly jkt: string
  readonly jti: string
  /** Seconds since the epoch. */
  readonly iat: number
  /** A nonce for the next proof, where that of this one is about to run out (RFC 9449 §8.2). */
  readonly nonce: string | undefined
}

/** Why a proof proves nothing. */
export interface ProofFault {
  /** RFC 9449 §5, §7.1; `invalid_token` where the proof is good, and of another key than the token's. */
  readonly error: 'invalid_dpop_proof' | 'use_dpop_nonce' | 'invalid_token'
  /** For the log. */
  readonly reason: string
  /** The nonce to use, where one is missing. */
  readonly nonce: string | undefined
}

/** Checks proofs of possession (RFC 9449 §4.3). A proof is good once, over all nodes. */
export interface Proofs {
  /** Not to be asked inside a transaction: that a proof was seen stays so, whatever comes of the rest. */
  verify(proof: string, demand: ProofDemand): Promise<ProvenKey | ProofFault>
}

export interface ProofParts {
  readonly clock: Clock
  readonly replays: Replays
  readonly db: Database
  /** Where proofs have to carry a nonce of ours. */
  readonly nonces: Nonces | undefined
}

/** The algorithms of a proof, in the order in which we name them (RFC 9449 §5.1). */
export const proofAlgorithms: readonly string[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

export function openProofs({ clock, replays, db, nonces }: ProofParts): Proofs {
  const keys = new GenerationCache<string, KeyObject>(keysMax)

  return {
    async verify(proof, demand) {
      const read = check(proof, demand)
      if (typeof read === 'string') return invalid(read)
      const { jkt, jti, iat, nonce } = read
      if (demand.keyThumbprint !== undefined && demand.keyThumbprint !== jkt)
        return { error: 'invalid_token', reason: 'the key is not that of the token', nonce: undefined }
      if (nonces !== undefined && (nonce === undefined || !nonces.holds(nonce)))
        return { error: 'use_dpop_nonce', reason: 'no nonce of ours, or an old one', nonce: nonces.current() }
      // Remembered for longer than it is good here: it is good for longer where the clock is behind ours.
      const expiresAtMs = Math.ceil(iat + 2 * windowSeconds) * 1000
      if (!(await replays.isFresh(db, `dpop ${jkt} ${jti}`, expiresAtMs))) return invalid('it was used before')
      const current = nonces?.current()
      return { jkt, jti, iat, nonce: current === nonce ? undefined : current }
    },
  }

  /** The checks of §4.3 by their numbers there, those that cost little first; a sentence where one fails. */
  function check(proof: string, demand: ProofDemand): Checked | string {
    if (proof.length > proofMax) return `longer than ${proofMax} characters`
    const parts = proof.split('.', 4)
    if (parts.length !== 3) return 'not three parts' // 2
    const [headerText = '', payloadText = '', signatureText = ''] = parts
    const header = decode(headerText)
    const payload = decode(payloadText)
    const signature = fromBase64url(signatureText)
    if (header === undefined) return 'the header is not one JSON object in canonical base64url'
    if (payload === undefined) return 'the payload is not one JSON object in canonical base64url'
    if (signature === undefined) return 'the signature is not canonical base64url'
    if (header['typ'] !== 'dpop+jwt') return '`typ` is not `dpop+jwt`' // 4
    if (header['crit'] !== undefined) return '`crit` asks for what we do not know' // RFC 7515 §4.1.11
    const algorithm = typeof header['alg'] === 'string' ? algorithms.get(header['alg']) : undefined
    if (algorithm === undefined) return '`alg` is none of ours' // 5
    const publicKey = keyOf(header['jwk'], algorithm.kty)
    if (typeof publicKey === 'string') return publicKey // 7

    const { jti, htm, htu, iat, nbf, exp, nonce, ath } = payload // 3
    if (typeof jti !== 'string' || !handle.test(jti)) return '`jti` is missing, or no name'
    if (nonce !== undefined && typeof nonce !== 'string') return '`nonce` is no text'
    if (htm !== demand.method) return '`htm` is another method' // 8
    if (!isSameAddress(htu, demand.url)) return '`htu` is another address' // 9
    const now = clock.now() / 1000
    if (typeof iat !== 'number' || !(Math.abs(now - iat) <= windowSeconds)) return '`iat` is not about now' // 11
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + windowSeconds)) return '`nbf` is yet to come' // RFC 7519 §4.1
    if (exp !== undefined && !(typeof exp === 'number' && exp > now - windowSeconds)) return '`exp` is past'
    if (demand.accessToken !== undefined && ath !== hash('sha256', demand.accessToken, 'base64url'))
      return '`ath` is not that of the token' // 12

    const key = imported(publicKey)
    if (key === undefined) return '`jwk` is no key of its kind, or too weak'
    if (!algorithm.fits(key, Buffer.from(`${headerText}.${payloadText}`), signature))
      return 'the signature does not fit' // 6
    return { jkt: publicKey.jkt, jti, iat, nonce }
  }

  /** A client proves one key over and over: it is read once. */
  function imported({ jkt, members }: PublicKey): KeyObject | undefined {
    const known = keys.get(jkt)
    if (known !== undefined) return known
    let key: KeyObject
    try {
      key = createPublicKey({ key: members, format: 'jwk' })
    } catch {
      return undefined // a point that is not on its curve, for one
    }
    const bits = key.asymmetricKeyDetails?.modulusLength
    if (bits !== undefined && (bits < rsaBitsMin || bits > rsaBitsMax)) return undefined
    keys.set(jkt, key)
    return key
  }
}

interface Checked {
  readonly jkt: string
  readonly jti: string
  readonly iat: number
  readonly nonce: string | undefined
}

const proofMax = 8_192
const windowSeconds = 60
const keysMax = 1_000
const rsaBitsMin = 2_048
const rsaBitsMax = 4_096
/** It is written into logs and stores as it is. */
const handle = /^[\x21-\x7e]{1,256}$/

function invalid(reason: string): ProofFault {
  return { error: 'invalid_dpop_proof', reason, nonce: undefined }
}

type Json = Readonly<Record<string, unknown>>

function decode(text: string): Json | undefined {
  const bytes = fromBase64url(text)
  if (bytes === undefined) return undefined
  let json: string
  try {
    json = strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
  const parsed = parseStrict(json, { depthMax: 4 })
  return 'error' in parsed ? undefined : objectOf(parsed.value)
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

interface Algorithm {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  fits(key: KeyObject, data: Buffer, signature: Buffer): boolean
}

const edwards: Algorithm = { kty: 'OKP', fits: (key, data, signature) => verify(null, data, key, signature) }

/** RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2. Only asymmetric ones: a proof brings its own key. */
const algorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  [
    'ES256',
    {
      kty: 'EC',
      fits: (key, data, signature) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
    },
  ],
  ['EdDSA', edwards],
  ['Ed25519', edwards],
  [
    'PS256',
    {
      kty: 'RSA',
      fits: (key, data, signature) =>
        verify('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature),
    },
  ],
  ['RS256', { kty: 'RSA', fits: (key, data, signature) => verify('sha256', data, key, signature) }],
])

interface PublicKey {
  readonly jkt: string
  /** What makes the key, and nothing that came beside it. */
  readonly members: JsonWebKey
}

/** Reads an embedded key of a kind, or says what is wrong with it. */
function keyOf(value: unknown, kty: Algorithm['kty']): PublicKey | string {
  const jwk = objectOf(value)
  if (jwk === undefined) return '`jwk` is missing'
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) return '`jwk` holds a private or symmetric key'
  if (jwk['kty'] !== kty) return '`jwk` is not of the kind that `alg` takes'
  const members = membersOf(jwk, kty)
  // RFC 7638 §3.2: these members and no others, in the order of their names.
  return members === undefined
    ? '`jwk` lacks a member, or spells one in another way than the canonical'
    : { jkt: hash('sha256', JSON.stringify(members), 'base64url'), members }
}

const privateMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

function membersOf({ crv, x, y, n, e }: Json, kty: Algorithm['kty']): JsonWebKey | undefined {
  switch (kty) {
    case 'EC':
      return crv === 'P-256' && isBytes(x, 32) && isBytes(y, 32) ? { crv, kty, x, y } : undefined
    case 'OKP':
      return crv === 'Ed25519' && isBytes(x, 32) ? { crv, kty, x } : undefined
    case 'RSA':
      return e === 'AQAB' && isNumber(n, rsaBitsMin / 8, rsaBitsMax / 8) ? { e, kty, n } : undefined
  }
}

/** Whether it is so many bytes in canonical base64url: each key has one thumbprint. */
function isBytes(value: unknown, count: number): value is string {
  return typeof value === 'string' && fromBase64url(value)?.length === count
}

/** Whether it is a number of so many bytes, and none of them too many (RFC 7518 §2). */
function isNumber(value: unknown, min: number, max: number): value is string {
  const bytes = typeof value === 'string' ? fromBase64url(value) : undefined
  return bytes !== undefined && bytes.length >= min && bytes.length <= max && bytes[0] !== 0
}

function isSameAddress(said: unknown, asked: string): boolean {
  const address = typeof said === 'string' ? addressOf(said) : undefined
  return address !== undefined && address === addressOf(asked)
}

/** Scheme, host and path in their one spelling (RFC 3986 §6.2.2, §6.2.3); undefined for what is no address of the web. */
function addressOf(text: string): string | undefined {
  const url = webAddress.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== '' || url.password !== '') return undefined
  const path = url.pathname.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return unreserved.test(character) ? character : `%${hex.toUpperCase()}`
  })
  return url.origin + path
}

const webAddress = /^https?:\/\/[!-[\]-~]+$/i
const unreserved = /^[A-Za-z0-9\-._~]$/
