import { proofAlgorithms } from '../authn/token/dpop.ts'
import type { Exchange } from './exchange.ts'
import type { Rooms } from './rooms.ts'

export type Scheme = 'Bearer' | 'DPoP'

/** What a challenge says of the credential that came, and of what would do. */
export interface Complaint {
  /** RFC 6750 §3.1, RFC 9449 §7.1. Nothing for a caller who sent nothing. */
  readonly error?: string
  readonly error_description?: string
  readonly scope?: string
}

/**
 * The `WWW-Authenticate` field of a refusal. Where clients of other people may come, it leads them to the description of
 * the resource (RFC 9728 §5.1).
 */
export function challenge(scheme: Scheme, complaint: Complaint, exchange: Exchange, rooms: Rooms): readonly string[] {
  const { route, request } = exchange
  const metadata = route.clients === 'refused' ? undefined : rooms.resourceServer?.at(request.target.path).metadata
  return ['WWW-Authenticate', challengeField(scheme, { ...complaint, resource_metadata: metadata })]
}

/** The text of a challenge (RFC 9110 §11.6.1). What is undefined is left out. */
export function challengeField(scheme: Scheme, parameters: Readonly<Record<string, string | undefined>>): string {
  const said = Object.entries({
    realm: 'gatehouse',
    ...parameters,
    algs: scheme === 'DPoP' ? proofAlgorithms.join(' ') : undefined, // RFC 9449 §7.1
  })
  return `${scheme} ${said.flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`])).join(', ')}`
}

/** The challenge for a caller who sent no credential that we know: what to get, and in which ways it may be sent. */
export function invitation(exchange: Exchange, rooms: Rooms): readonly string[] {
  const scope = scopesToAskFor(exchange, rooms)
  const bearer = challenge('Bearer', scope === undefined ? {} : { scope }, exchange, rooms)
  if (rooms.resourceServer === undefined || exchange.route.clients === 'refused') return bearer
  return [...bearer, 'WWW-Authenticate', challengeField('DPoP', {})]
}

/** The scopes to begin with here, the one that lends the permission included; undefined where none is known to help. */
export function scopesToAskFor({ route, request }: Exchange, rooms: Rooms): string | undefined {
  const resource = rooms.resourceServer?.at(request.target.path)
  if (resource === undefined || route.clients === 'refused') return undefined
  const { access, scopes } = route
  // A privileged scope is not named to somebody unknown: a client that may not have it could not even begin.
  const lender =
    access.to === 'permission'
      ? rooms.roles.lendersOf(access.permission).find((scope) => resource.usual.includes(scope))
      : undefined
  const needed = new Set(lender === undefined ? scopes : [...scopes, lender])
  if (needed.size > 0) return [...needed].join(' ')
  return resource.declared && resource.usual.length > 0 ? resource.usual.join(' ') : undefined
}

/** The scheme in which the caller sent its token (RFC 9110 §11.1: in any letter case). */
export function schemeOf({ request }: Exchange): Scheme {
  return request.head.authorization?.slice(0, 5).toLowerCase() === 'dpop ' ? 'DPoP' : 'Bearer'
}
