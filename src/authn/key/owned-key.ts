import { networkList } from '../../kernel/ip.ts'
import type { Database } from '../../store/database.ts'
import type { ApiKeysTable } from '../../store/schema.ts'
import type { Holder } from '../holder.ts'
import { type KeyOwner, type KeyPolicy, policyOf } from './key-record.ts'

/** A key as it is verified: what was kept of it, and what has become of its owner since. */
export interface OwnedKey {
  readonly id: string
  readonly hash: Buffer
  readonly owner: KeyOwner
  /** The keys that took over from each other have one. */
  readonly family: string
  /** Whom it was shown to, by id. */
  readonly madeBy: string
  readonly policy: KeyPolicy
  readonly isRevoked: boolean
  /** Whether its holder has used it: it is the one that counts. */
  readonly isProven: boolean
  /** When it is over, in milliseconds since the epoch. */
  readonly endsAt: number
  /** Of a person who may come in: their roles. Undefined where the account is locked or gone, and for other owners. */
  readonly roles: readonly string[] | undefined
}

/** What a service holds, and from where and how often it may come; undefined for one that is not known, or is turned away. */
export type ServiceOf = (
  name: string,
) => (Pick<Holder, 'roles' | 'permissions'> & Partial<Pick<Holder, 'from' | 'limit'>>) | undefined

/** A key as it was read. Two with the same stamp are the same: only where it is another one has to look into it. */
export interface ReadKey {
  readonly stamp: string
  open(): OwnedKey
}

/** Keys with their owners, in one query. */
export async function readOwned(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, ReadKey>> {
  const rows: readonly OwnedRow[] = await db
    .selectFrom('api_keys')
    .leftJoin('users', (join) =>
      join.onRef('users.id', '=', 'api_keys.owner_id').on('api_keys.owner_type', '=', 'user'),
    )
    .leftJoin('user_roles', 'user_roles.user_id', 'users.id')
    .select(['api_keys.id', 'family_id', 'hash', 'owner_type', 'owner_id', 'permissions', 'scopes', 'addresses'])
    .select(['created_by', 'limit_count', 'limit_window_ms', 'expires_at', 'proven_at', 'retires_at', 'revoked_at'])
    .select(['users.status', 'user_roles.role'])
    .where('api_keys.id', 'in', ids)
    .execute()
  // One row for each role of its owner.
  const gathered = new Map<string, { readonly row: OwnedRow; readonly roles: string[] }>()
  for (const row of rows) {
    const known = gathered.get(row.id)
    const roles = known?.roles ?? []
    if (row.role !== null) roles.push(row.role)
    if (known === undefined) gathered.set(row.id, { row, roles })
  }
  const read = new Map<string, ReadKey>()
  for (const [id, { row, roles }] of gathered)
    read.set(id, { stamp: stampOf(row, roles.sort()), open: () => ownedOf(row, roles) })
  return read
}

/** Nothing that counts is left out of it. */
function stampOf(row: OwnedRow, roles: readonly string[]): string {
  const { role: _one, ...counts } = row
  return JSON.stringify([...Object.values(counts), ...roles])
}

type OwnedRow = Omit<
  ApiKeysTable,
  | 'prefix'
  | 'name'
  | 'lifetime_ms'
  | 'overlap_ms'
  | 'created_at'
  | 'managed'
  | 'generation'
  | 'successor_id'
  | 'revoked_reason'
> & { readonly status: 'active' | 'locked' | null; readonly role: string | null }

function ownedOf(row: OwnedRow, roles: readonly string[]): OwnedKey {
  return {
    id: row.id,
    hash: Buffer.from(row.hash, 'hex'),
    owner: { type: row.owner_type, id: row.owner_id },
    family: row.family_id,
    madeBy: row.created_by,
    policy: policyOf(row),
    isRevoked: row.revoked_at !== null,
    isProven: row.proven_at !== null,
    endsAt: Math.min(row.expires_at ?? Number.POSITIVE_INFINITY, row.retires_at ?? Number.POSITIVE_INFINITY),
    roles: row.owner_type === 'user' && row.status === 'active' ? roles : undefined,
  }
}

/** Why a key is not good, for our own log; undefined where it is, as far as it is itself concerned. */
export function faultOf(key: OwnedKey, nowMs: number): string | undefined {
  if (key.isRevoked) return 'revoked'
  if (key.endsAt <= nowMs) return 'expired, or rotated away'
  if (key.owner.type === 'user' && key.roles === undefined) return 'the account of its owner is locked or gone'
  return undefined
}

/** Whom a good key stands for, and what it lends. `holdings`: of the service that owns it. */
export function holderOf(key: OwnedKey, holdings: ReturnType<ServiceOf>): Holder {
  const { id, owner, family, madeBy, policy } = key
  const { permissions, scopes, addresses, limit } = policy
  const shared = {
    id: owner.id,
    credential: { kind: 'api-key', id },
    scopes,
    // Else a key that renews itself would begin to count anew.
    limit: limit && { ...limit, by: family },
    from: addresses === undefined ? undefined : networkList(addresses),
  } as const
  switch (owner.type) {
    case 'user':
      return {
        ...shared,
        type: 'user',
        roles: key.roles ?? [],
        permissions: [],
        lent: permissions,
        organisation: undefined,
        // Whoever has the machine needs no key to act as anybody; whoever else was shown it is named beside its owner.
        actor: madeBy === owner.id || madeBy === operator ? undefined : madeBy,
      }
    case 'service':
      return {
        ...shared,
        type: 'service',
        roles: holdings?.roles ?? [],
        permissions: holdings?.permissions ?? [],
        lent: permissions,
        organisation: undefined,
        // It opens nothing to the service from where, or more often than, the service may come.
        limit: shared.limit === undefined ? holdings?.limit : { ...shared.limit, within: holdings?.limit },
        from: both(shared.from, holdings?.from),
      }
    case 'organisation':
      // It holds nothing but by its keys: what a key says is what it has, be it by permission or by scope.
      return {
        ...shared,
        type: 'service',
        roles: [],
        permissions: scopes === undefined ? permissions : ['*'],
        lent: permissions,
        organisation: owner.id,
      }
  }
}

/** As whom commands make keys. */
const operator = 'operator'

type AddressRule = Holder['from']

function both(one: AddressRule, other: AddressRule): AddressRule {
  return one === undefined || other === undefined ? (one ?? other) : (address) => one(address) && other(address)
}
