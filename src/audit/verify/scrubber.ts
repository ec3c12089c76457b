import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { CheckpointVerifier } from '../checkpoint/note.ts'
import type { EventReader } from '../sealer.ts'
import { verifyChain } from './verify.ts'

/** Looks through the whole record in the background, again and again: a checkpointer sees no change to what was signed long ago. */
export interface Scrubber {
  /** One round, at a bounded pace; nothing where a node ended one a moment ago. Rejects where the store does not answer. */
  turn(): Promise<void>
  /** Gives up the round that is under way. */
  close(): void
}

export interface ScrubberParts {
  readonly store: Store
  readonly sealer: EventReader
  readonly key: CheckpointVerifier
  readonly clock: Clock
  readonly log: Log
  /** Between two pages of 500 events. */
  readonly pageMs?: number
  /** The record is not what was written: called once for each thing that is found. */
  onBroken(reason: string): Promise<void>
}

/** How a round ended, of whichever node. */
export interface Scrub {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** How many events were looked at. */
  readonly events: number
  /** What is wrong, such as `altered at event 7`; null where nothing is. */
  readonly found: string | null
}

/** Some 500 events a second, for a fiftieth of a core: ten million events take six hours. */
const defaultPageMs = 1_000
/** Between the end of a round and the beginning of the next, by whichever node. */
const roundMs = 600_000

export function openScrubber({
  store,
  sealer,
  key,
  clock,
  log,
  pageMs = defaultPageMs,
  onBroken,
}: ScrubberParts): Scrubber {
  const closing = new AbortController()
  const { signal } = closing
  let told: string | null = null

  return {
    async turn() {
      const last = await lastScrub(store.db)
      if (last !== undefined && Math.abs(clock.now() - last.at) < roundMs) return // the clock may have been set back
      const scrub = await round()
      if (scrub === undefined) return
      const { found } = scrub
      if (found !== null && found !== told) {
        log.error({ reason: found }, 'the record is not what was written: `gatehouse audit verify` tells more')
        await onBroken(found)
      }
      told = found
      await keep(store.db, scrub)
    },
    close: () => closing.abort(),
  }

  /** Undefined where it was given up. */
  async function round(): Promise<Scrub | undefined> {
    let events = 0
    const onProgress = (seen: number): Promise<void> => {
      events = seen
      return pause(pageMs, undefined, { signal, ref: false })
    }
    try {
      const outcome = await verifyChain(store.db, { sealer, key, onProgress })
      const found = outcome.ok ? null : `${outcome.what} at event ${outcome.seq}` // more may hold what lies sealed
      return { at: clock.now(), events: outcome.ok ? outcome.events : events, found }
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    }
  }
}

/** The last round that ended, if one has. */
export async function lastScrub(db: Database): Promise<Scrub | undefined> {
  const row = await db.selectFrom('house').select('value').where('name', '=', scrubName).executeTakeFirst()
  return row === undefined ? undefined : (JSON.parse(row.value) as Scrub)
}

const scrubName = 'audit-scrub'

async function keep(db: Database, scrub: Scrub): Promise<void> {
  const value = JSON.stringify(scrub)
  await db
    .insertInto('house')
    .values({ name: scrubName, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}
