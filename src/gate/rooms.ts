import type { AuditLog } from '../audit/log.ts'
import type { Holder } from '../authn/holder.ts'
import type { TokenService, Verified } from '../authn/token/tokens.ts'
import type { DecisionPoint } from '../authz/decision.ts'
import type { RoleTable } from '../authz/role/table.ts'
import type { BodyMemory } from '../http/body-memory.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Limit, Limiter } from '../limits/limiter.ts'
import type { Evidence } from './evidence.ts'
import type { Meters } from './meters.ts'
import type { Owners } from './owner/lookup.ts'
import type { ResourceServer } from './resource-server.ts'

/** What the gate asks of the house. */
export interface Rooms {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly tokens: TokenService
  /** Whom the cookie of a browser's session stands for; used, it is a sign of life of the session, unless it is only looked at. */
  readonly browsers: { verify(cookie: string, uses?: boolean): Verified | Refusal | Promise<Verified | Refusal> }
  /** API keys. */
  readonly keys: {
    isKey(text: string): boolean
    /** `address` is the caller's: used from there, it has been used, unless it is only looked at. */
    verify(key: string, address: string, uses?: boolean): Holder | Refusal | Promise<Holder | Refusal>
  }
  /** Services that are known here: by their tokens, by their certificates. */
  readonly services: {
    isToken(text: string): boolean
    verify(token: string, targets: readonly string[]): Holder | Refusal
    byCertificate(certificate: PeerCertificate): Holder | undefined
  }
  /** Our own name in tokens. */
  readonly audience: string
  /** Reads the certificate that a trusted proxy passes on (RFC 9440); undefined where no proxy is believed about that. */
  readonly certificateOfField: ((field: string, chain?: string) => PeerCertificate | undefined) | undefined
  /** Whether an address may come here at all; undefined: every one. */
  readonly from: ((address: string) => boolean) | undefined
  /** What bodies that are read whole may take of memory. */
  readonly bodies: BodyMemory
  /** What shows an upstream that a request came through us. */
  readonly evidence: Evidence
  /** Whether a page of this origin may act with a person's cookies: our public one, and those that CORS trusts with credentials. */
  readonly trustsOrigin: (origin: string) => boolean
  readonly roles: RoleTable
  readonly decisions: DecisionPoint
  /** Finds out at upstreams whose something is. */
  readonly owners: Owners
  /** Where clients of other people may come; undefined where the house gives no tokens to any. */
  readonly resourceServer: ResourceServer | undefined
  readonly limiter: Limiter
  readonly audit: AuditLog
  readonly meters: Meters
  /** What an address may waste on credentials that are missing or wrong; undefined when limits are off. */
  readonly strangers: Limit | undefined
  /** Whether the peer is a proxy whose forwarding headers are believed. */
  readonly trusts: (address: string) => boolean
  /** Our pseudonym in `Via`: a request that carries it has been here before. */
  readonly via: string
  /** Lower-case names and prefixes of headers that only we may set towards an upstream. */
  readonly identityHeaders: (lowerName: string) => boolean
}
