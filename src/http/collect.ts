import type { Readable } from 'node:stream'

/** What came of reading a body whole. */
export type Collected =
  | { readonly bytes: Buffer }
  | { readonly tooLarge: true }
  | { readonly declined: true }
  | { readonly brokeOff: true }

/**
 * Reads a body into memory, up to `bytesMax`, and stops reading there: a larger one is left on the wire. `accepts` is asked
 * about each piece as it comes; where it declines, the rest is left too.
 */
export function collect(body: Readable, bytesMax: number, accepts: (chunk: Uint8Array) => boolean): Promise<Collected> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (outcome: Collected): void => {
      body.off('data', onData)
      body.off('end', onEnd)
      body.off('error', onBroken)
      body.off('close', onBroken)
      resolve(outcome)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.byteLength
      if (size > bytesMax) {
        body.pause()
        return settle({ tooLarge: true })
      }
      if (!accepts(chunk)) {
        body.pause()
        return settle({ declined: true })
      }
      chunks.push(chunk)
    }
    const onEnd = (): void =>
      settle({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size) })
    const onBroken = (): void => settle({ brokeOff: true })
    body.on('data', onData)
    body.on('end', onEnd)
    body.on('error', onBroken)
    body.on('close', onBroken)
  })
}
