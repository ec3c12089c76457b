import type { Exchange } from './exchange.ts'
import type { Rooms } from './rooms.ts'

/**
 * Whether a browser sent this request from a page that may act with its cookies: one of our own, or of an origin that the
 * configuration trusts with credentials. Said by `Origin`, else by Fetch Metadata; a request that says neither is not
 * (OWASP ASVS 5.0 §3.5).
 */
export function isFromOwnPage({ request, secure }: Exchange, rooms: Rooms): boolean {
  const { origin, fetchSite, host } = request.head
  if (origin === undefined) return fetchSite === 'same-origin'
  if (fetchSite === 'cross-site' && !rooms.trustsOrigin(origin)) return false
  if (origin === `${secure ? 'https' : 'http'}://${host}`) return true
  return rooms.trustsOrigin(origin)
}

/** Methods that change nothing (RFC 9110 §9.2.1). A switch of protocols is none of them. */
export function isSafe({ request }: Exchange): boolean {
  const { method, head } = request
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && head.upgrade === undefined
}
