import type { Generated } from 'kysely'

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
  resource_type: string
  /** The id of the resource. */
  resource: string
  /** The event in canonical form (RFC 8785): what the hash covers. */
  body: string
  /** Hex SHA-256 over the hash before it and the body. */
  hash: string
}

/** Events that were made durable with the change they tell of, and wait to be chained. */
export interface AuditOutboxTable {
  position: Generated<number>
  body: string
}

/** The last link, as one row: a chain that is cut short does not reach it. */
export interface AuditHeadTable {
  name: 'head'
  seq: number
  hash: string
}

/** Hashes of complete subtrees of the Merkle tree over all events (RFC 9162 §2.1): of 256 events, of 65,536 and so on. */
export interface AuditTreeTable {
  /** 8, 16, 24 …: such a subtree has two to the power of it many leaves. */
  level: number
  /** Which of its level, from 0. */
  position: number
  /** Hex. */
  hash: string
}

/** What was signed of the chain as it stood at a moment. */
export interface AuditCheckpointsTable {
  /** How many events it covers. */
  size: number
  at: number
  /** Hex: the root of the Merkle tree over those events. */
  root: string
  /** Hex: the hash of the chain after the last of them. */
  hash: string
  /** The signed text, whole: what is shown to third parties. */
  note: string
}

/** Who reads the chain from its beginning to its end, event by event, and how far they are. Of many nodes one reads at a time. */
export interface AuditFollowersTable {
  name: string
  /** The last event that it is done with. */
  seq: number
  /** Who reads for it, '' where nobody does. `beat` grows for as long as they live. */
  holder: string
  beat: number
  /** How often in a row it failed, since when, and why it did last. */
  failures: number
  failing_since: number | null
  problem: string | null
  /** When it was said in the record that it fails; null again once it was said that it does not any more. */
  lost_at: number | null
  updated_at: number
}

/** Events that a follower's other side refused for good, and that it went past, because the operator wants it so. */
export interface AuditParkedTable {
  follower: string
  seq: number
  at: number
  problem: string
}

/** A key for the data of one person and one purpose, sealed under the root key. Whoever destroys it has destroyed the data. */
export interface DataKeysTable {
  /** An account id; '' for what is nobody's. */
  subject: string
  purpose: string
  /** Null once it was destroyed: no other takes its place. */
  wrapped: string | null
  created_at: number
  destroyed_at: number | null
}
