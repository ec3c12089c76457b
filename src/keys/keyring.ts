import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
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
  /** Signs; for HS256 it verifies as well. */
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The keys that tokens are signed with. Private parts are sealed at rest. */
export interface Keyring {
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
  /** For HS256: a configured secret in place of a stored key. */
  readonly secret: Secret | undefined
}

/** Loads the keys of the algorithm, and makes the first one where there is none. */
export async function openKeyring(place: KeyringPlace): Promise<Keyring> {
  const keys = place.secret === undefined ? await stored(place) : [symmetric(Buffer.from(place.secret.reveal()))]
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  const newest = keys.at(-1)
  if (newest === undefined) throw new Error('a keyring without a key')
  const published = keys.filter(({ algorithm }) => algorithm !== 'HS256').map(publicJwk)
  return {
    signing: () => newest,
    verifying: (kid) => byKid.get(kid),
    jwks: () => ({ keys: published }),
  }
}

async function stored(place: KeyringPlace): Promise<SigningKey[]> {
  const { db, root, clock, random, algorithm } = place
  const sealingKey = root.derive('signing keys')
  const known = await rows(db, algorithm)
  if (known.length === 0) {
    const { kid, text } = await make(algorithm, random)
    const now = clock.now()
    const sealed = seal(sealingKey, text, `signing_keys.sealed.${kid}`, random)
    await db.transaction().execute(async (trx) => {
      // Of two starters, one takes the name and makes the key; the other waits here and finds it made.
      const taken = await trx
        .insertInto('house')
        .values({ name: `first-signing-key.${algorithm}`, value: kid })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst()
      if (taken.numInsertedOrUpdatedRows === 0n) return
      await trx
        .insertInto('signing_keys')
        .values({ kid, algorithm, sealed, created_at: now, active_from: now, removed_at: null })
        .execute()
    })
  }
  return (known.length === 0 ? await rows(db, algorithm) : known).map(({ kid, sealed }) => {
    const text = open(sealingKey, sealed, `signing_keys.sealed.${kid}`)
    if (text === undefined)
      throw new Fault('unavailable', `signing key \`${kid}\` does not open: it was changed, or moved from another row`)
    return algorithm === 'HS256'
      ? symmetric(Buffer.from(text, 'base64url'))
      : asymmetric(kid, algorithm, JSON.parse(text) as JWK)
  })
}

function rows(db: Database, algorithm: SigningAlgorithm): Promise<{ kid: string; sealed: string }[]> {
  return db
    .selectFrom('signing_keys')
    .select(['kid', 'sealed'])
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
    return { kid: symmetric(secret).kid, text: secret.toString('base64url') }
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

function asymmetric(kid: string, algorithm: SigningAlgorithm, jwk: JWK): SigningKey {
  const privateKey = createPrivateKey({ key: jwk as import('node:crypto').JsonWebKey, format: 'jwk' })
  return { kid, algorithm, privateKey, publicKey: createPublicKey(privateKey) }
}

/** The name of a secret is a keyed digest of a constant: it tells two secrets apart, and nothing about either. */
function symmetric(secret: Buffer): SigningKey {
  const key = createSecretKey(secret)
  const kid = base64url(createHmac('sha256', key).update('gatehouse kid').digest().subarray(0, 16))
  return { kid, algorithm: 'HS256', privateKey: key, publicKey: key }
}

function publicJwk({ kid, algorithm, publicKey }: SigningKey): JWK {
  return { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg: algorithm, use: 'sig' }
}
