import assert from 'node:assert/strict'
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { base64url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Database } from '../store/database.ts'
import type { RootKey } from './root.ts'
import { open, seal } from './sealing.ts'

export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'RS256' | 'HS256'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** Milliseconds since the epoch: until then it is published, so that everybody knows it when it begins to sign. */
  readonly activeFrom: number
  /** Signs; for HS256 it verifies as well. */
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The keys that tokens are signed with. Private parts are sealed at rest. */
export interface Keyring {
  /** The newest key that is active. */
  signing(): SigningKey
  /** The key of a `kid`, which is a name to look up and nothing else; undefined for a stranger's. */
  verifying(kid: string): SigningKey | undefined
  /** Public keys as a JWK Set (RFC 7517 §5). Never a symmetric one. */
  jwks(): { readonly keys: readonly JWK[] }
}

export interface KeyringPlace {
  readonly db: Database
  readonly root: RootKey
  readonly clock: Clock
  readonly random: Random
  readonly algorithm: SigningAlgorithm
  /** For HS256: a configured secret of at least 32 bytes in place of a stored key. */
  readonly secret: Secret | undefined
}

/**
 * Loads the keys of the algorithm, and makes the first one where there is none. Throws a Fault when the secret is too
 * short, or a stored key does not open.
 */
export async function openKeyring(place: KeyringPlace): Promise<Keyring> {
  const keys = place.secret === undefined ? await stored(place) : [configured(place.secret, place.algorithm)]
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  const published = keys.filter(({ algorithm }) => algorithm !== 'HS256').map(publicJwk)
  return {
    signing() {
      const now = place.clock.now()
      const key = keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0]
      assert(key !== undefined, 'a keyring has a key')
      return key
    },
    verifying: (kid) => byKid.get(kid),
    jwks: () => ({ keys: published }),
  }
}

function configured(secret: Secret, algorithm: SigningAlgorithm): SigningKey {
  assert(algorithm === 'HS256', 'a configured secret is a key for HS256 alone')
  const bytes = Buffer.from(secret.reveal())
  if (bytes.length < secretBytesMin) {
    const told = `expected a secret of at least ${secretBytesMin} bytes for HS256 (RFC 7518 §3.2), got ${bytes.length}`
    throw new Fault('unavailable', told)
  }
  return symmetric(bytes, 0)
}

const secretBytesMin = 32

async function stored(place: KeyringPlace): Promise<SigningKey[]> {
  const { db, root, algorithm } = place
  const sealingKey = root.derive('signing keys')
  const known = await rows(db, algorithm)
  return (known.length > 0 ? known : await first(place, sealingKey)).map(({ kid, sealed, active_from }) => {
    const text = open(sealingKey, sealed, placeOf(kid))
    if (text === undefined)
      throw new Fault('unavailable', `signing key \`${kid}\` does not open: it was changed, or moved from another row`)
    return algorithm === 'HS256'
      ? symmetric(Buffer.from(text, 'base64url'), active_from)
      : asymmetric(kid, algorithm, JSON.parse(text) as JWK, active_from)
  })
}

async function first({ db, clock, random, algorithm }: KeyringPlace, sealingKey: Buffer): Promise<KeyRow[]> {
  const { kid, text } = await make(algorithm, random)
  const now = clock.now()
  const sealed = seal(sealingKey, text, placeOf(kid), random)
  return db.transaction().execute(async (trx) => {
    // Writing this row is a lock: of two starters, the second waits here until the first is done, and finds its key.
    await trx
      .insertInto('house')
      .values({ name: `first-signing-key.${algorithm}`, value: kid })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: kid }))
      .execute()
    const made = await rows(trx, algorithm)
    if (made.length > 0) return made
    await trx
      .insertInto('signing_keys')
      .values({ kid, algorithm, sealed, created_at: now, active_from: now, removed_at: null })
      .execute()
    return [{ kid, sealed, active_from: now }]
  })
}

function placeOf(kid: string): string {
  return `signing_keys.sealed.${kid}`
}

interface KeyRow {
  readonly kid: string
  readonly sealed: string
  readonly active_from: number
}

function rows(db: Database, algorithm: SigningAlgorithm): Promise<KeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .select(['kid', 'sealed', 'active_from'])
    .where('algorithm', '=', algorithm)
    .where('removed_at', 'is', null)
    .orderBy('active_from')
    .orderBy('kid')
    .execute()
}

async function make(
  algorithm: SigningAlgorithm,
  random: Random,
): Promise<{ readonly kid: string; readonly text: string }> {
  if (algorithm === 'HS256') {
    const secret = Buffer.from(random.bytes(32))
    return { kid: symmetric(secret, 0).kid, text: secret.toString('base64url') }
  }
  const jwk = generate(algorithm).export({ format: 'jwk' }) as JWK
  return { kid: await calculateJwkThumbprint(jwk), text: JSON.stringify(jwk) } // RFC 7638
}

function generate(algorithm: Exclude<SigningAlgorithm, 'HS256'>): KeyObject {
  switch (algorithm) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
  }
}

function asymmetric(kid: string, algorithm: SigningAlgorithm, jwk: JWK, activeFrom: number): SigningKey {
  const privateKey = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
  return { kid, algorithm, activeFrom, privateKey, publicKey: createPublicKey(privateKey) }
}

/** The name of a secret is a keyed digest of a constant: it tells two secrets apart, and nothing about either. */
function symmetric(secret: Buffer, activeFrom: number): SigningKey {
  const key = createSecretKey(secret)
  const kid = base64url(createHmac('sha256', key).update('gatehouse kid').digest().subarray(0, 16))
  return { kid, algorithm: 'HS256', activeFrom, privateKey: key, publicKey: key }
}

function publicJwk({ kid, algorithm, publicKey }: SigningKey): JWK {
  return { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: algorithm, use: 'sig' }
}
