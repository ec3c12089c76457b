import assert from 'node:assert/strict'
import type { JWK } from 'jose'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Database } from '../store/database.ts'
import { type KeyPlace, KeyTable, type KeyView } from './key-table.ts'
import { publicJwk, type SigningAlgorithm, type SigningKey, secretKey } from './signing-key.ts'

/** The keys that tokens are signed with, several at a time: each begins to sign when everybody knows it, and outlives its last token. */
export interface Keyring {
  /** One for all of its keys. */
  readonly algorithm: SigningAlgorithm
  /** Rises when a key is gone: what held by it before may hold no more. */
  readonly epoch: number
  /** The newest key that is active. */
  signing(): SigningKey
  /** The key of a `kid`, which is a name to look up and nothing else; undefined for a stranger's, or one that is gone. */
  verifying(kid: string): SigningKey | undefined
  /** Public keys as a JWK Set (RFC 7517 §5), those that will sign next among them. Never a symmetric one. */
  jwks(): { readonly keys: readonly JWK[] }
  /** How long others may keep the JWK Set, in seconds: half the time between a key's publication and its first signature. */
  readonly jwksMaxAgeSeconds: number
  /** Takes over what other processes have made and removed. */
  hear(db: Database): Promise<void>
  /** The keys in the store and what becomes of them; undefined where the configuration says which secrets there are. */
  readonly table: KeyTable | undefined
  /** Every key that it has, and had, newest first. */
  list(db: Database): Promise<readonly KeyView[]>
}

export interface KeyringPlace extends KeyPlace {
  readonly db: Database
  /** For HS256: a configured secret of at least 32 bytes in place of stored keys. */
  readonly secret: Secret | undefined
  /** Secrets from before: they verify, and sign nothing. */
  readonly previousSecrets?: readonly Secret[]
}

/**
 * Loads the keys of the algorithm, and makes the first one where there is none. Throws a Fault when a secret is too short,
 * or a stored key does not open.
 */
export async function openKeyring({ db, secret, previousSecrets = [], ...place }: KeyringPlace): Promise<Keyring> {
  if (secret !== undefined) return configured(place, [secret, ...previousSecrets])
  const table = new KeyTable(place)
  const ring = new StoredKeyring(place, table)
  await ring.hear(db)
  if (!ring.isEmpty) return ring
  await db.transaction().execute((trx) => table.makeFirst(trx))
  await ring.hear(db)
  return ring
}

/** A key of the ring, and when it does what. Milliseconds since the epoch. */
interface RingKey {
  readonly key: SigningKey
  readonly activeFrom: number
  /** When its last token has run out; undefined while it has no successor. */
  readonly verifiesUntil: number | undefined
}

class StoredKeyring implements Keyring {
  readonly algorithm: SigningAlgorithm
  readonly jwksMaxAgeSeconds: number
  readonly table: KeyTable
  readonly #clock: Clock
  /** By the moment from which they are active. */
  #keys: readonly RingKey[] = []
  #byKid: ReadonlyMap<string, RingKey> = new Map()
  #epoch = 0

  constructor({ algorithm, clock, rotation }: KeyPlace, table: KeyTable) {
    this.algorithm = algorithm
    this.jwksMaxAgeSeconds = Math.floor(rotation.lead / 2_000)
    this.table = table
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#keys.length === 0
  }

  get epoch(): number {
    return this.#epoch
  }

  signing(): SigningKey {
    const now = this.#clock.now()
    // Where the clock of another node goes before ours, its first key begins in our future: it signs all the same.
    const signing = this.#keys.findLast(({ activeFrom }) => activeFrom <= now) ?? this.#keys[0]
    if (signing === undefined)
      throw new Fault('unavailable', `there is no signing key for ${this.algorithm} that opens`)
    return signing.key
  }

  verifying(kid: string): SigningKey | undefined {
    const found = this.#byKid.get(kid)
    return found !== undefined && isGood(found, this.#clock.now()) ? found.key : undefined
  }

  jwks(): { readonly keys: readonly JWK[] } {
    if (this.algorithm === 'HS256') return { keys: [] }
    const now = this.#clock.now()
    return { keys: this.#keys.filter((one) => isGood(one, now)).map(({ key }) => publicJwk(key)) }
  }

  list(db: Database): Promise<readonly KeyView[]> {
    return this.table.list(db)
  }

  async hear(db: Database): Promise<void> {
    const rows = await this.table.living(db)
    const faults: unknown[] = []
    const keys = rows.flatMap((row): RingKey[] => {
      const times = { activeFrom: row.active_from, verifiesUntil: row.verifies_until ?? undefined }
      const known = this.#byKid.get(row.kid)?.key
      if (known !== undefined) return [{ key: known, ...times }]
      try {
        return [{ key: this.table.open(row), ...times }]
      } catch (error) {
        faults.push(error)
        return []
      }
    })
    const before = this.#keys
    this.#keys = keys
    this.#byKid = new Map(keys.map((one) => [one.key.kid, one]))
    if (before.some(({ key }) => !this.#byKid.has(key.kid))) this.#epoch++
    // Told last: what was removed is gone, even where another row cannot be read.
    if (faults.length > 0) throw faults[0]
  }
}

function isGood({ verifiesUntil }: RingKey, now: number): boolean {
  return verifiesUntil === undefined || verifiesUntil > now
}

function configured({ algorithm, rotation }: KeyPlace, secrets: readonly Secret[]): Keyring {
  assert(algorithm === 'HS256', 'a configured secret is a key for HS256 alone')
  const [signing, ...previous] = secrets.map(keyOf)
  assert(signing !== undefined)
  const byKid = new Map([signing, ...previous].map((key) => [key.kid, key]))
  return {
    algorithm,
    epoch: 0,
    signing: () => signing,
    verifying: (kid) => byKid.get(kid),
    jwks: () => ({ keys: [] }),
    jwksMaxAgeSeconds: Math.floor(rotation.lead / 2_000),
    hear: async () => {},
    table: undefined,
    list: async () =>
      [signing, ...previous].map(({ kid }, age) => {
        const state = age === 0 ? 'active' : 'verifying'
        return { kid, algorithm, state, activeFrom: undefined, until: undefined }
      }),
  }
}

function keyOf(secret: Secret): SigningKey {
  const bytes = Buffer.from(secret.reveal())
  if (bytes.length >= secretBytesMin) return secretKey(bytes)
  const told = `expected a secret of at least ${secretBytesMin} bytes for HS256 (RFC 7518 §3.2), got ${bytes.length}`
  throw new Fault('unavailable', told)
}

const secretBytesMin = 32
