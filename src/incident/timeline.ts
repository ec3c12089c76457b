import type { Details } from '../audit/event.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../store/database.ts'
import { entryOf, type NewEntry, type TimelineEntry } from './incident.ts'

/** Characters of one entry. */
export const textMax = 4_000

/**
 * What happened in an incident, in its order. Whoever writes holds the incident's row until their transaction ends: of two
 * who write at one moment, the second waits for its place.
 */
export class Timeline {
  readonly #clock: Clock

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** Writes an entry. Answers false where there is no such incident. */
  async add(trx: Database, incidentId: string, { actor, kind, text, details }: NewEntry): Promise<boolean> {
    const held = await trx
      .updateTable('incidents')
      .set((row) => ({ entries: row('entries', '+', 1) }))
      .where('id', '=', incidentId)
      .returning('entries')
      .executeTakeFirst()
    if (held === undefined) return false
    await trx
      .insertInto('incident_entries')
      .values({
        incident_id: incidentId,
        position: held.entries,
        at: this.#clock.now(),
        actor,
        kind,
        text: plain(text).slice(0, textMax).toWellFormed(),
        details: JSON.stringify(details),
      })
      .execute()
    return true
  }

  /** Writes that more of the same came; where that was the last that happened, it stays one entry. The row is held. */
  async joined(trx: Database, incidentId: string, lastPosition: number, lastAt: number): Promise<void> {
    const last = await trx
      .selectFrom('incident_entries')
      .selectAll()
      .where('incident_id', '=', incidentId)
      .where('position', '=', lastPosition)
      .executeTakeFirst()
    const before = last?.kind === 'joined' ? (JSON.parse(last.details) as Details) : undefined
    const times = Number(before?.['times'] ?? 0) + 1
    const details = { last_at: new Date(lastAt).toISOString(), times }
    const text = times === 1 ? 'the same was found again' : `the same was found again ${times} times`
    if (before === undefined) {
      await this.add(trx, incidentId, { actor: 'gatehouse', kind: 'joined', text, details })
      return
    }
    await trx
      .updateTable('incident_entries')
      .set({ text, details: JSON.stringify(details) })
      .where('incident_id', '=', incidentId)
      .where('position', '=', lastPosition)
      .execute()
  }

  /** In order, after a position, so many at most. */
  async page(db: Database, incidentId: string, after: number, limit: number): Promise<readonly TimelineEntry[]> {
    const rows = await db
      .selectFrom('incident_entries')
      .selectAll()
      .where('incident_id', '=', incidentId)
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(entryOf)
  }
}

/** PostgreSQL stores no U+0000. */
export function plain(text: string): string {
  return text.replaceAll('\0', '\ufffd')
}
