import type { Duplex } from 'node:stream'
import type { Passage } from '../gate/gate.ts'

/** Lets two sockets talk until either is done. */
export function joinTunnel(near: Duplex, first: Buffer, passage: Passage): void {
  const { outbound } = passage
  const far = outbound.tunnel?.socket as Duplex
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let at = 0; at < outbound.headers.length; at += 2)
    head += `${outbound.headers[at]}: ${outbound.headers[at + 1]}\r\n`
  near.write(`${head}\r\n`)
  if (outbound.tunnel !== undefined && outbound.tunnel.first.length > 0) near.write(outbound.tunnel.first)
  if (first.length > 0) far.write(first)
  let bytes = 0
  far.on('data', (chunk: Buffer) => (bytes += chunk.length))
  far.pipe(near).pipe(far)
  const end = (whole = true): void => {
    clearInterval(watch)
    near.destroy()
    far.destroy()
    passage.finish({ bytes, whole })
  }
  // Whoever would not be let in any more does not go on (TK4, A56): nothing else would ever ask.
  const { exchange, plan } = passage
  const still = plan.vigil(exchange)
  let asking = false
  const ask = async (): Promise<void> => {
    if (asking || still === undefined) return
    asking = true
    const refusal = await still(exchange)
    asking = false
    if (refusal === undefined) return
    exchange.refusal ??= refusal // the record says why
    end(false)
  }
  const watch = still && setInterval(() => void ask(), watchEveryMs)
  watch?.unref()
  far.on('error', () => end())
  far.on('close', () => end())
  near.on('close', () => end())
  // What has closed before does not say so again.
  if (near.destroyed || far.destroyed) end(false)
}

/** How soon a WebSocket hears that its credential, a role or a policy is another one. */
const watchEveryMs = 1_000
