import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { AuditEvent } from '../audit/event.ts'
import type { House } from '../house.ts'
import { Usage } from './command.ts'

/** An event with its place in the record. */
export interface Numbered {
  readonly seq: number
  readonly event: AuditEvent
}

const pageMax = 500

/** The events of the record since a moment, in their order. */
export async function* recorded({ store, audit }: House, since: number): AsyncGenerator<Numbered> {
  const first = await store.db
    .selectFrom('audit_events')
    .select('seq')
    .where('at', '>=', since)
    .orderBy('at')
    .limit(1)
    .executeTakeFirst()
  let after = (first?.seq ?? Number.MAX_SAFE_INTEGER) - 1
  while (true) {
    const rows = await store.db
      .selectFrom('audit_events')
      .select(['seq', 'body'])
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(pageMax)
      .execute()
    const events = await audit.sealer.read(
      store.db,
      rows.map(({ body }) => body),
    )
    for (const [index, event] of events.entries()) yield { seq: (rows[index] as { seq: number }).seq, event }
    if (rows.length < pageMax) return
    after = rows.at(-1)?.seq ?? after
  }
}

/** Lines of an export: events with their place, or each in a line of its own form. */
export async function* exported(path: string): AsyncGenerator<Numbered> {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    line++
    if (text.trim() === '') continue
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      value = undefined
    }
    const whole = value as { readonly seq?: unknown; readonly event?: unknown } | null | undefined
    const event = whole?.event ?? whole
    if (!isEvent(event)) throw new Usage(`--export: line ${line} of \`${path}\` is no event of a record`)
    yield { seq: typeof whole?.seq === 'number' ? whole.seq : line, event }
  }
}

/** As much of an event as rules ask about. */
function isEvent(value: unknown): value is AuditEvent {
  if (typeof value !== 'object' || value === null) return false
  const { type, action, at, actor, address, resource, details, user_agent } = value as Partial<AuditEvent>
  return (
    [type, action, address, user_agent, actor?.id, resource?.id].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(at) &&
    typeof details === 'object' &&
    details !== null
  )
}
