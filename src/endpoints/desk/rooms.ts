import type { AuditLog } from '../../audit/log.ts'
import type { Accounts } from '../../authn/account/accounts.ts'
import type { Attempts } from '../../authn/attempts/attempts.ts'
import type { Factors } from '../../authn/factor/factors.ts'
import type { Passkeys } from '../../authn/factor/passkeys.ts'
import type { RecoveryCodes } from '../../authn/factor/recovery-codes.ts'
import type { Totp } from '../../authn/factor/totp.ts'
import type { KeyBook } from '../../authn/key/key-book.ts'
import type { Keys } from '../../authn/key/keys.ts'
import type { IdentityOptions } from '../../authn/options.ts'
import type { Identities } from '../../authn/provider/identities.ts'
import type { Providers } from '../../authn/provider/providers.ts'
import type { ServiceBook } from '../../authn/service/service-book.ts'
import type { Services } from '../../authn/service/services.ts'
import type { BrowserSessions } from '../../authn/session/browser-sessions.ts'
import type { DeviceTokens } from '../../authn/session/device-tokens.ts'
import type { RevocationList } from '../../authn/session/revocation-list.ts'
import type { Revocations } from '../../authn/session/revocations.ts'
import type { Sessions } from '../../authn/session/sessions.ts'
import type { Tickets } from '../../authn/ticket/tickets.ts'
import type { TokenService, Verified } from '../../authn/token/tokens.ts'
import type { DecisionPoint } from '../../authz/decision.ts'
import type { PolicyBook } from '../../authz/policy/book.ts'
import type { PolicyStore } from '../../authz/policy/store.ts'
import type { ResourceType } from '../../authz/resource-type.ts'
import type { RoleBook } from '../../authz/role/book.ts'
import type { RoleStore } from '../../authz/role/store.ts'
import type { RoleTable } from '../../authz/role/table.ts'
import type { Meters } from '../../gate/meters.ts'
import type { AlertPlan } from '../../incident/alert/plan.ts'
import type { IncidentBook } from '../../incident/incidents.ts'
import type { PlaybookRooms } from '../../incident/playbook/open.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Refusal } from '../../kernel/error.ts'
import type { Random } from '../../kernel/id.ts'
import type { Outbox } from '../../mail/outbox.ts'
import type { Grants } from '../../oauth/grants.ts'
import type { BlockBook } from '../../shield/block-book.ts'
import type { BlockStore } from '../../shield/block-store.ts'
import type { Database, Store } from '../../store/database.ts'

/** What the desk asks of the house. */
export interface DeskRooms extends PlaybookRooms {
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly audit: AuditLog
  /** Where long questions are asked. */
  readonly reading: Database
  /** Of the house. */
  readonly version: string
  readonly meters: Meters
  readonly identity: IdentityOptions
  /** Where people reach the house: links begin with it. Undefined where nobody said. */
  readonly publicUrl: string | undefined
  readonly siteName: string
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly grants: Grants
  /** What each scope of an API means, for people; undefined where the house gives no tokens to other people's clients. */
  readonly scopeTexts: ReadonlyMap<string, string> | undefined
  readonly browsers: BrowserSessions
  readonly tokens: TokenService
  /** Reads what an upstream was told of a caller; with the client that this upstream is, where it is one. */
  readonly asserted: (text: string) => { readonly caller: Verified; readonly client: string | undefined } | Refusal
  readonly revocations: Revocations
  readonly revocationList: RevocationList
  readonly devices: DeviceTokens
  readonly tickets: Tickets
  readonly attempts: Attempts
  readonly factors: Factors
  readonly totp: Totp
  readonly recoveryCodes: RecoveryCodes
  /** Undefined where the house has no public address: a passkey belongs to one. */
  readonly passkeys: Passkeys | undefined
  readonly providers: Providers
  readonly identities: Identities
  /** Undefined where no mail is configured. */
  readonly outbox: Outbox | undefined
  readonly services: Services
  readonly serviceBook: ServiceBook
  readonly keys: Keys
  readonly keyBook: KeyBook
  readonly policyStore: PolicyStore
  readonly policyBook: PolicyBook
  /** The routes that ask a policy, by its name. */
  readonly policyAskers: (name: string) => readonly string[]
  readonly blockStore: BlockStore
  readonly blockBook: BlockBook
  readonly incidentBook: IncidentBook
  readonly alertPlan: AlertPlan
  readonly roleStore: RoleStore
  readonly roleBook: RoleBook
  /** The roles of the day. */
  readonly roles: RoleTable
  readonly decisions: DecisionPoint
  readonly resourceTypes: ReadonlyMap<string, ResourceType>
}
