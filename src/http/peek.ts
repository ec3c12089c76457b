import type { Readable } from 'node:stream'

/**
 * The first bytes of a body, which stay in it; all of it where it is shorter. Undefined where it breaks off. Nobody else reads it
 * meanwhile, and afterwards it is as if nobody had.
 */
export function peek(body: Readable, bytes: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const settle = (seen: Uint8Array | undefined): void => {
      body.off('readable', onReadable)
      body.off('end', onEnd)
      body.off('error', onBroken)
      body.off('close', onBroken)
      resolve(seen)
    }
    const onReadable = (): void => {
      // Nothing, until so many are there or it has ended: then what is left.
      const seen = body.read(bytes) as Buffer | null
      if (seen === null) return
      body.unshift(seen)
      settle(seen)
    }
    const onEnd = (): void => settle(new Uint8Array(0))
    const onBroken = (): void => settle(undefined)
    body.on('readable', onReadable)
    body.on('end', onEnd)
    body.on('error', onBroken)
    body.on('close', onBroken)
  })
}
