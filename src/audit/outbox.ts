import type { Database } from '../store/database.ts'
import type { AuditEvent } from './event.ts'
import type { EventSealer } from './sealer.ts'

/** Makes an event durable with the change that it tells of, in one transaction. It waits there to be chained. */
export async function putInOutbox(trx: Database, sealer: EventSealer, event: AuditEvent): Promise<void> {
  const [body] = await sealer.store(trx, [event])
  await trx
    .insertInto('audit_outbox')
    .values({ body: body as string })
    .execute()
}
