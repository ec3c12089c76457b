import { hash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { equalBytes } from '../../kernel/bytes.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../store/database.ts'
import type { Holder } from '../holder.ts'
import { type KeyUse, KeyUses } from './key-uses.ts'
import type { Keys } from './keys.ts'
import { faultOf, holderOf, type OwnedKey, type ReadKey, readOwned, type ServiceOf } from './owned-key.ts'

interface KeyBookParts {
  readonly keys: Keys
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly serviceOf: ServiceOf
}

/**
 * Whom API keys stand for. What was read of a key is believed while it is read anew every half second for all that are in
 * use; one that nobody used for a while is read when it comes again. So a revocation anywhere holds here within a second,
 * and verification asks the store for nothing.
 */
export class KeyBook {
  readonly #parts: KeyBookParts
  /** Keys that have been shown here, whole, and were good. */
  readonly #good = new GenerationCache<string, Known>(goodMax)
  /** Those of them that were used lately: what `hear` asks for. */
  readonly #inUse = new Map<string, Known>()
  /**
   * Rows that were read for a key that turned out wrong, revoked, or not there. Apart from the good ones: a flood of those
   * pushes none out, and one id costs a query each half second at most.
   */
  readonly #cold = new GenerationCache<string, Read>(coldMax)
  readonly #reading = new Map<string, Promise<Read>>()
  readonly #uses: KeyUses
  /** Rises when everything has to be read anew: what was read in another epoch is not believed. */
  #epoch = 0
  /** Rises with each change here: what was read before it says nothing. */
  #changes = 0

  constructor(parts: KeyBookParts) {
    this.#parts = parts
    this.#uses = new KeyUses(parts)
  }

  /** Whether the text is written like a key of this house: prefix, shape, checksum. It costs no hash and no query. */
  isKey(text: string): boolean {
    return this.#parts.keys.texts.idOf(text) !== undefined
  }

  /** What a service holds by itself; undefined for one that is not known, or is turned away. */
  heldByService(name: string): ReturnType<ServiceOf> {
    return this.#parts.serviceOf(name)
  }

  /**
   * Whom a key stands for; synchronous where it was used lately. 'api-key-invalid' for one that is unknown, revoked or run
   * out, or whose owner may not come in; 'unavailable' where the store cannot be asked. From `address`, where it is given and
   * the key may come from there, it has been used; `uses: false` looks at it only.
   */
  verify(text: string, address?: string, uses = true): Holder | Refusal | Promise<Holder | Refusal> {
    const { texts } = this.#parts.keys
    const shown = texts.idIn(text)
    const known = shown === undefined ? undefined : this.#good.get(shown)
    if (known !== undefined && this.#believes(known)) {
      // One text alone has this id: another is wrong, and neither a checksum nor a hash under our key has to say so.
      return sameText(known.digest, digestOf(text))
        ? this.#use(known, address, uses)
        : invalid('the secret is another one')
    }
    const id = texts.idOf(text)
    if (id === undefined) return invalid('not written like a key of this house')
    if (known === undefined && !texts.isOurs(id)) return invalid('no key of this id was ever made here')
    const read = this.#cold.get(id)
    if (read !== undefined && this.#parts.clock.monotonic() - read.at <= freshMs)
      return this.#judge(text, id, read, address, uses)
    return this.#read(id).then(
      (found) =>
        found.changes === this.#changes
          ? this.#judge(text, id, found, address, uses)
          : this.verify(text, address, uses),
      (error: unknown) => this.#cannotAsk(error),
    )
  }

  /** Verifies a key by the store as it is within a transaction. It has not been used by that: a test, and nothing else. */
  async test(db: Database, text: string): Promise<Holder | Refusal> {
    const { keys, clock } = this.#parts
    const id = keys.texts.idOf(text)
    if (id === undefined || !keys.texts.isOurs(id)) return invalid('not written like a key of this house')
    const key = (await readOwned(db, [id])).get(id)?.open()
    if (key === undefined || !equalBytes(keys.texts.hashOf(text), key.hash)) return invalid('unknown')
    const fault = faultOf(key, clock.now())
    if (fault !== undefined) return invalid(fault)
    const holdings = this.#holdingsOf(key)
    return key.owner.type === 'service' && holdings === undefined ? invalid(noService) : holderOf(key, holdings)
  }

  /**
   * What other processes have changed: to be called twice a second. One query for the keys in use, with their owners; and
   * what was used for the first time is written down.
   */
  async hear(db: Database): Promise<void> {
    await this.settle(db)
    const began = this.#parts.clock.monotonic()
    const epoch = this.#epoch
    for (const [id, known] of this.#inUse) {
      if (began - known.usedAt <= inUseMs) continue
      known.isInUse = false
      this.#inUse.delete(id)
    }
    const ids = [...this.#inUse.keys()]
    for (let from = 0; from < ids.length; from += idsMax) {
      if (from > 0) await turn() // SQLite answers in this very thread: requests come between
      const some = ids.slice(from, from + idsMax)
      const found = await readOwned(db, some)
      for (const id of some) {
        const known = this.#inUse.get(id)
        // What was read since, or was forgotten, is newer than this.
        if (known === undefined || known.readAt >= began) continue
        this.#renew(known, found.get(id), began)
        known.epoch = epoch // of when it was asked for: not of a change since
      }
    }
  }

  /** Writes down which keys on trial were used: those before them begin to run out. */
  settle(db: Database): Promise<void> {
    return this.#uses.prove(db)
  }

  /** A key was revoked or changed here: that holds on the next request on this node. */
  forget(id: string): void {
    this.#changes++
    const known = this.#good.get(id)
    if (known !== undefined) this.#drop(known)
    this.#cold.delete(id)
    this.#reading.delete(id)
  }

  /** Somebody who may have keys was changed here: none is believed until it is read anew. */
  distrust(): void {
    this.#changes++
    this.#epoch++
    this.#cold.clear()
    this.#reading.clear()
  }

  /** Writes how often and when keys were last used: a key at most once a minute. The last time, all of it, or it says so. */
  async flush(db: Database, final = false): Promise<void> {
    if (!final) return this.#uses.flush(db, false)
    await this.settle(db)
    await this.#uses.flush(db, true).catch((error: unknown) => {
      this.#parts.log.warn({ err: error }, 'the last uses of API keys could not be written')
    })
  }

  #believes({ readAt, epoch, isInUse }: Known): boolean {
    return epoch === this.#epoch && this.#parts.clock.monotonic() - readAt <= (isInUse ? outageMs : freshMs)
  }

  /** Of many who ask for a key at one moment, one asks the store. */
  #read(id: string): Promise<Read> {
    const underWay = this.#reading.get(id)
    if (underWay !== undefined) return underWay
    const at = this.#parts.clock.monotonic()
    const changes = this.#changes
    const reading = readOwned(this.#parts.db, [id])
      .then((found) => ({ row: found.get(id), key: found.get(id)?.open(), at, changes }))
      .finally(() => {
        if (this.#reading.get(id) === reading) this.#reading.delete(id)
      })
    this.#reading.set(id, reading)
    return reading
  }

  /** What a row says to a text. Only one that holds comes among the good ones. */
  #judge(text: string, id: string, read: Read, address: string | undefined, uses: boolean): Holder | Refusal {
    const { keys, clock } = this.#parts
    const { row, key, at } = read
    const known = this.#good.get(id)
    const digest = digestOf(text)
    if (row === undefined || key === undefined) {
      this.#cold.set(id, read)
      return invalid('no key of this id is there')
    }
    const proven = known !== undefined && sameText(known.digest, digest) && equalBytes(known.key.hash, key.hash)
    if (!proven && !equalBytes(keys.texts.hashOf(text), key.hash)) {
      this.#cold.set(id, read)
      return invalid('the secret is another one')
    }
    const fault = faultOf(key, clock.now())
    if (fault !== undefined) {
      if (known !== undefined) this.#drop(known)
      this.#cold.set(id, read)
      return invalid(`${id}: ${fault}`) // somebody still has it: the log says which
    }
    if (known !== undefined) {
      if (at >= known.readAt) this.#renew(known, row, at)
      known.epoch = this.#epoch
      return this.#use(known, address, uses)
    }
    const fresh: Known = {
      id,
      digest,
      stamp: row.stamp,
      key,
      holdings: undefined,
      holder: undefined,
      readAt: at,
      epoch: this.#epoch,
      usedAt: at,
      isInUse: false,
      use: this.#uses.of(id),
    }
    this.#good.set(id, fresh)
    return this.#use(fresh, address, uses)
  }

  /** Takes over what was read anew. The same row leaves the same holder. */
  #renew(known: Known, row: ReadKey | undefined, readAt: number): void {
    known.readAt = readAt
    if (known.stamp === row?.stamp) return
    const key = row?.open()
    if (row === undefined || key === undefined || faultOf(key, this.#parts.clock.now()) !== undefined) {
      this.#drop(known)
      return
    }
    known.stamp = row.stamp
    known.key = key
    known.holder = undefined
  }

  #drop(known: Known): void {
    known.readAt = Number.NEGATIVE_INFINITY
    known.isInUse = false
    this.#inUse.delete(known.id)
    this.#good.delete(known.id)
  }

  /** A key that holds is used: by whoever may come from there. */
  #use(known: Known, address: string | undefined, uses: boolean): Holder | Refusal {
    const { clock } = this.#parts
    const now = clock.now()
    if (known.key.endsAt <= now) return invalid('expired, or rotated away')
    const holder = this.#holder(known)
    if ('code' in holder) return holder
    known.usedAt = clock.monotonic()
    if (!known.isInUse && this.#inUse.size < inUseMax) {
      known.isInUse = true
      this.#inUse.set(known.id, known)
    }
    if (uses && (address === undefined || holder.from === undefined || holder.from(address)))
      this.#uses.note(known.use, now, address, known.key.isProven)
    return holder
  }

  #holder(known: Known): Holder | Refusal {
    const { key } = known
    if (key.owner.type === 'service') {
      const holdings = this.#holdingsOf(key)
      if (holdings === undefined) return invalid(noService)
      if (known.holdings !== holdings) {
        known.holdings = holdings
        known.holder = undefined
      }
    }
    return (known.holder ??= holderOf(key, known.holdings))
  }

  #holdingsOf({ owner }: OwnedKey): ReturnType<ServiceOf> {
    return owner.type === 'service' ? this.#parts.serviceOf(owner.id) : undefined
  }

  #cannotAsk(error: unknown): Refusal {
    this.#parts.log.error({ err: error }, 'an API key could not be looked up')
    return refuse('unavailable', {
      detail: 'API keys cannot be looked up at the moment',
      reason: 'the store did not answer',
      retryAfterMs: 1_000,
    })
  }
}

/** A key that was shown here and was good. Its parts are taken over in place, so that a request finds them at one look. */
interface Known {
  readonly id: string
  /** SHA-256 of the whole key: as good as the key to tell it from another, and of no use to anybody. */
  readonly digest: string
  readonly use: KeyUse
  stamp: string
  key: OwnedKey
  holdings: ReturnType<ServiceOf>
  holder: Holder | undefined
  /** When the last query for it began, in monotonic milliseconds. */
  readAt: number
  epoch: number
  usedAt: number
  isInUse: boolean
}

interface Read {
  /** Undefined: there is none. */
  readonly key: OwnedKey | undefined
  readonly row: ReadKey | undefined
  readonly at: number
  readonly changes: number
}

const noService = 'the service that owns it is not known, or turned away'

/** One answer for all that can be wrong with a key; what it was, the log knows. */
function invalid(reason: string): Refusal {
  return refuse('api-key-invalid', { reason })
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Whether two digests are the same, in a time that does not say where they differ. */
function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

const goodMax = 10_000
const coldMax = 10_000
/** As many keys are read anew twice a second; any beyond are read when they are used. */
const inUseMax = 5_000
const idsMax = 500
/** How long after its last use a key is still read anew. */
const inUseMs = 5_000
/** How long what was read of a key is believed by itself. */
const freshMs = 500
/** How long a key in use is believed where the store cannot be heard. */
const outageMs = 5_000
