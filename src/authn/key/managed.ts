import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault, type Refusal } from '../../kernel/error.ts'
import type { Random } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { KeyBook } from './key-book.ts'
import type { KeyOwner, KeyPolicy, KeyView, MadeKey } from './key-record.ts'
import type { Keys } from './keys.ts'
import type { ManagedKeyOptions } from './options.ts'

/** What the house did, or failed to do, with a key that it keeps: for the record. */
export interface ManagedFact {
  readonly action: 'api-key.create' | 'api-key.change' | 'api-key.rotate' | 'api-key.revoke'
  readonly result: 'success' | 'failure'
  /** Empty where there is none. */
  readonly keyId: string
  readonly details: Readonly<Record<string, string | number>>
}

interface ManagedKeysParts {
  readonly managed: Readonly<Record<string, ManagedKeyOptions>>
  readonly keys: Keys
  readonly keyBook: KeyBook
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Writes it into the record, in the transaction of the change. */
  note(trx: Database, fact: ManagedFact): Promise<void>
}

/**
 * Keys that the house makes, rotates and writes into files by itself (AK2). The node whose file holds the newest key of a
 * name looks after it. One whose file holds none takes over where nobody has for ten minutes: the first time, and when the
 * file is lost. A key that is due and cannot be renewed stays as it is, in the file and in the store.
 */
export class ManagedKeys {
  readonly #parts: ManagedKeysParts
  /** This process, among those that could look after a key. */
  readonly #node: string
  /** When a failure was last recorded, by name. */
  readonly #failed = new Map<string, number>()

  constructor(parts: ManagedKeysParts) {
    this.#parts = parts
    this.#node = base64url(parts.random.bytes(9))
  }

  /** Sees to each of them: to be called at the start, and every minute. What fails is told, recorded, and tried again. */
  async run(store: Store): Promise<void> {
    for (const [name, options] of Object.entries(this.#parts.managed)) {
      try {
        await this.#seeTo(store, name, options)
        this.#failed.delete(name)
      } catch (error) {
        await this.#tell(store, name, error)
      }
    }
  }

  async #seeTo(store: Store, name: string, options: ManagedKeyOptions): Promise<void> {
    const { keys, clock } = this.#parts
    const owner = ownerOf(name, options)
    const policy = policyOf(options)
    let family = await keys.managed(store.db, name)
    const inFile = await this.#inFile(store.db, options.file, family)
    const newest = family[0]
    const isKeeper =
      newest !== undefined && inFile !== undefined && (inFile === newest || inFile.successor === newest.id)
    if (!(await this.#lease(store.db, name, isKeeper))) return
    const current = family.find(({ state }) => state === 'active')
    const isForeign = family.some((key) => key.owner.type !== owner.type || key.owner.id !== owner.id)
    if (newest !== undefined && (isForeign || current === undefined)) {
      // It became another's in the configuration; or only keys are left that cannot be rotated.
      await this.#end(store, newest)
      family = []
    } else if (newest !== undefined && differs(newest, policy))
      await this.#change(store, newest, policy, options.overlap)
    const now = clock.now()
    const isFresh = newest !== undefined && now < newest.createdAt + options.rotateEvery
    // A successor that is not in the file was lost on its way there; where it is young, another node may be writing it.
    const isLost = newest !== undefined && inFile !== newest && now >= newest.createdAt + leaseMs
    if (family.length > 0 && inFile !== undefined && isFresh && !isLost) return
    const trial = newest?.state === 'on-trial' ? newest : undefined
    await this.#renew(store, name, options, (trx) =>
      family.length === 0 || current === undefined
        ? keys.make(trx, {
            name,
            owner,
            policy,
            lifetimeMs: undefined,
            createdBy: 'gatehouse',
            managed: { name, overlapMs: options.overlap },
          })
        : keys.rotation.rotate(trx, current.id, trial?.id),
    )
  }

  /** Makes a key, proves it, and puts it where the old one stands: all of it, or none that anybody notices. */
  async #renew(
    store: Store,
    name: string,
    { file }: ManagedKeyOptions,
    make: (trx: Database) => Promise<MadeKey | Refusal>,
  ): Promise<void> {
    const { keyBook, random, log, note } = this.#parts
    await keyBook.settle(store.db)
    const draft = `${file}.${base64url(random.bytes(9))}`
    try {
      const made = await store.transaction(async (trx) => {
        const outcome = await make(trx)
        if ('code' in outcome) throw new Fault(outcome.code, outcome.detail)
        const tested = await keyBook.test(trx, outcome.text)
        if ('code' in tested)
          throw new Fault(tested.code, `the new key does not hold: ${tested.reason ?? tested.detail}`)
        writeOwn(draft, `${outcome.text}\n`)
        const { id, generation, family } = outcome.view
        await note(trx, {
          action: generation === 1 ? 'api-key.create' : 'api-key.rotate',
          result: 'success',
          keyId: id,
          details: { because: 'schedule', family, generation, name },
        })
        return outcome
      })
      renameSync(draft, file)
      log.info({ key: made.view.id, name }, 'a managed API key was renewed')
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  }

  /** What the configuration says is what the living keys lend. */
  async #change(store: Store, { id, name }: KeyView, policy: KeyPolicy, overlapMs: number | undefined): Promise<void> {
    const { keys, note } = this.#parts
    const { permissions, scopes = [], addresses = [] } = policy
    const details = {
      addresses: addresses.join(' '),
      because: 'the configuration says so',
      name,
      permissions: permissions.join(' '),
      scopes: scopes.join(' '),
    }
    await store.transaction(async (trx) => {
      if (await keys.changeManaged(trx, name, policy, overlapMs))
        await note(trx, { action: 'api-key.change', result: 'success', keyId: id, details })
    })
  }

  async #end(store: Store, { id, name }: KeyView): Promise<void> {
    const { keys, keyBook, note } = this.#parts
    const reason = 'the configuration gives it to somebody else, or nothing of it can be rotated'
    const ended = await store.transaction(async (trx) => {
      const gone = await keys.revoke(trx, id, reason, false)
      await note(trx, { action: 'api-key.revoke', result: 'success', keyId: id, details: { because: reason, name } })
      return gone
    })
    for (const one of ended) keyBook.forget(one)
  }

  /** The living key of the family that the file holds, by the real verification; undefined where it holds none. */
  async #inFile(db: Database, file: string, family: readonly KeyView[]): Promise<KeyView | undefined> {
    let text: string
    try {
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error // there is something that is not ours to replace
    }
    const holder = await this.#parts.keyBook.test(db, text)
    return 'code' in holder ? undefined : family.find(({ id }) => id === holder.credential.id)
  }

  /** Whether this node looks after a key until ten minutes from now. Of many who want to, one does. */
  async #lease(db: Database, name: string, isKeeper: boolean): Promise<boolean> {
    const now = this.#parts.clock.now()
    const until = now + leaseMs
    const taken = await db
      .insertInto('api_key_leases')
      .values({ name, node: this.#node, expires_at: until })
      .onConflict((conflict) => {
        const over = conflict.column('name').doUpdateSet({ node: this.#node, expires_at: until })
        return isKeeper
          ? over
          : over.where((is) =>
              is.or([is('api_key_leases.node', '=', this.#node), is('api_key_leases.expires_at', '<=', now)]),
            )
      })
      .returning('name')
      .executeTakeFirst()
    return taken !== undefined
  }

  /** Said each time, and recorded when it begins and once an hour. */
  async #tell(store: Store, name: string, error: unknown): Promise<void> {
    const { clock, log, note } = this.#parts
    log.error({ name, err: error }, 'a managed API key could not be renewed; the one before stays good')
    const now = clock.now()
    if (now - (this.#failed.get(name) ?? Number.NEGATIVE_INFINITY) < hourMs) return
    const because = error instanceof Error ? error.message.slice(0, 300) : 'unknown'
    const told = await store
      .transaction((trx) =>
        note(trx, { action: 'api-key.rotate', result: 'failure', keyId: '', details: { because, name } }),
      )
      .then(
        () => true,
        () => false, // the store is what fails: the log has said so
      )
    if (told) this.#failed.set(name, now)
  }
}

const leaseMs = 600_000
const hourMs = 3_600_000

function ownerOf(name: string, { owner }: ManagedKeyOptions): KeyOwner {
  if (owner === undefined) return { type: 'organisation', id: name }
  return 'service' in owner ? { type: 'service', id: owner.service } : { type: 'organisation', id: owner.organisation }
}

function policyOf({ permissions, scopes, addresses }: ManagedKeyOptions): KeyPolicy {
  return { permissions, scopes, addresses, limit: undefined }
}

function differs(key: KeyPolicy, policy: KeyPolicy): boolean {
  return (['permissions', 'scopes', 'addresses'] as const).some(
    (part) => JSON.stringify(key[part]) !== JSON.stringify(policy[part]),
  )
}

/** Whole and on the disk before it takes its place, and for its owner alone. */
function writeOwn(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
