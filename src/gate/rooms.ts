import type { AuditLog } from '../audit/log.ts'
import type { Holder } from '../authn/holder.ts'
import type { TokenService, Verified } from '../authn/token/tokens.ts'
import type { DecisionPoint } from '../authz/decision.ts'
import type { RoleTable } from '../authz/role/table.ts'
import type { BodyMemory } from '../http/body-memory.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Follower } from '../kernel/epoch.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Limiter, WhenDown } from '../limits/limiter.ts'
import type { Shedder } from '../limits/load/shedder.ts'
import type { Shield } from '../shield/shield.ts'
import type { Budget } from './budgets.ts'
import type { Evidence } from './evidence.ts'
import type { Meters } from './meters.ts'
import type { Owners } from './owner/lookup.ts'
import type { ResourceServer } from './resource-server.ts'

/** What the gate asks of the house. */
export interface Rooms {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What other threads of this house have changed; undefined where there is no other. */
  readonly abreast: Follower | undefined
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
    /** `before` is asked before a signature is checked: its refusal is the answer then. */
    verify(token: string, targets: readonly string[], before?: () => Refusal | undefined): Holder | Refusal
    byCertificate(certificate: PeerCertificate): Holder | undefined
  }
  /** Our own name in tokens. */
  readonly audience: string
  /** Reads the certificate that a trusted proxy passes on (RFC 9440); undefined where no proxy is believed about that. */
  readonly certificateOfField: ((field: string, chain?: string) => PeerCertificate | undefined) | undefined
  /** What is asked of an address before anybody is known. */
  readonly shield: Shield
  /** Where requests that came without TLS are sent; undefined where they may come. */
  readonly https:
    | {
        /** `https://gate.example.com`: our own address, and never the `Host` that a caller names (RFC 9110 §17.1). */
        readonly origin: string
        /** Paths that are answered all the same. */
        readonly exempt: ReadonlySet<string>
      }
    | undefined
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
  /** Of limits that do not say it themselves. */
  readonly whenDown: WhenDown
  /** Refuses what is too much; undefined where that is switched off. */
  readonly shedder: Shedder | undefined
  readonly audit: AuditLog
  /** What requests meet that nobody would remember. */
  readonly unremembered: 'serve' | 'refuse'
  readonly meters: Meters
  /** Whether limits are counted at all, those that credentials bring included. */
  readonly counting: boolean
  /** What an address may waste on credentials that are missing or wrong; undefined where that is not counted. */
  readonly strangers: Budget | undefined
  /** Whether the peer is a proxy whose forwarding headers are believed. */
  readonly trusts: (address: string) => boolean
  /** Our pseudonym in `Via`: a request that carries it has been here before. */
  readonly via: string
  /** Lower-case names and prefixes of headers that only we may set towards an upstream. */
  readonly identityHeaders: (lowerName: string) => boolean
}
