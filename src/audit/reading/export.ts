import type { Database } from '../../store/database.ts'
import type { ChainedEvent } from '../follow/follower.ts'
import type { EventReader } from '../sealer.ts'
import { csvHead, csvLine } from './csv.ts'
import type { RecordFilter } from './filter.ts'
import { ocsfLine } from './ocsf.ts'
import { opened, partsOf, type StoredEvent } from './search.ts'

export type ExportFormat = (typeof exportFormats)[number]

export const exportFormats = ['jsonl', 'csv', 'ocsf'] as const

export interface Exported {
  readonly text: string
  /** Events in this piece. */
  readonly events: number
}

/** The number of the last event; 0 where there is none. */
export async function lastSeq(db: Database): Promise<number> {
  const last = await db.selectFrom('audit_events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  return last?.seq ?? 0
}

/**
 * The events that fit a filter, up to number `until`, as text, piece by piece: 500 events are in memory at a time. All of the
 * record comes in the order of the chain, a part of it in the order of time.
 */
export async function* exportRecord(
  db: Database,
  sealer: EventReader,
  filter: RecordFilter,
  { format, until, version }: { readonly format: ExportFormat; readonly until: number; readonly version: string },
): AsyncGenerator<Exported, void, undefined> {
  if (format === 'csv') yield { text: csvHead, events: 0 }
  const whole = Object.keys(filter).length === 0
  for await (const { events } of partsOf(db, filter, { order: whole ? 'chain' : 'oldest', after: undefined })) {
    const rows = events.filter(({ seq }) => seq <= until)
    const chained = await opened(db, sealer, rows)
    const lines = chained.map((event, index) => lineOf(format, event, rows[index] as StoredEvent, version))
    if (lines.length > 0) yield { text: lines.join(''), events: lines.length }
    if (whole && rows.length < events.length) return
  }
}

function lineOf(format: ExportFormat, chained: ChainedEvent, { previous }: StoredEvent, version: string): string {
  switch (format) {
    case 'jsonl':
      return jsonLine(chained, previous)
    case 'csv':
      return csvLine(chained)
    case 'ocsf':
      return ocsfLine(chained, version)
  }
}

/**
 * `event` is the body, byte for byte, so that SHA-256 over `previous` and it has to come to `hash`. What was sealed of it
 * stands beside it, opened, as `private`.
 */
function jsonLine({ seq, hash, body, event }: ChainedEvent, previous: string | null): string {
  const opened = event.private === undefined ? '' : `,"private":${JSON.stringify(event.private)}`
  return `{"seq":${seq},"previous":${JSON.stringify(previous)},"hash":${JSON.stringify(hash)}${opened},"event":${body}}\n`
}
