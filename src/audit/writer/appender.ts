import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../../store/database.ts'
import { appendBatch, outboxBatch } from '../chain.ts'
import type { AuditEvent } from '../event.ts'
import type { EventReader, EventSealer, SealedEvent } from '../sealer.ts'

/** Puts events into the chain, in the order in which they are handed over: as they happened, in the form of `eventText`. */
export interface Writer {
  /**
   * Settles once the events, and all that waited in the outbox, are durable. While the database is busy or gone it tries
   * again; it rejects only when the writer is closed first.
   */
  append(texts: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** A writer on a store of its own or of its caller. It tells `onTrouble` of each try that failed. */
export function openAppender(store: Store, sealer: EventSealer, onTrouble: (error: unknown) => void): Writer {
  const closing = new AbortController()
  let last: Promise<void> = Promise.resolve()

  async function persist(texts: readonly string[]): Promise<void> {
    let left: readonly SealedEvent[] | undefined
    for (let tries = 0; ; tries++) {
      closing.signal.throwIfAborted()
      try {
        left ??= await sealer.storeTexts(store.db, texts) // the same on every try
        while ((await appendBatch(store, left.map(bodyOf), remembering(left, sealer))) === outboxBatch) left = [] // a full batch: more may wait
        return
      } catch (error) {
        onTrouble(error)
      }
      await pause(Math.min(50 * 2 ** tries, 2_000), undefined, { signal: closing.signal })
    }
  }

  return {
    append(texts) {
      const appended = last.then(() => persist(texts))
      last = appended.catch(() => {}) // its caller hears of it; the next one is not to
      return appended
    },
    async close() {
      closing.abort()
      await last
    },
  }
}

function bodyOf({ body }: SealedEvent): string {
  return body
}

/** Opens what was sealed elsewhere: what was sealed here is known. */
function remembering(known: readonly SealedEvent[], reader: EventReader): EventReader {
  const events = new Map(known.map(({ body, event }) => [body, event]))
  return {
    async read(db, bodies) {
      const others = bodies.filter((body) => !events.has(body))
      if (others.length > 0)
        for (const [index, event] of (await reader.read(db, others)).entries())
          events.set(others[index] as string, event)
      return bodies.map((body) => events.get(body) as AuditEvent)
    },
  }
}
