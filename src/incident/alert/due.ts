import { sql } from 'kysely'
import type { Database } from '../../store/database.ts'
import type { AlertsTable } from '../../store/schema-incidents.ts'

export type DueAlert = Pick<AlertsTable, 'id' | 'incident_id' | 'occasion' | 'content' | 'tries' | 'first_due_at'>

/**
 * The alerts of a channel that are due, in the order in which they came to be. A clock that jumps back does not put them off: what waits
 * for longer than any pause is due, and so is what was due at once. What takes a call back comes after the call, and what calls again after that.
 */
export function dueAlerts(db: Database, channel: string, now: number, limit: number): Promise<readonly DueAlert[]> {
  return db
    .selectFrom('alerts')
    .select(['id', 'incident_id', 'occasion', 'content', 'tries', 'first_due_at'])
    .where('channel', '=', channel)
    .where('sent_at', 'is', null)
    .where('given_up_at', 'is', null)
    .where((is) =>
      is.or([
        is('due_at', '<=', now),
        is.and([is('tries', '>', 0), is('due_at', '>', now + pauseEverMs)]),
        is.and([is('tries', '=', 0), is('occasion', 'not like', 'escalated %')]),
      ]),
    )
    .where((is) =>
      is.or([
        is.and(['resolved %', 'acknowledged %', 'reopened %'].map((one) => is('occasion', 'not like', one))),
        is.not(
          is.exists((of: typeof is) =>
            of
              .selectFrom('alerts as earlier')
              .select('earlier.id')
              .whereRef('earlier.incident_id', '=', 'alerts.incident_id')
              .whereRef('earlier.channel', '=', 'alerts.channel')
              .whereRef('earlier.version', '<', 'alerts.version')
              .where('earlier.sent_at', 'is', null)
              .where('earlier.given_up_at', 'is', null)
              .where('earlier.tries', '>', 0),
          ),
        ),
      ]),
    )
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** How many messages that call somebody were tried lately: what the other side has seen. */
export async function triedWithin(db: Database, channel: string, now: number, ms: number): Promise<number> {
  const { messages } = await db
    .selectFrom('alerts')
    .select(sql<number>`count(distinct message)`.as('messages'))
    .where('channel', '=', channel)
    .where('tried_at', '>', now - ms)
    .where('tried_at', '<=', now) // what lies ahead was written before the clock jumped back
    .where('occasion', 'not like', 'resolved %')
    .where('occasion', 'not like', 'acknowledged %')
    .executeTakeFirstOrThrow()
  return Number(messages)
}

/** More than any lease and any pause. */
const pauseEverMs = 660_000
