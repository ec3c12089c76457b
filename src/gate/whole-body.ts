import { collect } from '../http/collect.ts'
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
  const { body, proceed } = request
  if (body === undefined) return nothing
  proceed?.()
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
  return refuse('bad-request', { detail: 'the body broke off before its end' })
}

const nothing = Buffer.alloc(0)
