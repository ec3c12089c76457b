import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../store/database.ts'
import { appendBatch, outboxBatch } from './chain.ts'

/** Puts events into the chain, in the order in which they are handed over. */
export interface Writer {
  /**
   * Settles once the events, and all that waited in the outbox, are durable. While the database is busy or gone it tries
   * again; it rejects only when the writer is closed first.
   */
  append(bodies: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** A writer on a store of its own or of its caller. It tells `onTrouble` of each try that failed. */
export function openAppender(store: Store, onTrouble: (error: unknown) => void): Writer {
  const closing = new AbortController()
  let last: Promise<void> = Promise.resolve()

  async function persist(bodies: readonly string[]): Promise<void> {
    let left = bodies
    for (let tries = 0; ; tries++) {
      closing.signal.throwIfAborted()
      try {
        while ((await appendBatch(store, left)) === outboxBatch) left = [] // a full batch: more may wait
        return
      } catch (error) {
        onTrouble(error)
      }
      await pause(Math.min(50 * 2 ** tries, 2_000), undefined, { signal: closing.signal })
    }
  }

  return {
    append(bodies) {
      const appended = last.then(() => persist(bodies))
      last = appended.catch(() => {}) // its caller hears of it; the next one is not to
      return appended
    },
    async close() {
      closing.abort()
      await last
    },
  }
}
