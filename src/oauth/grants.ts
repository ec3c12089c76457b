import { hash } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Database } from '../store/database.ts'
import type { OauthGrantsTable } from '../store/schema.ts'
import type { Asked } from './client-book.ts'

/** What a person has allowed a client. */
export interface Grant {
  /**
   * A short name for it, the same every time and for everybody: a client id can be an address, and no path of ours holds an
   * encoded slash.
   */
  readonly handle: string
  readonly clientId: string
  /** What the client was called when it was allowed last. */
  readonly clientName: string
  readonly allowed: Asked
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface NewGrant {
  readonly userId: string
  readonly clientId: string
  readonly clientName: string
  readonly allowed: Asked
}

/** Applications that one person can have allowed at a time, and scopes of one of them. */
export const grantsMax = 200
export const grantScopesMax = 100

/**
 * What people have allowed the programs of others: one row for a person and a client. A client gets no tokens for a person
 * without it, so whoever adds to one, takes one away or reads one to act on it holds the account first (`hold`).
 */
export class Grants {
  readonly #clock: Clock

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** Adds to what the client may, and answers whether it may more than before; refused beyond the bounds. */
  async allow(
    trx: Database,
    { userId, clientId, clientName, allowed }: NewGrant,
  ): Promise<{ readonly isNew: boolean } | Refusal> {
    const before = await this.find(trx, userId, clientId)
    if (before === undefined && (await this.#count(trx, userId)) >= grantsMax) return tooManyClients
    const merged = union(before?.allowed ?? {}, allowed)
    if (scopeCount(merged) > grantScopesMax) return tooManyScopes
    const now = this.#clock.now()
    const said = { client_name: clientName, allowed: JSON.stringify(merged), updated_at: now }
    await trx
      .insertInto('oauth_grants')
      .values({ user_id: userId, client_id: clientId, created_at: now, ...said })
      .onConflict((conflict) => conflict.columns(['user_id', 'client_id']).doUpdateSet(said))
      .execute()
    return { isNew: before === undefined || scopeCount(merged) > scopeCount(before.allowed) }
  }

  /** What a person has allowed, by the names of the clients. */
  async of(db: Database, userId: string): Promise<readonly Grant[]> {
    const rows = await db
      .selectFrom('oauth_grants')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('client_name')
      .orderBy('client_id')
      .execute()
    return rows.map(grantOf)
  }

  async find(db: Database, userId: string, clientId: string): Promise<Grant | undefined> {
    const row = await db
      .selectFrom('oauth_grants')
      .selectAll()
      .where('user_id', '=', userId)
      .where('client_id', '=', clientId)
      .executeTakeFirst()
    return row && grantOf(row)
  }

  /** When a client last gave a sign of life for a person, by client; of those whose sessions are remembered. */
  async lastUses(db: Database, userId: string): Promise<ReadonlyMap<string, number>> {
    const rows = await db
      .selectFrom('sessions')
      .select((is) => ['client_id', is.fn.max('seen_at').as('seen_at')])
      .where('user_id', '=', userId)
      .where('client_id', 'is not', null)
      .groupBy('client_id')
      .execute()
    return new Map(rows.map(({ client_id, seen_at }) => [client_id ?? '', Number(seen_at)]))
  }

  /** Takes back what a person has allowed a client. Answers whether there was anything. */
  async withdraw(trx: Database, userId: string, clientId: string): Promise<boolean> {
    const gone = await trx
      .deleteFrom('oauth_grants')
      .where('user_id', '=', userId)
      .where('client_id', '=', clientId)
      .returning('client_id')
      .executeTakeFirst()
    return gone !== undefined
  }

  /** Forgets what anybody has allowed a client that is no more; answers how many had. */
  async removeClient(trx: Database, clientId: string): Promise<number> {
    const { numDeletedRows } = await trx.deleteFrom('oauth_grants').where('client_id', '=', clientId).executeTakeFirst()
    return Number(numDeletedRows)
  }

  async #count(trx: Database, userId: string): Promise<number> {
    const { count } = await trx
      .selectFrom('oauth_grants')
      .select((is) => is.fn.countAll().as('count'))
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return Number(count)
  }
}

/** Whether a grant still holds what somebody was given by it before: it may have been withdrawn, and given anew for less. */
export function stillAllows(
  grant: Grant | undefined,
  { scopes, resources }: { readonly scopes: readonly string[]; readonly resources: readonly string[] },
): boolean {
  if (grant === undefined) return false
  const held = new Set(['openid', ...resources].flatMap((place) => grant.allowed[place] ?? []))
  return scopes.every((scope) => held.has(scope))
}

function union(before: Asked, more: Asked): Asked {
  const places = new Map(Object.entries(before))
  for (const [place, scopes] of Object.entries(more)) {
    if (scopes.length > 0) places.set(place, [...new Set([...(places.get(place) ?? []), ...scopes])])
  }
  return Object.fromEntries(places)
}

function scopeCount(allowed: Asked): number {
  return Object.values(allowed).flat().length
}

function grantOf(row: OauthGrantsTable): Grant {
  return {
    handle: hash('sha256', row.client_id, 'base64url').slice(0, 22), // 132 bits
    clientId: row.client_id,
    clientName: row.client_name,
    allowed: JSON.parse(row.allowed) as Asked,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

const tooManyClients = refuse('conflict', {
  detail: `A person can have allowed ${grantsMax} applications at a time: withdraw one first`,
})
const tooManyScopes = refuse('conflict', {
  detail: `An application can be allowed ${grantScopesMax} scopes: withdraw what it has first`,
})
