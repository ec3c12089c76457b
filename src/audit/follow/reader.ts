import { setImmediate as breathe } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { AuditFollowersTable } from '../../store/schema-record.ts'
import type { EventReader } from '../sealer.ts'
import { type ChainedEvent, type Follower, type FollowerTrouble, NotTaken } from './follower.ts'

interface ReaderParts {
  readonly store: Store
  readonly sealer: EventReader
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly onTrouble: (trx: Database, trouble: FollowerTrouble) => Promise<void>
  /** By this name it holds followers. */
  readonly me: string
  readonly closing: AbortSignal
}

/**
 * Takes one follower on, page by page, while it holds its row. Whether another reader lives is told by whether their row
 * changes, and measured by our own monotonic clock: no wall clock that is wrong or jumps keeps a dead one alive.
 */
export class FollowerReader {
  readonly #follower: Follower
  readonly #parts: ReaderParts
  #row: AuditFollowersTable | undefined
  /** What was last seen of another's row, and since when. */
  #seen: { readonly holder: string; readonly beat: number; readonly sinceMs: number } | undefined
  /** When the row last said that we live. */
  #heardMs = Number.NEGATIVE_INFINITY
  /** Up to where the follower knows the events from memory. */
  #position: number | undefined
  #pageSize: number
  #rejections = 0
  #retryAtMs = Number.NEGATIVE_INFINITY
  #restAtMs = Number.NEGATIVE_INFINITY
  #lost = new AbortController()
  #underWay: Promise<void> | undefined

  constructor(follower: Follower, parts: ReaderParts) {
    this.#follower = follower
    this.#parts = parts
    this.#pageSize = Math.min(follower.pageMax, pageMax)
    parts.closing.addEventListener('abort', () => this.#lost.abort(), { once: true })
  }

  /** The row was seen to say, since `ms`, that we live. */
  heard(ms: number): void {
    this.#heardMs = Math.max(this.#heardMs, ms)
  }

  /** Does what there is to do, unless it is at it already. `last` is the last event of the chain. */
  look(row: AuditFollowersTable, last: number): void {
    const { clock, me, closing } = this.#parts
    const now = clock.monotonic()
    if (row.holder !== me) {
      if (this.#underWay !== undefined) this.#lost.abort()
      else if (this.#isFree(row, now)) this.#begin(() => this.#acquire(row))
      return
    }
    if (this.#underWay !== undefined || closing.aborted || now < this.#retryAtMs) return
    if (now - this.#heardMs >= leaseMs) return // others may be about to take over: the next beat tells
    const rests = this.#follower.rest !== undefined && now >= this.#restAtMs
    if (rests) this.#restAtMs = now + restMs
    if (row.seq < last || rests) this.#begin(() => this.#read(row))
  }

  async close(): Promise<void> {
    await this.#underWay
    try {
      await this.#follower.close?.()
    } catch (error) {
      this.#parts.log.warn({ follower: this.#follower.name, err: error }, 'a follower of the record did not close')
    }
  }

  #begin(work: () => Promise<void>): void {
    const { clock, log } = this.#parts
    this.#lost = new AbortController()
    this.#underWay = work()
      .catch((error: unknown) => {
        this.#position = undefined
        if (error instanceof LeaseLost) return
        this.#retryAtMs = clock.monotonic() + storePauseMs
        log.warn(
          { follower: this.#follower.name, err: error },
          'a follower of the record cannot go on; it is tried again',
        )
      })
      .finally(() => {
        this.#underWay = undefined
      })
  }

  #isFree(row: AuditFollowersTable, now: number): boolean {
    if (this.#parts.closing.aborted) return false
    if (row.holder === '') return true
    if (this.#seen === undefined || this.#seen.holder !== row.holder || this.#seen.beat !== row.beat) {
      this.#seen = { holder: row.holder, beat: row.beat, sinceMs: now }
      return false
    }
    return now - this.#seen.sinceMs >= leaseMs
  }

  async #acquire(row: AuditFollowersTable): Promise<void> {
    const { store, clock, me } = this.#parts
    const now = clock.monotonic()
    const taken = await store.db
      .updateTable('audit_followers')
      .set({ holder: me, beat: row.beat + 1 })
      .where('name', '=', row.name)
      .where('holder', '=', row.holder)
      .where('beat', '=', row.beat)
      .returningAll()
      .executeTakeFirst()
    if (taken === undefined) return
    this.#seen = undefined
    this.#position = undefined
    this.heard(now)
    await this.#read(taken)
  }

  async #read(row: AuditFollowersTable): Promise<void> {
    const { clock, closing } = this.#parts
    const { signal } = this.#lost
    if (closing.aborted) return
    this.#row = row
    let events: readonly ChainedEvent[] = []
    try {
      if (this.#position !== row.seq) await this.#follower.begin?.(row.seq, signal)
      this.#position = row.seq
      while (!signal.aborted && clock.monotonic() - this.#heardMs < leaseMs) {
        events = await this.#page()
        if (events.length === 0) return await this.#follower.rest?.(signal)
        const settle = await this.#follower.take(events, signal)
        await this.#advance(events.at(-1)?.seq ?? 0, settle)
        await breathe() // SQLite answers at once: without a pause nobody else would get a turn
      }
    } catch (error) {
      this.#position = undefined
      if (error instanceof LeaseLost || error instanceof StoreFailed) throw error
      if (signal.aborted) return
      if (events.length > 1 && error instanceof NotTaken && error.rejected) {
        this.#pageSize = Math.ceil(events.length / 2) // until the one that is refused stands alone
        return this.#read(this.#current)
      }
      await this.#failed(error, events)
    }
  }

  /** The next events, up to the first that is missing. */
  async #page(): Promise<ChainedEvent[]> {
    const { store, sealer } = this.#parts
    const seq = this.#current.seq
    try {
      const rows = await store.db
        .selectFrom('audit_events')
        .select(['seq', 'hash', 'body'])
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(this.#pageSize)
        .execute()
      const missing = rows.findIndex((row, index) => row.seq !== seq + 1 + index)
      if (missing === 0)
        throw new NotTaken(`event ${seq + 1} is not in the chain any more: \`gatehouse audit verify\` tells more`)
      const whole = missing === -1 ? rows : rows.slice(0, missing)
      const events = await sealer.read(
        store.db,
        whole.map(({ body }) => body),
      )
      return whole.map((row, index) => ({ ...row, event: events[index] as ChainedEvent['event'] }))
    } catch (error) {
      throw error instanceof NotTaken ? error : new StoreFailed('the record cannot be read', { cause: error })
    }
  }

  /** They are done with: a follower that comes after us begins behind them. */
  async #advance(seq: number, settle: ((trx: Database) => Promise<void>) | undefined): Promise<void> {
    const { lost_at } = this.#current
    await this.#change(async (trx, row) => {
      await settle?.(trx)
      if (lost_at !== null) await this.#parts.onTrouble(trx, this.#trouble('sink-found', row, seq))
      return { seq, failures: 0, failing_since: null, problem: null, lost_at: null }
    })
    this.#position = seq
    this.#rejections = 0
    this.#pageSize = Math.min(this.#pageSize * 2, this.#follower.pageMax, pageMax)
  }

  async #failed(error: unknown, events: readonly ChainedEvent[]): Promise<void> {
    const problem = problemText(error)
    const { rejected, retryAfterMs } = error instanceof NotTaken ? error : { rejected: false, retryAfterMs: 0 }
    const [poison] = events
    if (rejected && poison !== undefined && this.#follower.onRejected === 'park') {
      this.#rejections += 1
      if (this.#rejections >= rejectionsMax) return this.#park(poison, problem)
    }
    const { clock, random } = this.#parts
    const failures = this.#current.failures + 1
    const growing = Math.min(pauseMinMs * 2 ** Math.min(failures - 1, 20), pauseMaxMs)
    const jitter = 0.5 + (random.bytes(1)[0] ?? 0) / 510
    this.#retryAtMs = clock.monotonic() + Math.max(growing * jitter, Math.min(retryAfterMs, retryAfterMaxMs))
    const isNews = !isOwnNews(events)
    await this.#change(async (trx, row) => {
      const now = clock.now()
      const failing = { failures, failing_since: row.failing_since ?? now, problem }
      const lost = row.lost_at === null && failures >= failuresToSay && isNews
      if (lost) await this.#parts.onTrouble(trx, this.#trouble('sink-lost', { ...row, ...failing }, row.seq))
      return { ...failing, lost_at: lost ? now : row.lost_at }
    })
  }

  async #park({ seq, event }: ChainedEvent, problem: string): Promise<void> {
    const { clock, onTrouble } = this.#parts
    await this.#change(async (trx, row) => {
      await trx
        .insertInto('audit_parked')
        .values({ follower: row.name, seq, at: clock.now(), problem })
        .onConflict((conflict) => conflict.columns(['follower', 'seq']).doUpdateSet({ problem }))
        .execute()
      if (!ownNews.has(event.action)) await onTrouble(trx, this.#trouble('sink-parked', { ...row, problem }, seq))
      return { seq }
    })
    this.#rejections = 0
  }

  /** Changes the row while it is ours, together with what belongs to the change. */
  async #change(
    work: (trx: Database, row: AuditFollowersTable) => Promise<Partial<AuditFollowersTable>>,
  ): Promise<void> {
    const { store, clock, me } = this.#parts
    const now = clock.monotonic()
    const before = this.#current
    try {
      this.#row = await store.transaction(async (trx) => {
        // The row first: whoever is not the one any more finds out before they do anything, and nobody becomes it meanwhile.
        const own = await trx
          .updateTable('audit_followers')
          .set((row) => ({ beat: row('beat', '+', 1), updated_at: clock.now() }))
          .where('name', '=', before.name)
          .where('holder', '=', me)
          .where('seq', '=', before.seq)
          .returningAll()
          .executeTakeFirst()
        if (own === undefined) throw new LeaseLost()
        const change = await work(trx, own)
        await trx.updateTable('audit_followers').set(change).where('name', '=', before.name).execute()
        return { ...own, ...change }
      })
    } catch (error) {
      throw error instanceof LeaseLost ? error : new StoreFailed('its progress cannot be stored', { cause: error })
    }
    this.heard(now)
  }

  get #current(): AuditFollowersTable {
    if (this.#row === undefined) throw new Error('a follower that is not held is read for')
    return this.#row
  }

  #trouble(what: FollowerTrouble['what'], row: AuditFollowersTable, seq: number): FollowerTrouble {
    return { follower: row.name, what, problem: row.problem ?? '', seq, sinceMs: row.failing_since ?? row.updated_at }
  }
}

/** Another reads for the follower, or somebody put it elsewhere. */
class LeaseLost extends Error {}

/** It is not the follower that fails. */
class StoreFailed extends Error {}

/** Nothing that is read at once is larger, whatever a follower can take. */
const pageMax = 500
const leaseMs = 10_000
const restMs = 1_000
const storePauseMs = 2_000
const pauseMinMs = 100
const pauseMaxMs = 60_000
const retryAfterMaxMs = 3_600_000
const failuresToSay = 3
const rejectionsMax = 5
const problemLengthMax = 300

/** What is remembered of followers. If it were news that this could not be taken, an idle house would never be quiet again. */
const ownNews: ReadonlySet<string> = new Set([
  'sink-lost',
  'sink-found',
  'sink-parked',
] satisfies FollowerTrouble['what'][])

function isOwnNews(events: readonly ChainedEvent[]): boolean {
  return events.length > 0 && events.every(({ event }) => ownNews.has(event.action))
}

/** One line: it may repeat what the other side answered. */
function problemText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .slice(0, problemLengthMax)
    .toWellFormed()
}
