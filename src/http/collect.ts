import type { Readable } from 'node:stream'

/** What came of reading a body whole. */
export type Collected = { readonly bytes: Buffer } | { readonly tooLarge: true } | { readonly brokeOff: true }

/**
 * Reads a body into memory, up to `bytesMax`, and stops reading there: a larger one is left on the wire. `heard` is told
 * of each piece as it comes.
 */
export function collect(body: Readable, bytesMax: number, heard?: (chunk: Uint8Array) => void): Promise<Collected> {
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
      chunks.push(chunk)
      heard?.(chunk)
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
