/**
 * How fast sinks and detection follow the record: `node bench/audit/sinks.ts [EVENTS]` sends a record of 20,000 events to a file, and to
 * a webhook, a syslog server and a collector on this machine, and has the standard rules read it; one after the other. Then, for ten
 * seconds, how long after it was chained an event is at the webhook.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { appendBatch } from '../../src/audit/chain.ts'
import type { Follower } from '../../src/audit/follow/follower.ts'
import { openFollowers } from '../../src/audit/follow/followers.ts'
import { openEventSealer } from '../../src/audit/sealer.ts'
import { openSinks } from '../../src/audit/sinks/open.ts'
import { sinkOptions } from '../../src/audit/sinks/options.ts'
import { detectionFollower } from '../../src/incident/detection/follower.ts'
import { detectionOptions } from '../../src/incident/detection/options.ts'
import { systemClock as clock } from '../../src/kernel/clock.ts'
import { systemRandom as random } from '../../src/kernel/id.ts'
import { silent as log } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { madeEvent } from './made.ts'

const events = Number(process.argv[2] ?? 20_000)
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
const store = await openStore(`sqlite:${join(folder, 'gatehouse.db')}`)
const sealer = openEventSealer({ wrappingKey: random.bytes(32), clock, random })
let chained = 0
while (chained < events) await chain(500)

const arrivals: number[] = []
const http = createServer((request, response) => {
  request.resume().once('end', () => {
    arrivals.push(performance.now())
    response.end('{}')
  })
}).listen(0, '127.0.0.1')
const tcp = createTcp((socket) => socket.resume()).listen(0, '127.0.0.1')
await pause(100)
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
const { port } = tcp.address() as AddressInfo

const followers = [
  ...openSinks(
    sinkOptions.parse([
      { kind: 'file', path: join(folder, 'audit.jsonl') },
      { kind: 'webhook', url },
      { kind: 'syslog', host: '127.0.0.1', port, protocol: 'tcp' },
      { kind: 'otlp', url },
    ]),
    { environment: {}, clock, ocsf: () => ({}) },
  ),
  detectionFollower({
    rules: detectionOptions.parse({}).rules,
    geolocation: undefined,
    hashKey: random.bytes(32),
    store,
    sealer,
    report: async () => {},
  }),
]
for (const follower of followers) {
  const before = performance.now()
  const reading = open({ ...follower, from: 'beginning' })
  while ((await placeOf(follower.name)) < events) await pause(20)
  const seconds = (performance.now() - before) / 1000
  await reading.stop()
  console.log(follower.name, `${Math.round(events / seconds)} events/s`)
}

const [, webhook] = openSinks(
  sinkOptions.parse([
    { kind: 'file', path: join(folder, 'x') },
    { kind: 'webhook', url, name: 'lag', from: 'end' },
  ]),
  {
    environment: {},
    clock,
    ocsf: () => ({}),
  },
)
const reading = open(webhook as Follower)
await pause(1_000)
const lags: number[] = []
for (let round = 0; round < 50; round++) {
  const [count, before] = [arrivals.length, performance.now()]
  await chain(1)
  while (arrivals.length === count) await pause(2)
  lags.push((arrivals[count] as number) - before)
  await pause(150)
}
lags.sort((a, b) => a - b)
console.log(
  'lag of a webhook',
  `median ${Math.round(lags[25] as number)} ms, most ${Math.round(lags.at(-1) as number)} ms`,
)
await reading.stop()
http.closeAllConnections()
http.close()
tcp.close()
await store.close()
rmSync(folder, { recursive: true })

function open(follower: Follower) {
  return openFollowers({ store, sealer, clock, random, log, followers: [follower], onTrouble: async () => {} })
}

async function chain(count: number): Promise<void> {
  const made = Array.from({ length: count }, (_, index) => madeEvent(chained + index + 1, 1_000_000))
  const bodies = await store.transaction((trx) => sealer.store(trx, made))
  await appendBatch(store, bodies)
  chained += count
}

async function placeOf(name: string): Promise<number> {
  const row = await store.db.selectFrom('audit_followers').select('seq').where('name', '=', name).executeTakeFirst()
  return row?.seq ?? 0
}
