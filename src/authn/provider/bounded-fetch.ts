import { isTrustworthy } from './options.ts'

/** How a request is made: the platform's `fetch`, or what a test puts in its place. */
export type Send = (address: string, init: RequestInit) => Promise<Response>

/** The provider did not answer, or answered that it cannot at the moment. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** The longest answer that is read: a JWKS of Microsoft has 20 KiB. */
export const answerBytesMax = 256 * 1024

/**
 * Asks a provider. It follows no redirect, for the answer of another host would be taken for the provider's; it sends
 * nothing in the clear; it reads no more than a bounded answer, and waits no longer than the caller's signal says.
 */
export function boundedFetch(send: Send): Send {
  return async (address, init) => {
    const { origin } = new URL(address)
    if (!isTrustworthy(new URL(address))) throw new Error(`expected an https:// endpoint, got one at \`${origin}\``)
    let answer: Response
    try {
      answer = await send(address, { ...init, redirect: 'manual' })
    } catch (error) {
      throw new Unreachable(`\`${origin}\` did not answer`, { cause: error })
    }
    if (answer.status >= 500 || answer.status === 429) {
      await answer.body?.cancel()
      throw new Unreachable(`\`${origin}\` answered ${answer.status}`)
    }
    const body = await read(answer, origin)
    const empty = answer.status === 204 || answer.status === 205 || answer.status === 304
    return new Response(empty ? null : body, { status: answer.status, headers: answer.headers })
  }
}

async function read(answer: Response, origin: string): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = answer.body?.getReader()
  while (reader !== undefined) {
    let piece: Awaited<ReturnType<typeof reader.read>>
    try {
      piece = await reader.read()
    } catch (error) {
      throw new Unreachable(`\`${origin}\` broke off`, { cause: error })
    }
    if (piece.done) break
    length += piece.value.byteLength
    if (length > answerBytesMax) {
      await reader.cancel()
      throw new Error(`expected at most ${answerBytesMax} bytes from \`${origin}\`, got more`)
    }
    pieces.push(piece.value)
  }
  return new Uint8Array(Buffer.concat(pieces))
}
