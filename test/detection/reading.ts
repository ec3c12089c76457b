// Detection by hand: what the house's own thread does, in the test's time.
import type { AuditEvent } from '../../src/audit/event.ts'
import { Detector } from '../../src/incident/detection/detector.ts'
import type { Finding } from '../../src/incident/finding.ts'
import type { TestHouse } from '../support/house.ts'
import { hashKey } from './events.ts'

/** Everything that the record holds, as it happened. */
export async function recordOf({
  house,
}: TestHouse): Promise<readonly { readonly seq: number; readonly event: AuditEvent }[]> {
  await house.audit.flush()
  const rows = await house.store.db.selectFrom('audit_events').select(['seq', 'body']).orderBy('seq').execute()
  const events = await house.audit.sealer.read(
    house.store.db,
    rows.map(({ body }) => body),
  )
  return events.map((event, index) => ({ seq: (rows[index] as { seq: number }).seq, event }))
}

/** What the rules of the house find in its record. */
export async function foundIn(at: TestHouse): Promise<readonly Finding[]> {
  const { rules } = at.house.settings.incidents.detection
  const detector = new Detector({ rules, geolocation: undefined, hashKey })
  return (await recordOf(at)).flatMap(({ event, seq }) => detector.observe(event, seq)?.findings ?? [])
}

/** By rule, how often. */
export async function countsIn(at: TestHouse): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const { details } of await foundIn(at)) {
    const name = String(details['rule'])
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
