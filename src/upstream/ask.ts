import { Fault } from '../kernel/error.ts'
import type { Call, UpstreamAnswer } from './call.ts'
import { faultOf, type Upstream } from './upstream.ts'

/** How long a question may take, and how large its answer may be. */
export interface Patience {
  /** From the question to the last byte of the answer. */
  readonly deadlineMs: number
  readonly bytesMax: number
}

export interface WholeAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** A question under way. */
export interface Asking {
  /** Rejects with a `Fault`: out of reach, too slow, too large, or broken off. */
  readonly answer: Promise<WholeAnswer>
  /** When nothing of it waits for a connection any more, or holds one: that may be later than the deadline. */
  readonly over: Promise<void>
}

/** Asks an upstream something in the house's own name. A redirect is an answer like any other, and followed nowhere. */
export function ask(
  upstream: Upstream,
  { path, headers }: Pick<Call, 'path' | 'headers'>,
  { deadlineMs, bytesMax }: Patience,
): Asking {
  let abort: (reason: Error) => void = () => {}
  const read = upstream
    .request({ method: 'GET', path, headers, body: undefined, onAbortable: (callOff) => (abort = callOff) })
    .then((answer) => whole(answer, upstream, bytesMax))
  const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>()
  const timer = setTimeout(() => {
    const late = new Fault('upstream-timeout', `upstream \`${upstream.name}\` did not answer within ${deadlineMs} ms`)
    abort(late)
    reject(late) // it may still be waiting for a connection, and then nobody else says so
  }, deadlineMs)
  const over = read.then(resolve, reject).finally(() => clearTimeout(timer))
  return { answer: promise, over }
}

function whole({ status, headers, body }: UpstreamAnswer, upstream: Upstream, bytesMax: number): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    body.flow({
      chunk(piece) {
        bytes += piece.byteLength
        chunks.push(piece)
        if (bytes <= bytesMax) return
        const tooLarge = new Fault(
          'upstream-broke-off',
          `upstream \`${upstream.name}\` answered more than ${bytesMax} bytes`,
        )
        reject(tooLarge)
        body.abort(tooLarge)
      },
      end: () => resolve({ status, headers, body: Buffer.concat(chunks) }),
      fail: (error) => reject(faultOf(error, upstream.name, upstream.origin)),
    })
  })
}
