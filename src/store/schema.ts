import type { Generated } from 'kysely'
import type {
  AlertsTable,
  DetectionMemoryTable,
  IncidentEntriesTable,
  IncidentEventsTable,
  IncidentsTable,
  PlaybookRunsTable,
  PlaybookStepsTable,
} from './schema-incidents.ts'
import type {
  AuditCheckpointsTable,
  AuditEventsTable,
  AuditFollowersTable,
  AuditHeadTable,
  AuditOutboxTable,
  AuditParkedTable,
  AuditTreeTable,
  DataKeysTable,
} from './schema-record.ts'

/**
 * The tables, as Kysely sees them. Times are milliseconds since the epoch on both databases; JSON is text and is
 * parsed where it is read, so that SQLite and PostgreSQL answer alike.
 */
export interface Schema {
  house: HouseTable
  users: UsersTable
  user_roles: UserRolesTable
  sessions: SessionsTable
  tickets: TicketsTable
  attempts: AttemptsTable
  totp: TotpTable
  recovery_codes: RecoveryCodesTable
  passkeys: PasskeysTable
  identities: IdentitiesTable
  mail_outbox: MailOutboxTable
  signing_keys: SigningKeysTable
  revocations: RevocationsTable
  replays: ReplaysTable
  oauth_clients: OauthClientsTable
  oauth_client_secrets: OauthClientSecretsTable
  oauth_grants: OauthGrantsTable
  oauth_records: OauthRecordsTable
  services: ServicesTable
  service_secrets: ServiceSecretsTable
  api_keys: ApiKeysTable
  api_key_uses: ApiKeyUsesTable
  api_key_leases: ApiKeyLeasesTable
  roles: RolesTable
  policies: PoliciesTable
  address_blocks: AddressBlocksTable
  audit_events: AuditEventsTable
  audit_outbox: AuditOutboxTable
  audit_head: AuditHeadTable
  audit_tree: AuditTreeTable
  audit_checkpoints: AuditCheckpointsTable
  audit_followers: AuditFollowersTable
  audit_parked: AuditParkedTable
  data_keys: DataKeysTable
  detection_memory: DetectionMemoryTable
  incidents: IncidentsTable
  incident_entries: IncidentEntriesTable
  incident_events: IncidentEventsTable
  playbook_runs: PlaybookRunsTable
  playbook_steps: PlaybookStepsTable
  alerts: AlertsTable
}

/** Facts of the house itself, one per name: the check value of its root secret, for one. */
export interface HouseTable {
  name: string
  value: string
}

export interface UsersTable {
  id: string
  /** Trimmed, NFC, lower case: unique. */
  email: string
  name: string
  /** PHC string, or null for an account that cannot sign in by password. */
  password_hash: string | null
  status: 'active' | 'locked'
  created_at: number
  updated_at: number
  /** Lower case: unique. Null where accounts have none. */
  username: Generated<string | null>
  /** When the person proved that the address is theirs, or an operator vouched for it. */
  email_verified_at: Generated<number | null>
  /** 1 when the password is long enough only beside a second factor. */
  short_password: Generated<number>
  last_sign_in_at: Generated<number | null>
  /** Rises with each change of what proves the person. */
  epoch: Generated<number>
  /** The step of a playbook that locked it; null where somebody has locked or unlocked it since. */
  lock_mark: Generated<string | null>
}

export interface UserRolesTable {
  user_id: string
  role: string
}

/** One sign-in: a family of refresh tokens, the row itself being its living branch; or a browser, known by its cookie. */
export interface SessionsTable {
  id: string
  user_id: string
  /** How often its refresh token was rotated. */
  generation: number
  /** SHA-256 of the secret that proves it: of the living refresh token, or of the cookie. */
  refresh_hash: string
  /** SHA-256 of its direct predecessor's secret, for the grace of an honest retry. */
  previous_hash: string | null
  rotated_at: number
  created_at: number
  /** Absolute end of the family. */
  expires_at: number
  ended_at: number | null
  ended_reason: string | null
  address: string
  user_agent: string
  kind: Generated<'tokens' | 'browser' | 'impersonation' | 'client'>
  /** How the person was proven, in order, with spaces between: `password totp`. */
  methods: Generated<string>
  /** When the person was last proven: at sign-in, or at a step-up. */
  authenticated_at: Generated<number>
  /** Last sign of life, written at most once a minute. */
  seen_at: Generated<number>
  /** The administrator who acts as this person. */
  impersonator_id: Generated<string | null>
  impersonation_reason: Generated<string | null>
  /** The OAuth client that holds the tokens, where it is not one of ours (kind `client`). */
  client_id: Generated<string | null>
  /** What was granted to the client, with spaces between. */
  scope: Generated<string | null>
  /** The resources that it was granted for (RFC 8707), with spaces between. */
  resources: Generated<string | null>
  /** The key that every use has to prove (RFC 9449): a JWK thumbprint. */
  key_thumbprint: Generated<string | null>
  /** The certificate on whose connections alone it may be refreshed (RFC 8705 §4): `x5t#S256`. */
  certificate_thumbprint: Generated<string | null>
  /** The browser session that it ends with; null where it was granted offline access. */
  parent_id: Generated<string | null>
}

/** Something that is good once, until a moment: a link in a letter, a sign-in under way, a provider's state. */
export interface TicketsTable {
  /** Hex SHA-256 of the secret. */
  hash: string
  purpose: string
  /** Whom it concerns, so that a newer one can replace it: an account id or an address. */
  subject: string
  /** What it stands for, as JSON, sealed under the root key. */
  sealed: string
  created_at: number
  expires_at: number
  taken_at: number | null
}

/** Failed proofs, by whom and from where. */
export interface AttemptsTable {
  /** A keyed hash: neither addresses nor names can be read from it. */
  key: string
  /** JSON list of the moments of the latest failures, oldest first. */
  times: string
  /** Failures since the last success. */
  total: number
  /** 0 when it is not locked. */
  locked_until: number
  updated_at: number
}

export interface TotpTable {
  user_id: string
  /** The shared secret, sealed under the root key. */
  sealed: string
  created_at: number
  /** Null until a first code has shown that the app has it. */
  confirmed_at: number | null
  /** The time step of the last code that was accepted (RFC 6238 §5.2: no code twice). */
  last_step: number
}

export interface RecoveryCodesTable {
  user_id: string
  hash: string
  created_at: number
  used_at: number | null
}

export interface PasskeysTable {
  /** The credential id, base64url. */
  id: string
  user_id: string
  /** COSE key, base64url. */
  public_key: string
  sign_count: number
  /** JSON list. */
  transports: string
  name: string
  backed_up: number
  created_at: number
  last_used_at: number | null
}

/** An account elsewhere that signs in to one here. Its key is the issuer and its subject, never an address. */
export interface IdentitiesTable {
  issuer: string
  subject: string
  /** Its name in the configuration. */
  provider: string
  user_id: string
  email: string | null
  sealed_refresh_token: string | null
  created_at: number
  last_used_at: number
}

/** Letters that wait for a mail server. They hold links that sign in, and so lie sealed. */
export interface MailOutboxTable {
  id: string
  sealed: string
  /** What letter it is: `reset`, `verify`. */
  kind: string
  created_at: number
  tries: number
  /** When the next try is due. Whoever takes a letter moves it first. */
  next_at: number
  given_up_at: number | null
  /** Why the last try failed. */
  problem: string | null
}

export interface SigningKeysTable {
  kid: string
  algorithm: string
  /** The private JWK (or the secret), sealed under the root secret. */
  sealed: string
  created_at: number
  /** When it begins to sign. */
  active_from: number
  /** When it was taken out of use; null while it serves. */
  removed_at: number | null
  /** When its last token will have run out, once another key signs; null while no successor is known. */
  verifies_until: Generated<number | null>
}

/** What was revoked beside sessions: single tokens, and everything issued to somebody before a moment. */
export interface RevocationsTable {
  kind: 'token' | 'user' | 'client' | 'everything'
  /** `jti`, account id, client id; '' for everything. */
  subject: string
  /** When it was revoked. What was issued before is void. */
  at: number
  /** When the last token that it stands against has run out. */
  expires_at: number
}

/** What may be seen once: proofs of possession, client assertions. */
export interface ReplaysTable {
  /** Hex SHA-256 of who said what. */
  hash: string
  expires_at: number
}

/** Programs of other people that may ask for tokens. */
export interface OauthClientsTable {
  id: string
  /** Who made it: an operator, or the client itself (RFC 7591). */
  origin: 'operator' | 'registered'
  name: string
  /** Client metadata as JSON (RFC 7591 §2), without any secret. */
  metadata: string
  created_at: number
  updated_at: number
  /** Null while it may ask. */
  disabled_at: number | null
}

export interface OauthClientSecretsTable {
  id: string
  client_id: string
  /** Keyed hash. */
  hash: string
  created_at: number
  expires_at: number | null
}

/** What a person has allowed a client. */
export interface OauthGrantsTable {
  user_id: string
  client_id: string
  /** What the client was called when it was allowed. */
  client_name: string
  /** JSON: resource → scopes; `openid` for those about the person. */
  allowed: string
  created_at: number
  updated_at: number
}

/** What the authorization server keeps for minutes: codes, pushed requests, interactions, device codes. */
export interface OauthRecordsTable {
  model: string
  /** Hex SHA-256 of the secret. */
  hash: string
  /** JSON, sealed under the root key. */
  sealed: string
  /** When a device last asked. */
  polled_at: number | null
  /** Hex SHA-256 of a device's user code. */
  user_code_hash: string | null
  created_at: number
  expires_at: number
  /** Taken, once. */
  consumed_at: number | null
  /** The session that its tokens belong to, once there are any. */
  session_id: string | null
}

/** Programs that are known by name, and that act for nobody but themselves. */
export interface ServicesTable {
  name: string
  /** What it holds and how it is known, as JSON: no secret. */
  definition: string
  created_at: number
  updated_at: number
  /** Null while it may come. */
  disabled_at: number | null
}

export interface ServiceSecretsTable {
  id: string
  service: string
  /** Sealed under the root key: what is signed by it can be checked by nothing less. */
  sealed: string
  created_at: number
  expires_at: number | null
}

/** API keys. Those of one family took over from each other. */
export interface ApiKeysTable {
  /** Public: it stands in the key. */
  id: string
  prefix: string
  /** Hex HMAC-SHA-256 over the whole key. */
  hash: string
  name: string
  owner_type: 'user' | 'service' | 'organisation'
  /** Account id; the service or organisation by name. */
  owner_id: string
  /** JSON list. */
  permissions: string
  /** JSON list; null where it is not measured by scope. */
  scopes: string | null
  /** JSON list of networks; null where it may come from everywhere. */
  addresses: string | null
  limit_count: number | null
  limit_window_ms: number | null
  /** How long each of its family lives; null until it is revoked. */
  lifetime_ms: number | null
  /** How long its predecessors stay good after it took over; null for what the configuration says. */
  overlap_ms: number | null
  expires_at: number | null
  created_at: number
  created_by: string
  /** Its name in the configuration, where the house rotates it by itself. */
  managed: string | null
  /** The id of the first of its family. */
  family_id: string
  /** 1, 2, 3 … within the family. */
  generation: number
  /** The key that was made to take over from it. */
  successor_id: string | null
  /** When its holder first used it; null while it is on trial. The first of a family is on none. */
  proven_at: number | null
  /** When it ends, now that another has taken over. */
  retires_at: number | null
  revoked_at: number | null
  revoked_reason: string | null
}

/** How often a key was used, and when last: written at most once a minute. */
export interface ApiKeyUsesTable {
  key_id: string
  use_count: number
  last_used_at: number
  last_used_address: string | null
}

/** Which node looks after a key that the house keeps in a file. */
export interface ApiKeyLeasesTable {
  /** Of the key in the configuration. */
  name: string
  node: string
  expires_at: number
}

/** Roles that administrators made, beside those of the configuration. */
export interface RolesTable {
  name: string
  /** JSON: what the role holds, inherits, and where it counts. */
  definition: string
  created_at: number
  updated_at: number
}

/** Documents of policies, where the configuration leaves them to administrators. */
export interface PoliciesTable {
  name: string
  /** JSON as it was given; null: there is none yet. */
  document: string | null
  document_at: number | null
  /** The one that is tried out beside it. */
  trial: string | null
  trial_at: number | null
}

/** Addresses and networks that may not come for a while: one row each, whoever blocked it. */
export interface AddressBlocksTable {
  /** CIDR, in its one spelling. */
  network: string
  /** The house, by how often it asked; or an administrator. */
  source: 'rate' | 'administrator'
  reason: string
  created_by: string
  created_at: number
  /** Null: it has no end. */
  expires_at: number | null
  /** When it was lifted before its end; null while it stands. */
  lifted_at: number | null
  /** Which change of this table was its last, over all nodes: 1, 2, 3 … */
  position: number
}
