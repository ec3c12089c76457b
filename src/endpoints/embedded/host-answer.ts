import type { Passage } from '../../gate/gate.ts'
import type { Delivered } from '../../http/message.ts'
import { pairs } from '../../http/raw-headers.ts'

/**
 * The answer of a host of the Fetch standard, with the fields of the gate laid over it: the very one where it can be written to.
 * The exchange ends with it; where something is only lent (a limit of `concurrency`), when the last byte was taken, or nobody
 * wants it.
 */
export function withFields(answer: Response, request: Request, passage: Passage): Response {
  let response = answer
  try {
    response = laidOver(answer, passage)
    const isLent = passage.exchange.allowance?.release !== undefined
    if (isLent && response.body !== null && request.method !== 'HEAD') return whileItLasts(response, request, passage)
  } catch (error) {
    // What is no answer, or was read already, does not leave.
    passage.finish({ bytes: 0, whole: false }, 500)
    throw error
  }
  passage.finish({ bytes: Number(response.headers.get('content-length') ?? 0), whole: true }, response.status)
  return response
}

function laidOver(answer: Response, passage: Passage): Response {
  try {
    layOver(answer.headers, passage)
    return answer
  } catch {
    // The fields of what `fetch` answered cannot be written.
    const copy = new Response(answer.body, answer)
    layOver(copy.headers, passage)
    return copy
  }
}

/** The house's fields win over the host's own of the same name; `Vary` adds up. */
function layOver(headers: Headers, { outbound }: Passage): void {
  for (const [name, value] of pairs(outbound.headers)) {
    if (name === 'Vary') headers.append(name, value)
    else headers.set(name, value)
  }
}

function whileItLasts(response: Response, request: Request, passage: Passage): Response {
  const done = (delivered: Delivered): void => passage.finish(delivered, response.status)
  // Hosts that hear of it in time ask for no byte of an answer whose caller has left.
  request.signal.addEventListener('abort', () => done({ bytes: 0, whole: false }), { once: true })
  if (request.signal.aborted) done({ bytes: 0, whole: false })
  return new Response(toItsEnd(response.body as ReadableStream<Uint8Array>, done), response)
}

function toItsEnd(body: ReadableStream<Uint8Array>, done: (delivered: Delivered) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let bytes = 0
  return new ReadableStream({
    async pull(controller) {
      const piece = await reader.read().catch((error: unknown) => {
        done({ bytes, whole: false })
        throw error
      })
      if (piece.done) {
        controller.close()
        done({ bytes, whole: true })
      } else {
        bytes += piece.value.byteLength
        controller.enqueue(piece.value)
      }
    },
    cancel(reason) {
      done({ bytes, whole: false })
      return reader.cancel(reason)
    },
  })
}
