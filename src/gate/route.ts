import type { Credential } from '../authn/principal.ts'
import type { SignatureScheme } from '../authn/signature/scheme.ts'
import type { OwnershipRule } from '../authz/ownership.ts'
import type { NamedPolicy } from '../authz/policy/named.ts'
import type { Outbound } from '../http/message.ts'
import type { RouteInspection } from '../inspection/inspections.ts'
import type { TypedBodyCheck } from '../inspection/schema/body.ts'
import type { RequestCheck } from '../inspection/schema/parameters.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Priority } from '../limits/load/options.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { RouteBudget } from './budgets.ts'
import type { Lookup } from './owner/lookup.ts'

/** What a request is on: a route to an upstream, an MCP server, our own API, or the host's server that embeds us. */
export const P = 1
export const M = 2
export const A = 4
export const E = 8
export type Kind = typeof P | typeof M | typeof A | typeof E

/** A route, compiled: everything that can be worked out at load has been. */
export interface Route {
  readonly kind: Kind
  /** `POST /api/tasks`: what logs, metrics and events call it. */
  readonly name: string
  readonly access: Access
  /** The kinds of credential that it takes; undefined: all of them. */
  readonly credentials: ReadonlySet<CredentialKind> | undefined
  /** Policies that have to permit it as well: all of them. */
  readonly policies: readonly NamedPolicy[]
  /** The area of the system that it is in: roles that count there alone count here. */
  readonly area: string | undefined
  /** What kind of thing it is about, for policies. */
  readonly resource: string | undefined
  /** Whose it is that a request is about; undefined: nobody's in particular. */
  readonly owner: RouteOwner | undefined
  /** Which signature it demands of every request, beside any credential; undefined: none. */
  readonly signature: SignatureScheme | undefined
  /** Whether the connection has to show a client certificate that an authority of ours vouches for. */
  readonly certificate: boolean
  /** Whether a caller may come from an address; undefined: from every one. */
  readonly from: ((address: string) => boolean) | undefined
  /** What the token of a service has to be made for; undefined: the house itself. */
  readonly target: string | undefined
  readonly limits: readonly RouteBudget[]
  /** What its body is held against; 'whole': against nothing, and it is read all the same. Undefined: it is not read. */
  readonly body: TakenBody | 'whole' | undefined
  readonly bodyBytesMax: number
  /** What its path, query, headers and cookies are held against; undefined: nothing. */
  readonly parameters: RequestCheck | undefined
  /** What is looked for in its requests and answers. */
  readonly inspection: RouteInspection
  /** Where it leads, when it leads to an upstream. */
  readonly upstream: Upstream | undefined
  /** Whether the caller's own `Authorization` goes on to the upstream. Ours never does. */
  readonly forwardAuthorization: boolean
  /** Whether a client may switch to WebSocket here. */
  readonly websocket: boolean
  /** Security headers of every answer, as name, value, name, value. */
  readonly headers: readonly string[]
  /** Lower-case names that an upstream's answer loses, because `headers` says them or nobody should. */
  readonly withheld: ReadonlySet<string>
  /** How recent, and how strong, the sign-in must be (RFC 9470). */
  readonly stepUp: StepUp | undefined
  /** Whether somebody who acts as the person is refused. */
  readonly inPerson: boolean
  /** Whether the request must come from a page of our own, whoever sends it: a form of ours. */
  readonly ownPagesOnly: boolean
  /** Which pages of other origins may read the answers: those of the configuration, every one, or none. */
  readonly cors: 'house' | 'open' | 'none'
  /** The scopes that a client of other people needs here: all of them. */
  readonly scopes: readonly string[]
  /**
   * What clients of other people are to a route that asks for no permission: measured by scope, always welcome, or refused.
   * Where it is public, one that is refused goes on as nobody.
   */
  readonly clients: 'by-scope' | 'welcome' | 'refused'
  /** Shows a refusal to a person, or in the words of a protocol; a problem document where there is none. */
  readonly shown: Shown | undefined
  /** What is refused first when there is more than can be done: `low`, then `normal`, then `high`. */
  readonly priority: Priority
  /** Answered even while the house shuts down: its health. */
  readonly whileDraining: boolean
}

/** A refusal as whoever reads it expects it: a page in their language, or JSON of another standard than ours. */
export type Shown = (refusal: Refusal, requestId: string, acceptLanguage: string | undefined) => Outbound

/** Which bodies a route takes. */
export interface TakenBody {
  readonly check: TypedBodyCheck
  /** Whether none will do as well. */
  readonly optional: boolean
}

/** What a caller can be known by. */
export type CredentialKind = Exclude<Credential['kind'], 'none'>

/** Who may beside whom, and where the owner is found: in the path, by a question, or in the upstream's answer. */
export interface RouteOwner {
  readonly rule: OwnershipRule
  readonly source:
    | { readonly by: 'param'; readonly param: string }
    | { readonly by: 'lookup'; readonly lookup: Lookup }
    /** `header` in lower case. */
    | { readonly by: 'answer'; readonly header: string }
}

export interface StepUp {
  readonly withinMs: number | undefined
  readonly multiFactor: boolean
}

export type Access =
  | { readonly to: 'public' }
  | { readonly to: 'authenticated' }
  | { readonly to: 'permission'; readonly permission: string }
