import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { EventReader } from '../sealer.ts'
import type { Follower, FollowerTrouble } from './follower.ts'
import { FollowerReader } from './reader.ts'

export interface FollowersParts {
  readonly store: Store
  readonly sealer: EventReader
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly followers: readonly Follower[]
  /** Writes into the record, in the transaction that notices it, what became of a follower: see `troubleEvent`. */
  readonly onTrouble: (trx: Database, trouble: FollowerTrouble) => Promise<void>
}

export interface Followers {
  /** Looks for new events now, and not within the next 250 ms. */
  turn(): void
  /** Lets each follower end what it is at, for as long as `take` needs to hear of it, and leaves the rest to other nodes. */
  stop(): Promise<void>
}

/**
 * Takes each follower through the chain: in order, every event at least once. Of all threads and nodes that do so over one
 * store, one reads for a follower at a time; whoever takes over goes on after the last event that is known to be taken.
 */
export function openFollowers(parts: FollowersParts): Followers {
  const { store, clock, random, log, followers } = parts
  const me = uuidv7(clock.now(), random)
  const closing = new AbortController()
  const readers = new Map(
    followers.map((follower) => [
      follower.name,
      new FollowerReader(follower, { ...parts, me, closing: closing.signal }),
    ]),
  )
  let bell = new AbortController()
  let beatAt = Number.NEGATIVE_INFINITY
  let known = false
  let told = false
  const ended = watch()

  return {
    turn: () => bell.abort(),
    async stop() {
      closing.abort()
      bell.abort()
      await ended
      await Promise.all(Array.from(readers.values(), (reader) => reader.close()))
      try {
        await release(store.db, me)
      } catch (error) {
        log.warn(
          { err: error },
          'the followers of the record could not be handed over: others wait until they are overdue',
        )
      }
    },
  }

  async function watch(): Promise<void> {
    if (readers.size === 0) return
    while (!closing.signal.aborted) {
      let pauseMs = pollMs
      try {
        await look()
        told = false
      } catch (error) {
        if (!told) log.warn({ err: error }, 'the followers of the record cannot read it; it is tried again')
        told = true
        pauseMs = troubledMs
      }
      if (!bell.signal.aborted) await pause(pauseMs, undefined, { signal: bell.signal, ref: false }).catch(() => {})
      bell = new AbortController()
    }
  }

  async function look(): Promise<void> {
    if (!known) await enter(store, followers, clock)
    known = true
    const now = clock.monotonic()
    const beats = now - beatAt >= beatMs
    if (beats) {
      await store.db
        .updateTable('audit_followers')
        .set((row) => ({ beat: row('beat', '+', 1) }))
        .where('holder', '=', me)
        .execute()
      beatAt = now
    }
    const rows = await store.db
      .selectFrom('audit_followers')
      .selectAll()
      .where('name', 'in', [...readers.keys()])
      .execute()
    known = rows.length === readers.size // somebody removed one that is wanted here
    const last = await lastSeq(store.db)
    for (const row of rows) {
      const reader = readers.get(row.name)
      if (beats && row.holder === me) reader?.heard(now)
      reader?.look(row, last)
    }
  }
}

const pollMs = 250
/** Between one try and the next while the store does not answer. */
const troubledMs = 2_000
/** How often a reader says that it lives; after three times as long without a word others take over. */
const beatMs = 3_000

/** Followers that are new get their place. */
async function enter(store: Store, followers: readonly Follower[], clock: Clock): Promise<void> {
  await store.transaction(async (trx) => {
    const last = await lastSeq(trx)
    for (const { name, from } of followers)
      await trx
        .insertInto('audit_followers')
        .values({
          name,
          seq: from === 'end' ? last : 0,
          holder: '',
          beat: 0,
          failures: 0,
          failing_since: null,
          problem: null,
          lost_at: null,
          updated_at: clock.now(),
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
  })
}

async function release(db: Database, holder: string): Promise<void> {
  await db
    .updateTable('audit_followers')
    .set((row) => ({ holder: '', beat: row('beat', '+', 1) }))
    .where('holder', '=', holder)
    .execute()
}

async function lastSeq(db: Database): Promise<number> {
  const last = await db.selectFrom('audit_events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  return last?.seq ?? 0
}
