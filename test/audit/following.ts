// Followers over a store, and receivers that do as they are told.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import type { Follower, FollowerTrouble } from '../../src/audit/follow/follower.ts'
import { type Followers, openFollowers } from '../../src/audit/follow/followers.ts'
import { ocsfOf } from '../../src/audit/reading/ocsf.ts'
import { type EventSealer, openEventSealer } from '../../src/audit/sealer.ts'
import { openSinks } from '../../src/audit/sinks/open.ts'
import { sinkOptions } from '../../src/audit/sinks/options.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { type Database, openStore, type Store } from '../../src/store/database.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

const sealers = new WeakMap<Store, EventSealer>()

export function sealerOf(store: Store): EventSealer {
  const sealer = sealers.get(store) ?? openEventSealer({ wrappingKey, clock: systemClock, random: systemRandom })
  sealers.set(store, sealer)
  return sealer
}

export async function storeFor(context: TestContext, url = 'sqlite::memory:'): Promise<Store> {
  const store = await openStore(url)
  context.after(() => store.close())
  return store
}

/** Chains events by their numbers. */
export async function chain(store: Store, count: number, from = 1): Promise<void> {
  for (let at = from; at < from + count; at += 250) {
    const events = numbers(Math.min(250, from + count - at), at).map(sampleEvent)
    await store.transaction((trx) => sealerOf(store).store(trx, events)).then((bodies) => appendBatch(store, bodies))
  }
}

export interface Following extends Followers {
  readonly troubles: readonly FollowerTrouble[]
}

export function follow(
  context: TestContext,
  store: Store,
  followers: readonly Follower[],
  {
    clock = systemClock,
    onTrouble = async () => {},
  }: {
    readonly clock?: Clock
    readonly onTrouble?: (trx: Database, trouble: FollowerTrouble) => Promise<void>
  } = {},
): Following {
  const troubles: FollowerTrouble[] = []
  const opened = openFollowers({
    store,
    sealer: sealerOf(store),
    clock,
    random: systemRandom,
    log: silent,
    followers,
    async onTrouble(trx, trouble) {
      troubles.push(trouble)
      await onTrouble(trx, trouble)
    },
  })
  context.after(() => opened.stop())
  return { ...opened, troubles }
}

/** The sinks of an `audit.sinks` section as it is written. */
export function sinksOf(
  given: readonly object[],
  environment: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): readonly Follower[] {
  return openSinks(sinkOptions.parse(given), {
    environment,
    clock,
    ocsf: (chained) => ocsfOf(chained, '1.0.0'),
  })
}

export async function rowOf(store: Store, name: string) {
  return store.db.selectFrom('audit_followers').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
}

/** Whether a follower is done with the event of that place. */
export async function hasTaken(store: Store, name: string, seq: number): Promise<true | undefined> {
  const row = await store.db.selectFrom('audit_followers').select('seq').where('name', '=', name).executeTakeFirst()
  return row?.seq === seq ? true : undefined
}

export interface Received {
  readonly headers: IncomingMessage['headers']
  readonly url: string
  readonly body: string
}

export interface Receiver {
  readonly port: number
  readonly received: readonly Received[]
  close(): Promise<void>
}

/** A place that takes what is posted, and answers what `answer` says: a status, `cut` for none, or `never`. */
export async function receive(
  context: TestContext,
  answer: (
    received: Received,
  ) => number | 'cut' | 'never' | { status: number; headers?: Record<string, string>; body?: string },
  port = 0,
): Promise<Receiver> {
  const received: Received[] = []
  const server: Server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const one = { headers: request.headers, url: request.url ?? '', body: Buffer.concat(pieces).toString() }
    const said = answer(one)
    if (said === 'never') return
    if (said === 'cut') return void request.socket.destroy()
    const { status, headers = {}, body = '' } = typeof said === 'number' ? { status: said } : said
    received.push(one)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  context.after(close)
  return { port: (server.address() as AddressInfo).port, received, close }
}

/** The places in the chain of what was received, in the order in which it came. */
export function seqsOf(bodies: readonly string[]): number[] {
  return bodies.flatMap((body) => (JSON.parse(body) as { seq: number }[]).map(({ seq }) => seq))
}

/** Without those that came twice. */
export function once<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
