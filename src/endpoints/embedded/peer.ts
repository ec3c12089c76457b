import type { HonoOnNode } from './hosts.ts'

/** What a server hands its fetch handler beside the request, from which it is known who asks: what Bun, Deno and Hono on Node do. */
export type Whence = string | BunServer | DenoConnection | HonoOnNode

interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
}

interface DenoConnection {
  readonly remoteAddr: { readonly hostname?: string }
}

/**
 * The address of whoever asks. Throws where nobody says it: limits and blocks by address would take all callers for one (A52). An
 * empty text is a server that does not know.
 */
export function peerOf(request: Request, whence: unknown): string {
  if (typeof whence === 'string') return whence
  if (typeof whence === 'object' && whence !== null) {
    const { requestIP, remoteAddr, incoming } = whence as Partial<BunServer & DenoConnection & HonoOnNode>
    if (typeof requestIP === 'function') return requestIP.call(whence, request)?.address ?? ''
    if (remoteAddr !== undefined) return remoteAddr.hostname ?? ''
    if (incoming !== undefined) return incoming.socket?.remoteAddress ?? ''
  }
  throw new TypeError(
    'expected who asks beside the request: an address, or what Bun.serve, Deno.serve or @hono/node-server hand over',
  )
}
