import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { ApiKeysTable, ApiKeyUsesTable, Schema } from '../../store/schema.ts'
import type { OwnLimit } from '../holder.ts'

/** Whose a key is: an account by its id, a service or an organisation by its name. */
export interface KeyOwner {
  readonly type: ApiKeysTable['owner_type']
  readonly id: string
}

/** What a key lends, and to whom. */
export interface KeyPolicy {
  readonly permissions: readonly string[]
  /** Undefined where the key is not measured by scope. */
  readonly scopes: readonly string[] | undefined
  /** Networks that it may come from; undefined: from everywhere. */
  readonly addresses: readonly string[] | undefined
  /** How often it may be used, over and above the limits of the routes. */
  readonly limit: OwnLimit | undefined
}

/**
 * `on-trial`: made to take over, and not used yet; `retiring`: another has taken over, and this one is good for a while.
 * The last three are over.
 */
export type KeyState = 'active' | 'on-trial' | 'retiring' | 'retired' | 'expired' | 'revoked'

/** A key as its owner may see it: all but the key. Times are milliseconds since the epoch. */
export interface KeyView extends KeyPolicy {
  readonly id: string
  /** What it begins with. */
  readonly prefix: string
  readonly name: string
  readonly owner: KeyOwner
  readonly state: KeyState
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number | undefined
  /** The keys that took over from each other have one. */
  readonly family: string
  readonly generation: number
  /** The key that is to take over, or has. */
  readonly successor: string | undefined
  readonly retiresAt: number | undefined
  /** Its name in the configuration, where the house rotates it by itself. */
  readonly managed: string | undefined
  readonly revokedAt: number | undefined
  readonly revokedReason: string | undefined
  readonly useCount: number
  readonly lastUsedAt: number | undefined
  readonly lastUsedAddress: string | undefined
}

/** A key, with its text, which is shown this once. */
export interface MadeKey {
  readonly view: KeyView
  readonly text: string
}

/** A key with how it was used, as the store has it. */
export type KeyRow = ApiKeysTable & {
  readonly [Column in keyof Omit<ApiKeyUsesTable, 'key_id'>]: ApiKeyUsesTable[Column] | null
}

/** Keys beside how they were used. */
export function selectKeys(db: Database) {
  return db
    .selectFrom('api_keys')
    .leftJoin('api_key_uses', 'api_key_uses.key_id', 'api_keys.id')
    .selectAll('api_keys')
    .select(['use_count', 'last_used_at', 'last_used_address'])
}

export function viewOf(row: KeyRow, nowMs: number): KeyView {
  return {
    ...policyOf(row),
    id: row.id,
    prefix: row.prefix,
    name: row.name,
    owner: { type: row.owner_type, id: row.owner_id },
    state: stateOf(row, nowMs),
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    family: row.family_id,
    generation: row.generation,
    successor: row.successor_id ?? undefined,
    retiresAt: row.retires_at ?? undefined,
    managed: row.managed ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    revokedReason: row.revoked_reason ?? undefined,
    useCount: row.use_count ?? 0,
    lastUsedAt: row.last_used_at ?? undefined,
    lastUsedAddress: row.last_used_address ?? undefined,
  }
}

type PolicyColumns = Pick<ApiKeysTable, 'permissions' | 'scopes' | 'addresses' | 'limit_count' | 'limit_window_ms'>

export function policyOf(row: PolicyColumns): KeyPolicy {
  return {
    permissions: JSON.parse(row.permissions) as string[],
    scopes: row.scopes === null ? undefined : (JSON.parse(row.scopes) as string[]),
    addresses: row.addresses === null ? undefined : (JSON.parse(row.addresses) as string[]),
    limit:
      row.limit_count === null || row.limit_window_ms === null
        ? undefined
        : { limit: row.limit_count, windowMs: row.limit_window_ms },
  }
}

export function policyColumns({ permissions, scopes, addresses, limit }: KeyPolicy): PolicyColumns {
  return {
    permissions: JSON.stringify(permissions),
    scopes: scopes === undefined ? null : JSON.stringify(scopes),
    addresses: addresses === undefined ? null : JSON.stringify(addresses),
    limit_count: limit?.limit ?? null,
    limit_window_ms: limit?.windowMs ?? null,
  }
}

type EndColumns = Pick<ApiKeysTable, 'expires_at' | 'proven_at' | 'retires_at' | 'revoked_at'>

function stateOf(row: EndColumns, nowMs: number): KeyState {
  if (row.revoked_at !== null) return 'revoked'
  if (row.expires_at !== null && row.expires_at <= nowMs) return 'expired'
  if (row.retires_at !== null) return row.retires_at <= nowMs ? 'retired' : 'retiring'
  return row.proven_at === null ? 'on-trial' : 'active'
}

/** Whether a key of this state is good. */
export function isLiving(state: KeyState): boolean {
  return state === 'active' || state === 'on-trial' || state === 'retiring'
}

/** Good at a moment: neither revoked nor run out nor retired. */
export function living(is: ExpressionBuilder<Schema, 'api_keys'>, nowMs: number): Expression<SqlBool> {
  return is.and([
    is('revoked_at', 'is', null),
    is.or([is('expires_at', 'is', null), is('expires_at', '>', nowMs)]),
    is.or([is('retires_at', 'is', null), is('retires_at', '>', nowMs)]),
  ])
}
