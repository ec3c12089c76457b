import { addressOfHop, unknownAddress } from '../http/forwarded.ts'
import type { Head, Inbound } from '../http/message.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import {
  compileRouter,
  isRouterMatch,
  type Match,
  type Params,
  type PathReading,
  type Router,
  type RouterEntry,
  type WrongMethod,
} from '../http/router.ts'
import { GenerationCache } from '../kernel/cache.ts'
import { refuse } from '../kernel/error.ts'
import { uuidv7 } from '../kernel/id.ts'
import { limitKey } from '../kernel/ip.ts'
import { redactText } from '../kernel/redact.ts'
import { ownContent } from './content.ts'
import { type Cors, openCors } from './cors.ts'
import type { RouteDraft } from './draft.ts'
import { type Answerer, Exchange, type Stage } from './exchange.ts'
import { vigil } from './recheck.ts'
import type { Rooms } from './rooms.ts'
import { A, type Route } from './route.ts'
import { stagesOf } from './way.ts'

/** One configuration, compiled: every request of its time is admitted by it. */
export interface Plan {
  readonly cors: Cors
  readonly rooms: Rooms
  /** Every route that leads somewhere: what the house answers, and nothing else does. */
  readonly routes: readonly Omit<RouterEntry<Route>, 'value'>[]
  /** Finds the route and makes the exchange. It always finds one: nowhere is a route too, and it refuses. */
  admit(request: Inbound): Exchange
  /** Asks whether an exchange that goes on, a WebSocket, would be let in now as well. */
  vigil(exchange: Exchange): ReturnType<typeof vigil>
  /** Whether this request may become a tunnel. */
  tunnels(method: string, path: string): boolean
}

/** What every answer carries, also where no route speaks for it. */
export interface PlanDefaults {
  readonly headers: readonly string[]
  readonly withheld: ReadonlySet<string>
  readonly bodyBytesMax: number
}

export function compilePlan(
  drafts: readonly RouterEntry<RouteDraft>[],
  defaults: PlanDefaults,
  cors: Cors,
  rooms: Rooms,
): Plan {
  const laid = drafts.map(({ pattern, methods, value }) => ({ pattern, methods, value: withStages(value) }))
  const routers: Readonly<Record<PathReading, Router<Laid>>> = {
    exact: compileRouter(laid),
    loose: compileRouter(laid, 'loose'),
  }
  const nowhere = ownRoute('unrouted', (exchange) =>
    exchange.allow.length === 0
      ? refuse('not-found', { detail: 'no route is configured for this path' })
      : refuse('method-not-allowed', {
          detail: `\`${exchange.request.method.slice(0, 20)}\` is not among the methods of this path`,
          headers: ['Allow', exchange.allow.join(', ')],
        }),
  )
  const preflight = ownRoute('preflight', preflightBy(cors))
  const openPreflight = ownRoute('preflight', preflightBy(openCors), 'open')
  const addressKeys = new GenerationCache<string, string>(10_000)

  return {
    cors,
    rooms,
    routes: drafts.map(({ pattern, methods }) => ({ pattern, methods })),
    admit(request) {
      const { head, target, method } = request
      const router = routers[request.reading]
      if (method === 'OPTIONS' && head.preflightMethod !== undefined && head.origin !== undefined) {
        const answering = preflightOf(router.find(head.preflightMethod, target.path))
        if (answering !== undefined) return exchangeOf(request, answering, noParams, noMethods)
      }
      const found = router.find(method, target.path)
      if (found === undefined) return exchangeOf(request, nowhere, noParams, noMethods)
      return isRouterMatch(found)
        ? exchangeOf(request, found.value, found.params, noMethods)
        : exchangeOf(request, nowhere, noParams, found.allow)
    },
    vigil: ({ route }) => vigil(route, rooms),
    tunnels(method, path) {
      const found = routers.exact.find(method, path)
      return found !== undefined && isRouterMatch(found) && found.value.route.websocket
    },
  }

  /** Who answers a preflight about what was found; nobody where no page of another origin may come. */
  function preflightOf(found: Match<Laid> | WrongMethod | undefined): Laid | undefined {
    if (found === undefined) return undefined
    const allowed = isRouterMatch(found) ? found.value.route.cors : 'house'
    if (allowed === 'open') return openPreflight
    return allowed === 'house' && cors.configured ? preflight : undefined
  }

  function withStages(draft: RouteDraft): Laid {
    return { route: draft, stages: stagesOf(draft, rooms) }
  }

  /** A route that no configuration names: it arrives and is shielded like any other. */
  function ownRoute(name: string, answerer: Answerer, crossOrigin: Route['cors'] = 'house'): Laid {
    return withStages({
      kind: A,
      name,
      access: { to: 'public' },
      credentials: undefined,
      policies: [],
      area: undefined,
      resource: undefined,
      owner: undefined,
      signature: undefined,
      certificate: false,
      from: undefined,
      target: undefined,
      // A page of ours asks before each of its requests, and no credential comes along: that is no waste.
      limits: name === 'preflight' || rooms.strangers === undefined ? [] : [{ budget: rooms.strangers, cost: 1 }],
      body: undefined,
      bodyBytesMax: defaults.bodyBytesMax,
      ...ownContent,
      upstream: undefined,
      answerer,
      forwardAuthorization: false,
      websocket: false,
      stepUp: undefined,
      inPerson: false,
      ownPagesOnly: false,
      cors: crossOrigin,
      scopes: [],
      clients: 'refused',
      shown: undefined,
      priority: name === 'unrouted' ? 'low' : 'normal',
      whileDraining: false,
      headers: defaults.headers,
      withheld: defaults.withheld,
    })
  }

  function exchangeOf(request: Inbound, { route, stages }: Laid, params: Params, allow: readonly string[]): Exchange {
    const { head, peer } = request
    const trusted = isForwarded(head) && rooms.trusts(peer)
    const client = trusted && head.forwardedFor !== undefined ? rightmostUntrusted(head.forwardedFor, peer) : peer
    const arrivedAt = rooms.clock.now()
    return new Exchange({
      id: head.requestId !== undefined && isSane(head.requestId) ? head.requestId : uuidv7(arrivedAt, rooms.random),
      arrivedAt,
      startedAt: rooms.clock.monotonic(),
      request,
      route,
      stages,
      params,
      allow,
      client,
      callerAddress: client === unknownAddress ? unknownKey(request) : addressKey(client),
      certificateOf,
      bodies: rooms.bodies,
      secure: trusted && head.forwardedProto !== undefined ? head.forwardedProto === 'https' : request.encrypted,
    })
  }

  /** Behind a proxy that ends TLS the connection is the proxy's own: what it says of the client counts, or nothing. */
  function certificateOf({ certificate, head, peer }: Inbound): PeerCertificate | undefined {
    if (!rooms.trusts(peer)) return certificate
    if (rooms.certificateOfField === undefined) return isForwarded(head) ? undefined : certificate
    return head.clientCert === undefined ? undefined : rooms.certificateOfField(head.clientCert, head.clientCertChain)
  }

  /** The last hop that is no proxy of ours: whatever stands further left is only somebody's word. */
  function rightmostUntrusted(forwardedFor: string, peer: string): string {
    const hops = forwardedFor.split(',')
    for (let at = hops.length - 1; at >= 0; at--) {
      const hop = addressOfHop(hops[at] as string)
      if (hop === undefined) return unknownAddress // nothing to its left can be believed, and the proxy's own is not the client's
      if (!rooms.trusts(hop) || at === 0) return hop
    }
    return peer
  }

  /** Whose address cannot be read is counted by what the proxy wrote instead, and never together with everybody like them (A52). */
  function unknownKey({ head, peer }: Inbound): string {
    const written = head.forwardedFor ?? ''
    return `${unknownAddress} ${peer} ${written
      .slice(written.lastIndexOf(',') + 1)
      .trim()
      .slice(0, 64)}`
  }

  function addressKey(address: string): string {
    let key = addressKeys.get(address)
    if (key === undefined) {
      key = limitKey(address)
      addressKeys.set(address, key)
    }
    return key
  }
}

/** Whether somebody says that they pass on the request of another. */
function isForwarded({ forwardedFor, forwardedProto }: Head): boolean {
  return forwardedFor !== undefined || forwardedProto !== undefined
}

function preflightBy(cors: Cors): Answerer {
  return ({ request }) => ({
    status: 200,
    headers: ['Content-Length', '0', ...cors.preflight(request.head.origin)],
    body: undefined,
  })
}

/** A route with the stages that its requests pass. */
interface Laid {
  readonly route: Route
  readonly stages: readonly Stage[]
}

/** An id of a request is kept and passed on: a text that gives itself away as a credential is none. */
function isSane(requestId: string): boolean {
  return sane.test(requestId) && (requestId.length <= tellingNothing || redactText(requestId) === requestId)
}

const sane = /^[A-Za-z0-9._~:/+=-]{1,128}$/
/** A UUID or a trace id is as long at most. */
const tellingNothing = 36
const noParams: Params = Object.freeze({})
const noMethods: readonly string[] = []
