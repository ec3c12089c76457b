/**
 * Fills a record with many events, to measure searches on: `node bench/audit/fill.ts FILE [EVENTS] [--growing]`. With `--growing`
 * the indexes are there from the beginning, as in a house. Thirty days of a busy
 * house: nine in ten are requests, half of them of nobody known; 50,000 people, 200,000 addresses, 200 routes.
 */
import { DatabaseSync } from 'node:sqlite'
import { columnsOf, genesis, link } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { openStore } from '../../src/store/database.ts'

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

let seed = 42
/** The same record every time. */
function chance(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
/** Some come often, most seldom. */
function seldom(below: number): number {
  return Math.floor(below * (chance(1e9) / 1e9) ** 3)
}

const spanMs = 30 * 86_400_000
const from = Date.UTC(2026, 0, 1)
const insert = db.prepare(
  'insert into audit_events (seq, id, at, type, action, actor, result, address, request_id, resource_type, resource, body, hash) values (?,?,?,?,?,?,?,?,?,?,?,?,?)',
)
let hash = genesis
for (let seq = 1; seq <= events; ) {
  db.exec('begin')
  for (const end = Math.min(events, seq + 99_999); seq <= end; seq++) {
    const event = made(seq)
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

function made(seq: number): AuditEvent {
  const at = from + Math.floor((seq / events) * spanMs) + chance(40)
  const hex = seq.toString(16).padStart(12, '0')
  const kind = chance(1000)
  const user = `01970000-0000-7000-8000-${seldom(50_000).toString(16).padStart(12, '0')}`
  const signedIn = chance(2) === 0
  const common = {
    actor: signedIn ? ({ id: user, type: 'user' } as const) : ({ id: 'anonymous', type: 'anonymous' } as const),
    address: `${10 + chance(4)}.${chance(2)}.${chance(160)}.${chance(160)}`,
    at,
    id: `${at
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7000-8000-${hex}`,
    request_id: `${at
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7abc-8000-${hex}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    v: 1,
  } as const
  const route = { id: `GET /api/part-${seldom(200)}/:id`, type: 'route' } as const
  const details = { because: '', bytes: 1024, duration_ms: 1.5, method: 'GET', path: `/api/part/${seq}`, status: 200 }
  if (kind < 900)
    return {
      ...common,
      action: 'request',
      type: 'api_access',
      result: kind < 860 ? 'success' : 'failure',
      resource: route,
      details,
    }
  if (kind < 950)
    return { ...common, action: 'refused', type: 'authorization_failure', result: 'denied', resource: route, details }
  if (kind < 995)
    return {
      ...common,
      action: 'sign-in',
      type: 'authentication',
      result: kind < 985 ? 'success' : 'failure',
      resource: { id: user, type: 'user' },
      details: {},
    }
  return {
    ...common,
    action: 'user.roles',
    type: 'admin_action',
    result: 'success',
    resource: { id: user, type: 'user' },
    details: {},
  }
}
