import type { AuditOptions } from '../audit/options.ts'
import type { Scrub } from '../audit/verify/scrubber.ts'
import type { KeyOptions } from '../authn/key/options.ts'
import type { IdentityOptions } from '../authn/options.ts'
import type { ServiceOptions } from '../authn/service/options.ts'
import type { SignatureOptions } from '../authn/signature/options.ts'
import type { TokenOptions } from '../authn/token/tokens.ts'
import type { RoleOptions } from '../authz/role/grants.ts'
import type { Separation } from '../authz/role/separation.ts'
import type { InspectionOptions } from '../inspection/options.ts'
import type { LimitOptions } from '../limits/options.ts'
import type { SharedOptions } from '../limits/shared/options.ts'
import type { MailOptions } from '../mail/options.ts'
import type { OauthOptions } from '../oauth/options.ts'
import type { SandboxOptions } from '../sandbox/options.ts'
import type { WallState } from '../sandbox/walls/wall.ts'
import type { ShieldOptions } from '../shield/options.ts'
import type { UpstreamOptions } from '../upstream/options.ts'

/** Everything that a check may look at: what is configured, what lies in the store, and what the machine says. */
export interface Facts {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly settings: Configuration
  readonly data: DataFacts | NotKnown
  readonly machine: MachineFacts | NotKnown
}

/** What could not be read, and why, as half a sentence. */
export interface NotKnown {
  readonly unknown: string
}

export function isKnown<Known extends object>(facts: Known | NotKnown): facts is Known {
  return !('unknown' in facts)
}

/** What is looked at of a configuration. */
export interface Configuration {
  readonly listen: {
    readonly host: string
    readonly trustedProxies: readonly string[]
    readonly tls?:
      | {
          readonly cert: string
          readonly minVersion: string
          readonly clientCa?: string | undefined
          readonly crl?: readonly string[] | undefined
        }
      | undefined
    readonly https?: object | undefined
    readonly clientCertHeader: boolean | object
    readonly headersTimeout: number
    readonly requestTimeout: number
    readonly minBytesPerSecond: number
    readonly connections: number
    readonly connectionsPerAddress: number
  }
  readonly store?: string | undefined
  readonly publicUrl?: string | undefined
  readonly upstreams: Readonly<Record<string, UpstreamOptions>>
  readonly identity: IdentityOptions
  readonly mail?: MailOptions | undefined
  readonly pages: { readonly links: { readonly privacy?: string | undefined } }
  readonly tokens: TokenOptions
  readonly oauth?: OauthOptions | undefined
  readonly roles: Readonly<Record<string, RoleOptions>>
  readonly administrator: string
  readonly separationOfDuty: readonly Separation[]
  readonly policies: readonly { readonly name: string }[]
  readonly resources: Readonly<Record<string, { readonly policy?: readonly string[] | undefined }>>
  readonly limits: false | Readonly<Record<string, false | LimitOptions>>
  readonly shared?: SharedOptions | undefined
  readonly shield: ShieldOptions
  readonly keys: KeyOptions
  readonly services: ServiceOptions
  readonly signatures: SignatureOptions
  readonly audit: AuditOptions
  readonly incidents: {
    readonly alerts: object
    readonly playbooks: ReadonlyMap<string, { readonly automatic: boolean }>
    readonly detection: {
      readonly rules: readonly { readonly name: string }[]
      readonly geolocation?: string | undefined
    }
  }
  readonly headers: Readonly<Record<string, string | false>>
  readonly cors?:
    | { readonly origins: readonly string[]; readonly credentials: boolean; readonly exposed: readonly string[] }
    | undefined
  readonly bodyMax: number
  readonly bodyMemory: number
  readonly metrics: { readonly allow: readonly string[] }
  readonly identityHeaders: readonly string[]
  readonly log: { readonly level: string }
  readonly inspection: InspectionOptions
  readonly sandbox: Pick<SandboxOptions, 'enabled' | 'languages' | 'require' | 'without'>
  readonly routes: readonly RouteFacts[]
}

export interface RouteFacts {
  readonly path: string
  readonly to?: string | undefined
  readonly methods?: readonly string[] | undefined
  readonly require?: string | undefined
  readonly access?: 'public' | 'authenticated' | undefined
  readonly scope?: readonly string[] | undefined
  readonly limit?: readonly object[] | undefined
  readonly body?: object | undefined
  readonly inspection?: InspectionOptions | undefined
  readonly bodyMax?: number | undefined
  readonly headers?: Readonly<Record<string, string | false>> | undefined
  readonly recent?: number | undefined
  readonly strength?: string | undefined
  readonly forwardAuthorization: boolean
  readonly credentials?: readonly string[] | undefined
  readonly policy?: readonly string[] | undefined
  readonly resource?: string | undefined
  readonly owner?: object | false | undefined
  readonly signature?: string | undefined
  readonly certificate?: string | undefined
  readonly addresses?: object | undefined
}

/** What lies in the store, counted. */
export interface DataFacts {
  readonly accounts: {
    readonly all: number
    readonly locked: number
    readonly withSecondFactor: number
    readonly neverSignedIn: number
    readonly unusedFor90Days: number
    /** Ids of those: the first twenty. */
    readonly unused: readonly string[]
    /** Passwords that are kept as anything but an Argon2id hash. */
    readonly weakHashes: number
    readonly unverified: number
  }
  readonly administrators: {
    readonly all: number
    /** Ids of accounts: the first twenty. */
    readonly withoutSecondFactor: readonly string[]
    readonly neverSignedIn: readonly string[]
    readonly unusedFor90Days: readonly string[]
  }
  readonly keys: {
    readonly living: number
    /** Public ids: the first twenty of each. */
    readonly withoutExpiry: readonly string[]
    readonly ownerless: readonly string[]
    readonly unusedFor90Days: readonly string[]
    readonly olderThanAYear: readonly string[]
    /** Which may do everything. */
    readonly allPowerful: readonly string[]
  }
  readonly signingKeys: { readonly living: number; readonly oldestActiveFrom: number | undefined }
  /** Secrets of services and clients that are older than a year. */
  readonly oldSecrets: readonly string[]
  readonly clients: { readonly all: number; readonly unused: number }
  readonly record: {
    readonly events: number
    /** When the first event came. */
    readonly firstAt: number | undefined
    readonly lastAt: number | undefined
    readonly outbox: number
    readonly checkpoint: { readonly size: number; readonly at: number } | undefined
    /** How the last walk through the whole record ended. */
    readonly scrub: Scrub | undefined
    readonly gaps: number
    readonly followers: readonly {
      readonly name: string
      readonly behind: number
      readonly failingSince: number | undefined
    }[]
  }
  readonly letters: { readonly waiting: number; readonly oldestAt: number | undefined; readonly givenUp: number }
  readonly incidents: {
    readonly open: number
    readonly unacknowledged: number
    readonly oldestUnacknowledgedAt: number | undefined
  }
  readonly alerts: { readonly givenUp: number; readonly late: number }
  /** When a review was last made. */
  readonly reviewAt: number | undefined
}

/** What the machine says. */
export interface MachineFacts {
  readonly nodeVersion: string
  /** Undefined where there are no such users. */
  readonly isRoot: boolean | undefined
  /** Where the root secret comes from, and who else could read it. */
  readonly rootSecret: { readonly from: 'environment' | 'file' | 'nowhere'; readonly mode: number | undefined }
  /** Permission bits of the data folder; undefined where there is none. */
  readonly dataMode: number | undefined
  /** Permission bits of the SQLite file. */
  readonly storeMode: number | undefined
  /** Whether it says `NODE_TLS_REJECT_UNAUTHORIZED=0`. */
  readonly trustsEveryCertificate: boolean
  readonly certificates: readonly CertificateFacts[]
  /** What can be put around code of users; undefined where none is run, and nobody has looked. */
  readonly walls: readonly WallState[] | undefined
}

export interface CertificateFacts {
  readonly path: string
  readonly subject: string
  /** Undefined where it cannot be read. */
  readonly validTo: number | undefined
}
