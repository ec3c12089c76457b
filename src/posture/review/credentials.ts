import { sql } from 'kysely'
import type { DataFacts, MachineFacts } from '../facts.ts'
import { livingKeys } from '../look-into-store.ts'
import { dayMs, spanText } from '../spans.ts'
import type { ReviewStore } from './count.ts'
import { type Section, section } from './document.ts'

const shownMax = 100
const unusedMs = 90 * dayMs
/** A key, or a secret, that is older is due. */
const dueMs = 180 * dayMs
const certificateMs = 30 * dayMs

/** What should be renewed or taken back. */
export async function rotation(store: ReviewStore, machine: MachineFacts | undefined, now: number): Promise<Section> {
  const { db } = store
  const keys = await livingKeys(db, now)
    .select(['api_keys.id', 'name', 'owner_type', 'owner_id', 'created_at', 'expires_at', 'last_used_at'])
    .where((is) =>
      is.or([
        is('expires_at', 'is', null),
        is('created_at', '<', now - dueMs),
        is(sql<number>`coalesce(last_used_at, created_at)`, '<', now - unusedMs),
      ]),
    )
    .orderBy('created_at')
    .limit(shownMax)
    .execute()
  const services = await db
    .selectFrom('service_secrets')
    .select(['service', 'created_at'])
    .where('created_at', '<', now - dueMs)
    .orderBy('created_at')
    .limit(shownMax)
    .execute()
  const clients = await db
    .selectFrom('oauth_client_secrets')
    .select(['client_id', 'created_at'])
    .where('created_at', '<', now - dueMs)
    .where((is) => is.or([is('expires_at', 'is', null), is('expires_at', '>', now)]))
    .orderBy('created_at')
    .limit(shownMax)
    .execute()
  const signing = await db
    .selectFrom('signing_keys')
    .select(['kid', 'algorithm', 'active_from', 'verifies_until'])
    .where('removed_at', 'is', null)
    .where((is) => is.or([is('verifies_until', 'is', null), is('verifies_until', '>', now)]))
    .orderBy('active_from')
    .limit(shownMax)
    .execute()
  const age = (at: number | null): string => (at === null ? 'never' : `${spanText(Math.max(0, now - Number(at)))} ago`)
  return section('rotation', 'Keys and credentials', {
    notes: [
      'As they are when the review is made. Due is a key or a secret of more than 180 days, a key without an end or unused for 90 days, and a certificate that ends within 30 days. At most 100 of each are listed. Secrets that the configuration names are not in the store, and not here.',
    ],
    figures: [
      { name: 'API keys that are due', now: keys.length },
      { name: 'secrets that are due', now: services.length + clients.length },
    ],
    tables: [
      {
        title: 'API keys that are due',
        columns: ['key', 'name', 'owner', 'why', 'made', 'last used'],
        rows: keys.map(({ id, name, owner_type, owner_id, created_at, expires_at, last_used_at }) => [
          id,
          name,
          `${owner_type} ${owner_id}`,
          [
            ...(expires_at === null ? ['no end'] : []),
            ...(Number(created_at) < now - dueMs ? ['old'] : []),
            ...(Number(last_used_at ?? created_at) < now - unusedMs ? ['unused'] : []),
          ].join(', '),
          age(created_at),
          age(last_used_at),
        ]),
        empty: 'None.',
      },
      {
        title: 'Secrets that are due',
        columns: ['whose', 'made'],
        rows: [
          ...services.map(({ service, created_at }) => [`service ${service}`, age(created_at)]),
          ...clients.map(({ client_id, created_at }) => [`client ${client_id}`, age(created_at)]),
        ],
        empty: 'None.',
      },
      {
        title: 'Signing keys',
        columns: ['key', 'algorithm', 'signs since', 'verifies until'],
        rows: signing.map(({ kid, algorithm, active_from, verifies_until }) => [
          kid,
          algorithm,
          new Date(Number(active_from)).toISOString(),
          verifies_until === null ? '' : new Date(Number(verifies_until)).toISOString(),
        ]),
        empty: 'None lies in the store: the secret stands in the configuration.',
      },
      {
        title: 'TLS certificates',
        columns: ['file', 'ends', 'due'],
        rows: (machine?.certificates ?? []).map(({ path, validTo }) => [
          path,
          validTo === undefined ? 'cannot be read' : new Date(validTo).toISOString(),
          validTo === undefined || validTo < now + certificateMs ? 'yes' : 'no',
        ]),
        empty: 'TLS ends elsewhere, or nowhere.',
      },
    ],
  })
}

/** What vouches for all of it. */
export async function record(store: ReviewStore, { record }: DataFacts): Promise<Section> {
  const problems = await store.db
    .selectFrom('audit_followers')
    .select(['name', 'failures', 'problem'])
    .where('failures', '>', 0)
    .limit(100)
    .execute()
  const why = new Map(problems.map(({ name, failures, problem }) => [name, `${failures} times: ${problem ?? ''}`]))
  const { events, outbox, checkpoint, gaps, followers } = record
  return section('record', 'The record itself', {
    notes: [
      'A signed checkpoint says what the chain was when it was signed. That it still is so is found by `gatehouse audit verify`, which the review does not run.',
    ],
    figures: [
      { name: 'events', now: events },
      { name: 'wait to be chained', now: outbox },
      { name: 'under a signed checkpoint', now: checkpoint?.size ?? 0 },
      { name: 'signed', now: checkpoint === undefined ? 'never' : new Date(checkpoint.at).toISOString() },
      { name: 'gaps in the last 30 days', now: gaps },
    ],
    tables: [
      {
        title: 'Who reads along',
        columns: ['name', 'events behind', 'failing since', 'problem'],
        rows: followers.map(({ name, behind, failingSince }) => [
          name,
          behind,
          failingSince === undefined ? '' : new Date(failingSince).toISOString(),
          why.get(name) ?? '',
        ]),
        empty: 'Nobody: no sink is configured.',
      },
    ],
  })
}
