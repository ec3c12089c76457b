/** The writer thread: it alone waits for the disk, on a connection of its own. `WriterThread` speaks to it. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../kernel/clock.ts'
import { systemRandom } from '../../kernel/id.ts'
import { openStore } from '../../store/database.ts'
import { tuneForWriting } from '../../store/sqlite.ts'
import { openEventSealer } from '../sealer.ts'
import { openAppender } from './appender.ts'

export type Order =
  /** One event a line: a canonical text has no line break, and one long string crosses faster than many. */
  { readonly kind: 'append'; readonly id: number; readonly lines: string } | { readonly kind: 'close' }

/** What the thread is given to begin with. */
export interface Premises {
  readonly url: string
  /** See `EventSealerParts`. */
  readonly wrappingKey: Uint8Array
}

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'appended'; readonly id: number }
  | { readonly kind: 'trouble'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly subject: string }

const port = parentPort
if (port === null) throw new Error('expected to run as a thread, got started as a program')
const tell = (report: Report): void => port.postMessage(report)

const { url, wrappingKey } = workerData as Premises
const store = await openStore(url, { connectionsMax: 1 })
if (store.kind === 'sqlite') await tuneForWriting(store.db)
const sealer = openEventSealer({
  wrappingKey,
  clock: systemClock,
  random: systemRandom,
  onUnreadable: (subject) => tell({ kind: 'unreadable', subject }),
})
const appender = openAppender(store, sealer, (error) => tell({ kind: 'trouble', message: String(error) }))

port.on('message', (order: Order) => {
  switch (order.kind) {
    case 'append':
      void append(order.id, order.lines)
      return
    case 'close':
      void close()
      return
  }
})
tell({ kind: 'ready' })

async function append(id: number, lines: string): Promise<void> {
  try {
    await appender.append(lines === '' ? [] : lines.split('\n'))
  } catch {
    return // closed before it was durable: no answer is the answer
  }
  tell({ kind: 'appended', id })
}

/** With the port and the store closed nothing is left to wait for, and the thread ends. */
async function close(): Promise<void> {
  await appender.close()
  await store.close()
  port?.close()
}
