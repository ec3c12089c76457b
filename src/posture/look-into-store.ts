import { type ExpressionBuilder, sql } from 'kysely'
import { lastScrub } from '../audit/verify/scrubber.ts'
import type { Database } from '../store/database.ts'
import type { Schema } from '../store/schema.ts'
import { administrativeRoles } from './administrative.ts'
import type { Configuration, DataFacts } from './facts.ts'
import { dayMs, minuteMs } from './spans.ts'

const unusedMs = 90 * dayMs
const oldMs = 366 * dayMs
/** How many of a kind are named. */
const namedMax = 20

/** Counts what lies in the store. Questions by index or over small tables alone: it may be asked while the house serves. */
export async function lookIntoStore(db: Database, settings: Configuration, now: number): Promise<DataFacts> {
  return {
    accounts: await accountsIn(db, now),
    administrators: await administratorsIn(db, settings, now),
    keys: await keysIn(db, now),
    signingKeys: await signingKeysIn(db, now),
    oldSecrets: await oldSecretsIn(db, now),
    clients: await clientsIn(db, now),
    record: await recordIn(db, now),
    letters: await lettersIn(db),
    incidents: await incidentsIn(db),
    alerts: await alertsIn(db, now),
    reviewAt: await lastReviewIn(db),
  }
}

/** Whether somebody has what they prove themselves by beside a password. */
export function hasSecondFactor(is: ExpressionBuilder<Schema, 'users'>) {
  return is.or([
    is.exists(
      is
        .selectFrom('totp')
        .select('totp.user_id')
        .whereRef('totp.user_id', '=', 'users.id')
        .where('confirmed_at', 'is not', null),
    ),
    is.exists(is.selectFrom('passkeys').select('passkeys.id').whereRef('passkeys.user_id', '=', 'users.id')),
  ])
}

/** Keys that are good now. */
export function livingKeys(db: Database, now: number) {
  return db
    .selectFrom('api_keys')
    .leftJoin('api_key_uses', 'api_key_uses.key_id', 'api_keys.id')
    .where('revoked_at', 'is', null)
    .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
    .where((is) => is.or([is('retires_at', 'is', null), is('retires_at', '>', now)]))
}

async function accountsIn(db: Database, now: number): Promise<DataFacts['accounts']> {
  const users = () => db.selectFrom('users').select((is) => is.fn.countAll<number>().as('count'))
  const unused = () =>
    db
      .selectFrom('users')
      .where('status', '=', 'active')
      .where(lastSeen, '<', now - unusedMs)
  return {
    all: await count(users()),
    locked: await count(users().where('status', '=', 'locked')),
    withSecondFactor: await count(users().where(hasSecondFactor)),
    neverSignedIn: await count(users().where('last_sign_in_at', 'is', null)),
    unusedFor90Days: await count(unused().select((is) => is.fn.countAll<number>().as('count'))),
    unused: await ids(unused().select('id').orderBy(lastSeen).orderBy('id').limit(namedMax)),
    weakHashes: await count(
      users().where('password_hash', 'is not', null).where('password_hash', 'not like', '$argon2id$%'),
    ),
    unverified: await count(users().where('email_verified_at', 'is', null)),
  }
}

/** When somebody last signed in, or got the account. */
const lastSeen = sql<number>`coalesce(last_sign_in_at, created_at)`

async function administratorsIn(
  db: Database,
  settings: Configuration,
  now: number,
): Promise<DataFacts['administrators']> {
  const roles = await administrativeRoles(db, settings)
  const people = () =>
    db
      .selectFrom('users')
      .where('status', '=', 'active')
      .where((is) =>
        is.exists(
          is
            .selectFrom('user_roles')
            .select('user_roles.role')
            .whereRef('user_roles.user_id', '=', 'users.id')
            .where('user_roles.role', 'in', roles),
        ),
      )
  const named = () => people().select('users.id').orderBy('users.id').limit(namedMax)
  return {
    all: await count(people().select((is) => is.fn.countAll<number>().as('count'))),
    withoutSecondFactor: await ids(named().where((is) => is.not(hasSecondFactor(is)))),
    neverSignedIn: await ids(named().where('last_sign_in_at', 'is', null)),
    unusedFor90Days: await ids(named().where(lastSeen, '<', now - unusedMs)),
  }
}

async function keysIn(db: Database, now: number): Promise<DataFacts['keys']> {
  const named = () => livingKeys(db, now).select('api_keys.id').orderBy('api_keys.id').limit(namedMax)
  return {
    living: await count(livingKeys(db, now).select((is) => is.fn.countAll<number>().as('count'))),
    withoutExpiry: await ids(named().where('expires_at', 'is', null)),
    ownerless: await ids(
      named()
        .where('owner_type', '=', 'user')
        .where((is) =>
          is.not(
            is.exists(
              is
                .selectFrom('users')
                .select('users.id')
                .whereRef('users.id', '=', 'api_keys.owner_id')
                .where('users.status', '=', 'active'),
            ),
          ),
        ),
    ),
    unusedFor90Days: await ids(named().where(sql<number>`coalesce(last_used_at, created_at)`, '<', now - unusedMs)),
    olderThanAYear: await ids(named().where('created_at', '<', now - oldMs)),
    allPowerful: await ids(named().where('permissions', 'like', '%"*"%')),
  }
}

async function signingKeysIn(db: Database, now: number): Promise<DataFacts['signingKeys']> {
  const row = await db
    .selectFrom('signing_keys')
    .select((is) => [is.fn.countAll<number>().as('living'), is.fn.min('active_from').as('oldest')])
    .where('removed_at', 'is', null)
    .where((is) => is.or([is('verifies_until', 'is', null), is('verifies_until', '>', now)]))
    .executeTakeFirst()
  return { living: Number(row?.living ?? 0), oldestActiveFrom: given(row?.oldest) }
}

async function oldSecretsIn(db: Database, now: number): Promise<readonly string[]> {
  const services = await db
    .selectFrom('service_secrets')
    .select('service')
    .distinct()
    .where('created_at', '<', now - oldMs)
    .orderBy('service')
    .limit(namedMax)
    .execute()
  const clients = await db
    .selectFrom('oauth_client_secrets')
    .select('client_id')
    .distinct()
    .where('created_at', '<', now - oldMs)
    .orderBy('client_id')
    .limit(namedMax)
    .execute()
  return [
    ...services.map(({ service }) => `service ${service}`),
    ...clients.map(({ client_id }) => `client ${client_id}`),
  ]
}

/** A client that acts for itself alone is granted nothing by people. */
async function clientsIn(db: Database, now: number): Promise<DataFacts['clients']> {
  const all = () => db.selectFrom('oauth_clients').select((is) => is.fn.countAll<number>().as('count'))
  return {
    all: await count(all()),
    unused: await count(
      all()
        .where('disabled_at', 'is', null)
        .where('created_at', '<', now - unusedMs)
        .where('metadata', 'not like', '%client_credentials%')
        .where((is) =>
          is.not(
            is.exists(
              is
                .selectFrom('oauth_grants')
                .select('user_id')
                .whereRef('oauth_grants.client_id', '=', 'oauth_clients.id'),
            ),
          ),
        ),
    ),
  }
}

async function recordIn(db: Database, now: number): Promise<DataFacts['record']> {
  const head = await db.selectFrom('audit_head').select('seq').where('name', '=', 'head').executeTakeFirst()
  const events = Number(head?.seq ?? 0)
  const end = (direction: 'asc' | 'desc') =>
    db.selectFrom('audit_events').select('at').orderBy('seq', direction).limit(1).executeTakeFirst()
  const checkpoint = await db
    .selectFrom('audit_checkpoints')
    .select(['size', 'at'])
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  const followers = await db
    .selectFrom('audit_followers')
    .select(['name', 'seq', 'failing_since'])
    .orderBy('name')
    .limit(100)
    .execute()
  return {
    events,
    firstAt: given((await end('asc'))?.at),
    lastAt: given((await end('desc'))?.at),
    outbox: await count(db.selectFrom('audit_outbox').select((is) => is.fn.countAll<number>().as('count'))),
    checkpoint: checkpoint && { size: Number(checkpoint.size), at: Number(checkpoint.at) },
    scrub: await lastScrub(db),
    gaps: await count(
      db
        .selectFrom('audit_events')
        .select((is) => is.fn.countAll<number>().as('count'))
        .where('type', '=', 'system')
        .where('at', '>', now - 30 * dayMs)
        .where('action', '=', 'audit-gap'),
    ),
    followers: followers.map(({ name, seq, failing_since }) => ({
      name,
      behind: Math.max(0, events - Number(seq)),
      failingSince: given(failing_since),
    })),
  }
}

async function lettersIn(db: Database): Promise<DataFacts['letters']> {
  const waiting = await db
    .selectFrom('mail_outbox')
    .select((is) => [is.fn.countAll<number>().as('count'), is.fn.min('created_at').as('oldest')])
    .where('given_up_at', 'is', null)
    .executeTakeFirst()
  return {
    waiting: Number(waiting?.count ?? 0),
    oldestAt: given(waiting?.oldest),
    givenUp: await count(
      db
        .selectFrom('mail_outbox')
        .select((is) => is.fn.countAll<number>().as('count'))
        .where('given_up_at', 'is not', null),
    ),
  }
}

async function incidentsIn(db: Database): Promise<DataFacts['incidents']> {
  const open = await count(
    db
      .selectFrom('incidents')
      .select((is) => is.fn.countAll<number>().as('count'))
      .where('status', '!=', 'resolved'),
  )
  const active = await db
    .selectFrom('incidents')
    .select((is) => [is.fn.countAll<number>().as('count'), is.fn.min('detected_at').as('oldest')])
    .where('status', '=', 'active')
    .executeTakeFirst()
  return { open, unacknowledged: Number(active?.count ?? 0), oldestUnacknowledgedAt: given(active?.oldest) }
}

async function alertsIn(db: Database, now: number): Promise<DataFacts['alerts']> {
  const alerts = () => db.selectFrom('alerts').select((is) => is.fn.countAll<number>().as('count'))
  return {
    givenUp: await count(alerts().where('given_up_at', '>', now - 30 * dayMs)),
    late: await count(
      alerts()
        .where('sent_at', 'is', null)
        .where('given_up_at', 'is', null)
        .where('tries', '>', 0)
        .where('due_at', '<', now - 15 * minuteMs),
    ),
  }
}

async function lastReviewIn(db: Database): Promise<number | undefined> {
  const row = await db
    .selectFrom('audit_events')
    .select('at')
    .where('type', '=', 'data_access')
    .where('action', '=', 'review.make')
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return given(row?.at)
}

async function count(query: { executeTakeFirst(): Promise<{ readonly count: number } | undefined> }): Promise<number> {
  return Number((await query.executeTakeFirst())?.count ?? 0)
}

async function ids(query: { execute(): Promise<readonly { readonly id: string }[]> }): Promise<readonly string[]> {
  return (await query.execute()).map(({ id }) => id)
}

function given(value: number | string | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}
