/**
 * How fast the writer chains events behind those of a record that `fill.ts` made: `node bench/audit/append.ts FILE [EVENTS]`. The file
 * grows by them: measure on a copy. `--without audit_events_address,…` drops indexes first; `--open` makes a service of everybody,
 * so that nothing is sealed; `--people` is how many are active; `--pragma` sets what the connection of the writer has not.
 */
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { openEventSealer } from '../../src/audit/sealer.ts'
import { openAppender } from '../../src/audit/writer/appender.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openStore } from '../../src/store/database.ts'
import { tuneForWriting } from '../../src/store/sqlite.ts'
import { idOf, madeEvent } from './made.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    without: { type: 'string', default: '' },
    open: { type: 'boolean', default: false },
    people: { type: 'string', default: '5000' },
    pragma: { type: 'string', multiple: true, default: [] },
  },
})
const [path = '', count = '200000'] = positionals
if (path === '') throw new Error('expected a file')
const events = Number(count)

const db = new DatabaseSync(path)
for (const index of values.without.split(',').filter(Boolean)) db.exec(`drop index ${index}`)
const { seq } = db.prepare('select seq from audit_head').get() as { seq: number }
db.close()

const store = await openStore(`sqlite:${path}`, { connectionsMax: 1 })
await tuneForWriting(store.db)
for (const pragma of values.pragma) await sql.raw(`pragma ${pragma}`).execute(store.db)
const sealer = openEventSealer({ wrappingKey: new Uint8Array(32), clock: systemClock, random: systemRandom })
const appender = openAppender(store, sealer, (error) => console.error(error))

const people = Number(values.people)
for (let person = 0; person < people; person++) await sealer.store(store.db, [byPerson(person)]) // a key is made once
const texts = Array.from({ length: events }, (_, index) => {
  const event = madeEvent(seq + 1 + index, seq + events, people)
  return eventText(values.open ? { ...event, actor: { ...event.actor, type: 'service' } } : event)
})

const batch = 1_024
const backlog = 65_536
const before = process.cpuUsage()
const begin = performance.now()
let waiting: Promise<void>[] = []
for (let from = 0; from < texts.length; from += batch) {
  waiting.push(appender.append(texts.slice(from, from + batch)))
  if (waiting.length * batch >= backlog) {
    await Promise.all(waiting)
    waiting = []
  }
}
await Promise.all(waiting)
const seconds = (performance.now() - begin) / 1_000
const { user, system } = process.cpuUsage(before)
console.log(
  `${Math.round(texts.length / seconds)} events/s, ${((user + system) / texts.length).toFixed(1)} µs of processor an event (${(user / texts.length).toFixed(1)} user)`,
)
await appender.close()
await store.close()

function byPerson(person: number): AuditEvent {
  return { ...madeEvent(seq, seq), actor: { id: idOf(person), type: 'user' } }
}
