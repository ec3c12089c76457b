/**
 * The tables, as Kysely sees them. Times are milliseconds since the epoch on both databases; JSON is text and is
 * parsed where it is read, so that SQLite and PostgreSQL answer alike.
 */
export interface Schema {
  house: HouseTable
  users: UsersTable
  user_roles: UserRolesTable
  sessions: SessionsTable
  signing_keys: SigningKeysTable
  audit_events: AuditEventsTable
  audit_outbox: AuditOutboxTable
  audit_head: AuditHeadTable
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
}

export interface UserRolesTable {
  user_id: string
  role: string
}

/** One sign-in, and so one family of refresh tokens: the row itself is the family's living branch. */
export interface SessionsTable {
  id: string
  user_id: string
  /** How often its refresh token was rotated. */
  generation: number
  /** SHA-256 of the living refresh token's secret. */
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
}

/** The chain. Columns other than `body` and `hash` repeat what the body says, for search. */
export interface AuditEventsTable {
  /** 1, 2, 3 … without a gap. */
  seq: number
  id: string
  at: number
  type: string
  action: string
  actor: string
  result: string
  address: string
  request_id: string
  /** The event in canonical form (RFC 8785): what the hash covers. */
  body: string
  /** Hex SHA-256 over the hash before it and the body. */
  hash: string
}

/** Events that were made durable with the change they tell of, and wait to be chained. */
export interface AuditOutboxTable {
  position: import('kysely').Generated<number>
  body: string
}

/** The last link, as one row: a chain that is cut short does not reach it. */
export interface AuditHeadTable {
  name: 'head'
  seq: number
  hash: string
}
