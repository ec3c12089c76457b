import type { Database } from '../../store/database.ts'
import type { AuditEvent } from '../event.ts'

/** An event of the chain, as it happened. */
export interface ChainedEvent {
  readonly seq: number
  /** Hex: the hash of the chain with this event as its last. */
  readonly hash: string
  /** As it is stored. */
  readonly body: string
  readonly event: AuditEvent
}

/**
 * Somebody who reads the whole chain in its order, once, and goes on where they stopped: a sink, the detection of attacks. Of
 * all threads and nodes one reads at a time for each name; how far it is stands in the store.
 */
export interface Follower {
  readonly name: string
  /** Events that it takes at once at most, 500 or fewer. */
  readonly pageMax: number
  /** Where it begins when it is new. */
  readonly from: 'beginning' | 'end'
  /** What becomes of an event that the other side refuses for good: nothing passes it, or it is written down and passed. `stop` where nothing is said. */
  readonly onRejected?: 'stop' | 'park'
  /**
   * Takes the next events. Once it resolves it is done with them: what it answers is done in the transaction that says so, or
   * undone with it. When it rejects they come again, after a pause that grows; nothing that comes later overtakes them. It
   * rejects soon after `signal` says so, and never lets two pages be under way.
   */
  take(events: readonly ChainedEvent[], signal: AbortSignal): Promise<((trx: Database) => Promise<void>) | undefined>
  /**
   * Called with the last event that is done with, before the first page after another reader, nobody, or a page that failed:
   * from memory it knows nothing.
   */
  begin?(seq: number, signal: AbortSignal): Promise<void>
  /** Called now and then while there is nothing to take. It may reject, as `take`. */
  rest?(signal: AbortSignal): Promise<void>
  close?(): Promise<void>
}

/** Why a page was not taken, where there is more to say than that. Its message names no secret. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
  /** The events themselves are refused, and would be again. */
  readonly rejected: boolean
  /** How long the other side asks to be left alone. */
  readonly retryAfterMs: number

  constructor(
    message: string,
    { rejected = false, retryAfterMs = 0 }: { readonly rejected?: boolean; readonly retryAfterMs?: number } = {},
  ) {
    super(message)
    this.rejected = rejected
    this.retryAfterMs = retryAfterMs
  }
}

/** What the record should say of a follower. */
export interface FollowerTrouble {
  readonly follower: string
  readonly what: 'sink-lost' | 'sink-found' | 'sink-parked'
  /** Why; of one that was found again, why it had been lost. */
  readonly problem: string
  /** The last event that it is done with; the one that was set aside. */
  readonly seq: number
  /** Since when it fails, or did. */
  readonly sinceMs: number
}
