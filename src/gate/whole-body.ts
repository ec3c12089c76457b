import { collect } from '../http/collect.ts'
import { peek } from '../http/peek.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Exchange } from './exchange.ts'

/**
 * The body, read into memory: up to the bound of its route, and within what bodies may hold together. It is held until the
 * exchange ends. `heard` is told of each piece as it comes, and may refuse the rest.
 */
export async function wholeBody(
  exchange: Exchange,
  heard?: (chunk: Uint8Array) => Refusal | undefined,
  bytesMax = exchange.route.bodyBytesMax,
): Promise<Buffer | Refusal> {
  const { request, bodyAccount } = exchange
  const { body } = request
  if (body === undefined) return nothing
  exchange.awaited = true
  exchange.proceed()
  let objection: Refusal | undefined
  const collected = await collect(body, bytesMax, (chunk) => {
    if (!bodyAccount.take(chunk.byteLength)) return false
    objection = heard?.(chunk)
    return objection === undefined
  })
  if ('bytes' in collected) return collected.bytes
  if ('tooLarge' in collected) return refuse('content-too-large', { detail: `the body may hold ${bytesMax} bytes` })
  if ('declined' in collected)
    return objection ?? refuse('unavailable', { detail: 'too many bodies are being read at once', retryAfterMs: 1_000 })
  return brokeOff()
}

/** The beginning of the body, which stays in it for whoever reads it next; all of it where it is shorter. */
export async function beginningOfBody(exchange: Exchange, bytes: number): Promise<Uint8Array | Refusal> {
  const { body } = exchange.request
  if (body === undefined) return nothing
  exchange.awaited = true
  exchange.proceed()
  return (await peek(body, bytes)) ?? brokeOff()
}

/** Takes the rest of such a body off the wire, where nobody will read it: the next request of its sender is behind it. */
export function passOverBody({ request: { body }, payload }: Exchange): void {
  if (payload === undefined) body?.resume()
}

function brokeOff(): Refusal {
  return refuse('bad-request', { detail: 'the body broke off before its end' })
}

const nothing = Buffer.alloc(0)
