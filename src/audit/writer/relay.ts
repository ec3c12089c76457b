import type { MessagePort } from 'node:worker_threads'
import type { Writer } from './appender.ts'

/** Hands batches to the thread that has the writer, and hears from there when they are durable. */
export function openRelay(port: MessagePort): Writer {
  const waiting = new Map<number, PromiseWithResolvers<void>>()
  let lastId = 0
  let isOpen = true

  port.on('message', ({ id, isDurable }: Receipt) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (isDurable) one?.resolve()
    else one?.reject(closedError())
    holdThread()
  })
  port.on('close', end) // the other thread is gone
  port.unref()

  return {
    append(texts) {
      if (!isOpen) return Promise.reject(closedError())
      const id = ++lastId
      const one = Promise.withResolvers<void>()
      waiting.set(id, one)
      port.postMessage({ id, lines: texts.join('\n') } satisfies Batch)
      holdThread()
      return one.promise
    },
    async close() {
      end()
      port.close()
    },
  }

  function end(): void {
    isOpen = false
    for (const { reject } of waiting.values()) reject(closedError())
    waiting.clear()
  }

  /** The thread lives on while something waits to become durable, and not for the port alone. */
  function holdThread(): void {
    if (waiting.size > 0) port.ref()
    else port.unref()
  }
}

/** Writes what comes by the port, in the order in which it comes. */
export function serveRelay(port: MessagePort, writer: Writer): void {
  port.on('message', ({ id, lines }: Batch) => {
    const tell = (isDurable: boolean) => () => port.postMessage({ id, isDurable } satisfies Receipt)
    writer.append(lines === '' ? [] : lines.split('\n')).then(tell(true), tell(false))
  })
  port.unref()
}

/** One event a line: a canonical text has no line break, and one long string crosses faster than many. */
interface Batch {
  readonly id: number
  readonly lines: string
}

interface Receipt {
  readonly id: number
  readonly isDurable: boolean
}

function closedError(): Error {
  return new Error('the audit writer is closed')
}
