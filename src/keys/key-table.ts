import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import type { Database } from '../store/database.ts'
import type { RotationOptions } from './options.ts'
import type { RootKey } from './root.ts'
import { open, seal } from './sealing.ts'
import { makeKey, readKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts'

export interface KeyPlace {
  readonly root: RootKey
  readonly clock: Clock
  readonly random: Random
  readonly algorithm: SigningAlgorithm
  readonly rotation: RotationOptions
  /** The longest life of anything that its keys sign. */
  readonly tokenTtlMs: number
}

export interface KeyRow {
  readonly kid: string
  readonly sealed: string
  readonly active_from: number
  readonly verifies_until: number | null
}

/** A key as an operator sees it. */
export interface KeyView {
  readonly kid: string
  readonly algorithm: string
  readonly state: 'published' | 'active' | 'verifying' | 'removed'
  /** Milliseconds since the epoch; undefined for a secret of the configuration. */
  readonly activeFrom: number | undefined
  /** When it stopped, or will stop, verifying. */
  readonly until: number | undefined
}

/** The key that signs next, or now. */
export interface Successor {
  readonly kid: string
  readonly activeFrom: number
  /** False where another rotation had made it already. */
  readonly isNew: boolean
}

/**
 * The signing keys of one algorithm in the store, each sealed for its own row. Whoever changes them takes turns, over all
 * nodes: two rotations at once come to one successor.
 */
export class KeyTable {
  readonly #place: KeyPlace
  readonly #sealingKey: Buffer

  constructor(place: KeyPlace) {
    this.#place = place
    this.#sealingKey = place.root.derive('signing keys')
  }

  /** Those that sign or verify, by the moment from which they are active. */
  living(db: Database): Promise<KeyRow[]> {
    return db
      .selectFrom('signing_keys')
      .select(['kid', 'sealed', 'active_from', 'verifies_until'])
      .where('algorithm', '=', this.#place.algorithm)
      .where('removed_at', 'is', null)
      .where((is) => is.or([is('verifies_until', 'is', null), is('verifies_until', '>', this.#place.clock.now())]))
      .orderBy('active_from')
      .orderBy('kid')
      .execute()
  }

  /** Throws a Fault for what does not open. */
  open({ kid, sealed }: Pick<KeyRow, 'kid' | 'sealed'>): SigningKey {
    const text = open(this.#sealingKey, sealed, placeOf(kid))
    if (text === undefined)
      throw new Fault('unavailable', `signing key \`${kid}\` does not open: it was changed, or moved from another row`)
    return readKey({ kid, text }, this.#place.algorithm)
  }

  /** The first key signs at once: there is no other. Of two starters, the second finds it made. */
  async makeFirst(trx: Database): Promise<void> {
    await this.#takeTurns(trx)
    if ((await this.living(trx)).length === 0) await this.#make(trx, this.#place.clock.now())
  }

  /** Whether the newest key has signed for long enough that its successor has to be published. */
  async isDue(db: Database): Promise<boolean> {
    const { clock, rotation } = this.#place
    const newest = (await this.living(db)).at(-1)
    if (newest === undefined || rotation.every === 'never') return false
    return clock.now() >= newest.active_from + rotation.every - rotation.lead
  }

  /**
   * Publishes the successor of the newest key; it signs after the configured lead, or as soon as every node has heard of it.
   * Where one waits already, it is that one.
   */
  async rotate(trx: Database, when: 'after-lead' | 'soon'): Promise<Successor> {
    await this.#takeTurns(trx)
    const { clock, rotation } = this.#place
    const now = clock.now()
    const waiting = (await this.living(trx)).findLast(({ active_from }) => active_from > now)
    const activeFrom = now + (when === 'soon' ? heardMs : rotation.lead)
    if (waiting === undefined) return { kid: await this.#make(trx, activeFrom), activeFrom, isNew: true }
    if (waiting.active_from <= activeFrom) return { kid: waiting.kid, activeFrom: waiting.active_from, isNew: false }
    await this.#activate(trx, waiting.kid, activeFrom)
    return { kid: waiting.kid, activeFrom, isNew: false }
  }

  /** Rotates where it is time and nobody else has. */
  async rotateWhenDue(trx: Database): Promise<Successor | undefined> {
    await this.#takeTurns(trx)
    return (await this.isDue(trx)) ? this.rotate(trx, 'after-lead') : undefined
  }

  /**
   * Takes a key out of use, for good: its tokens hold no more, and its private part is destroyed. Where it was the one that
   * signs, another signs at once. Answers that other one, or undefined where no key is called so.
   */
  async remove(trx: Database, kid: string): Promise<{ readonly successor: string | undefined } | undefined> {
    await this.#takeTurns(trx)
    const now = this.#place.clock.now()
    const rows = await this.living(trx)
    if (!rows.some((row) => row.kid === kid)) return undefined
    await trx.updateTable('signing_keys').set({ removed_at: now, sealed: '' }).where('kid', '=', kid).execute()
    const signer = rows.findLast(({ active_from }) => active_from <= now) ?? rows[0]
    const newest = rows.findLast((row) => row.kid !== kid)
    if (signer?.kid !== kid) {
      // Where it was to sign next, the one before it has no successor any more.
      if (newest !== undefined)
        await trx.updateTable('signing_keys').set({ verifies_until: null }).where('kid', '=', newest.kid).execute()
      return { successor: undefined }
    }
    if (newest === undefined || newest.active_from <= now) return { successor: await this.#make(trx, now) }
    await this.#activate(trx, newest.kid, now)
    return { successor: newest.kid }
  }

  /** All keys that ever were, newest first. */
  async list(db: Database): Promise<readonly KeyView[]> {
    const now = this.#place.clock.now()
    const rows = await db
      .selectFrom('signing_keys')
      .select(['kid', 'algorithm', 'active_from', 'removed_at', 'verifies_until'])
      .where('algorithm', '=', this.#place.algorithm)
      .orderBy('active_from', 'desc')
      .orderBy('kid', 'desc')
      .execute()
    const isGone = (row: (typeof rows)[number]): boolean =>
      row.removed_at !== null || (row.verifies_until !== null && row.verifies_until <= now)
    const signing = rows.find((row) => !isGone(row) && row.active_from <= now)?.kid
    return rows.map((row) => {
      const { kid, algorithm, active_from: activeFrom } = row
      const until = row.removed_at ?? row.verifies_until ?? undefined
      const waits = activeFrom > now ? 'published' : kid === signing ? 'active' : 'verifying'
      return { kid, algorithm, state: isGone(row) ? 'removed' : waits, activeFrom, until }
    })
  }

  /** Destroys the private parts of keys whose last token has run out. */
  async sweep(db: Database): Promise<void> {
    await db
      .updateTable('signing_keys')
      .set((is) => ({ removed_at: is.ref('verifies_until'), sealed: '' }))
      .where('removed_at', 'is', null)
      .where('verifies_until', '<=', this.#place.clock.now())
      .execute()
  }

  async #make(trx: Database, activeFrom: number): Promise<string> {
    const { algorithm, clock, random } = this.#place
    const { kid, text } = await makeKey(algorithm, random)
    const sealed = seal(this.#sealingKey, text, placeOf(kid), random)
    await trx
      .insertInto('signing_keys')
      .values({
        kid,
        algorithm,
        sealed,
        created_at: clock.now(),
        active_from: activeFrom,
        removed_at: null,
        verifies_until: null,
      })
      .execute()
    await this.#retireBefore(trx, kid, activeFrom)
    return kid
  }

  async #activate(trx: Database, kid: string, activeFrom: number): Promise<void> {
    await trx.updateTable('signing_keys').set({ active_from: activeFrom }).where('kid', '=', kid).execute()
    await this.#retireBefore(trx, kid, activeFrom)
  }

  /** Those before a key verify until the last token that they can have signed has run out, and no longer. */
  async #retireBefore(trx: Database, kid: string, activeFrom: number): Promise<void> {
    const until = activeFrom + this.#place.tokenTtlMs + slackMs
    await trx
      .updateTable('signing_keys')
      .set({ verifies_until: until })
      .where('algorithm', '=', this.#place.algorithm)
      .where('removed_at', 'is', null)
      .where((is) => is.or([is('verifies_until', 'is', null), is('verifies_until', '>', until)]))
      .where('kid', '!=', kid)
      .execute()
  }

  /** Writing this row is a lock: whoever comes second waits here until the first is done, and finds its keys. */
  async #takeTurns(trx: Database): Promise<void> {
    const name = `signing-keys.${this.#place.algorithm}`
    await trx
      .insertInto('house')
      .values({ name, value: '' })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: '' }))
      .execute()
  }
}

function placeOf(kid: string): string {
  return `signing_keys.sealed.${kid}`
}

/** How long until every node knows of a new key (TK4: within a second), and as much again. */
const heardMs = 2_000
/** How far clocks may stand apart, and how long an answer may be under way. */
const slackMs = 60_000
