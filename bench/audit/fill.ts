/**
 * Fills a record with many events, to measure searches on: `node bench/audit/fill.ts FILE [EVENTS] [--growing]`. With `--growing`
 * the indexes are there from the beginning, as in a house.
 */
import { DatabaseSync } from 'node:sqlite'
import { columnsOf, genesis, link } from '../../src/audit/chain.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { openStore } from '../../src/store/database.ts'
import { madeEvent } from './made.ts'

const [path = '', count = '10000000'] = process.argv.slice(2)
if (path === '') throw new Error('expected a file')
const events = Number(count)
await (await openStore(`sqlite:${path}`)).close()
const db = new DatabaseSync(path)
db.exec('pragma synchronous = off; pragma cache_size = -400000')
const indexes = db
  .prepare("select name, sql from sqlite_master where type = 'index' and tbl_name = 'audit_events' and sql is not null")
  .all() as { name: string; sql: string }[]
if (!process.argv.includes('--growing')) for (const { name } of indexes) db.exec(`drop index ${name}`) // made at the end, sorted: an hour less

const insert = db.prepare(
  'insert into audit_events (seq, id, at, type, action, actor, result, address, request_id, resource_type, resource, body, hash) values (?,?,?,?,?,?,?,?,?,?,?,?,?)',
)
let hash = genesis
for (let seq = 1; seq <= events; ) {
  db.exec('begin')
  for (const end = Math.min(events, seq + 99_999); seq <= end; seq++) {
    const event = madeEvent(seq, events)
    const body = eventText(event)
    hash = link(hash, body)
    const c = columnsOf(event)
    // biome-ignore format: in the order of the columns
    insert.run(seq, c.id, c.at, c.type, c.action, c.actor, c.result, c.address, c.request_id, c.resource_type, c.resource, body, hash)
  }
  db.exec('commit')
  if (seq % 1_000_000 === 1) console.error(seq - 1)
}
db.prepare('update audit_head set seq = ?, hash = ?').run(events, hash)
for (const { name, sql } of process.argv.includes('--growing') ? [] : indexes) {
  console.error(name)
  db.exec(sql)
}
db.close()
