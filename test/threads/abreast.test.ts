// Two threads of one house, both in this one: what each hears of the other, and what it does where it cannot.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { listen } from '../../src/endpoints/listener.ts'
import { crowdMemory, openSharedCrowd } from '../../src/endpoints/shared-crowd.ts'
import { topics } from '../../src/hearing.ts'
import { type House, openHouse } from '../../src/house.ts'
import { BodyMemory } from '../../src/http/body-memory.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Epoch, epochMemory, Follower } from '../../src/kernel/epoch.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { openMemory, type SharedMemory } from '../../src/memory.ts'
import { testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { administrator } from '../support/process.ts'
import { type Answer, Line, type SignedIn, signedIn, unhurried } from './scene.ts'

interface Pair {
  readonly memory: SharedMemory
  readonly houses: readonly [first: House, second: House]
  readonly lines: readonly [first: Line, second: Line]
  readonly ports: readonly [first: number, second: number]
  /** What the second logs. */
  readonly logged: readonly (LogFields & { readonly message: string })[]
  readonly root: SignedIn
}

/** The first and the second of three threads; the third is nowhere, as if it had hung. */
async function startPair(context: TestContext): Promise<Pair> {
  const upstream = await startUpstream(context, mirror)
  const folder = throwAwayFolder(context)
  const body = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } }
  const config: Config = {
    store: `sqlite:${join(folder, 'gatehouse.db')}`,
    publicUrl: 'https://gate.example.com',
    listen: { port: 0 },
    limits: unhurried,
    oauth: { scopes: { 'notes:read': { description: 'Read notes' } } },
    upstreams: { api: upstream.url },
    roles: { user: { permissions: ['notes:read'] } },
    routes: [
      { path: '/open', access: 'public', to: 'api' },
      { path: '/notes', methods: ['GET'], require: 'notes:read', to: 'api' },
      { path: '/notes', methods: ['POST'], access: 'authenticated', body, to: 'api' },
    ],
  }
  const outcome = parseConfig(config, {})
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes))
  const { settings } = outcome
  const logged: (LogFields & { readonly message: string })[] = []
  const write = (fields: LogFields, message: string): void => void logged.push({ ...fields, message })
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const shared = { clock: systemClock, random: systemRandom, log, environment: {}, dataDir: folder, version: 'test' }
  const memory = openMemory(systemRandom)
  const first = await openHouse(settings, {
    ...shared,
    role: 'gate',
    memory,
    thread: { number: 1, of: 3, audit: undefined },
  })
  const { port1: served, port2: audit } = new MessageChannel()
  first.audit.serve(served)
  const second = await openHouse(settings, { ...shared, role: 'thread', memory, thread: { number: 2, of: 3, audit } })
  const listeners = [await listen(first.gate, settings.listen), await listen(second.gate, settings.listen)] as const
  const lines = [new Line(listeners[0].port), new Line(listeners[1].port)] as const
  context.after(async () => {
    for (const line of lines) line.close()
    for (const listener of listeners) await listener.close(100)
    await second.close()
    await first.close()
  })
  const made = await first.accounts.create(first.store.db, { ...administrator, name: 'Root', roles: ['admin'] })
  assert.ok('account' in made)
  const root = await signedIn(lines[0])
  return { memory, houses: [first, second], lines, ports: [listeners[0].port, listeners[1].port], logged, root }
}

const done = ({ status, text, body }: Answer, expected = 200): Record<string, unknown> => {
  assert.equal(status, expected, text)
  return body
}

test('A10: a thread is abreast of the other at its next request', async (context) => {
  const { memory, houses, lines, ports, logged, root } = await startPair(context)
  const [first, second] = lines

  await context.test('a service that is turned away, and its keys with it', async () => {
    const permissions = ['notes:read']
    done(await first.ask('POST', '/api/admin/services', root.headers, { name: 'reports', permissions }), 201)
    const owner = { type: 'service', id: 'reports' }
    const lent = { name: 'nightly', permissions, owner }
    const { key } = done(await first.ask('POST', '/api/admin/keys', root.headers, lent), 201)
    const headers = { 'x-api-key': String(key) }
    done(await second.ask('GET', '/notes', headers))
    done(await first.ask('POST', '/api/admin/services/reports/disable', root.headers))
    done(await second.ask('GET', '/notes', headers), 401)
    done(await second.ask('POST', '/api/admin/services/reports/enable', root.headers))
    done(await first.ask('GET', '/notes', headers))
  })

  await context.test('a client that is turned away', async () => {
    const draft = { client_id: 'app', client_name: 'App', redirect_uris: ['https://app.example.com/callback'] }
    done(await first.ask('POST', '/api/admin/clients', root.headers, draft), 201)
    const [, { authorization, store }] = houses
    const found = async (): Promise<boolean> => (await authorization?.clients.find('app')) !== undefined
    assert.equal(await found(), true)
    done(await first.ask('POST', '/api/admin/clients/app/disable', root.headers))
    done(await second.ask('GET', '/open'))
    assert.equal(await found(), false, store.kind)
  })

  await context.test('a signing key that is removed', async () => {
    const { headers } = await signedIn(first)
    done(await second.ask('GET', '/notes', headers))
    const [{ keyrings, store }] = houses
    const [ring] = keyrings
    assert.ok(ring?.table !== undefined)
    const { kid } = ring.signing()
    await store.transaction((trx) => ring.table?.remove(trx, kid) ?? Promise.resolve(undefined))
    done(await second.ask('GET', '/notes', headers), 401)
    await ring.hear(store.db)
  })

  await context.test('a caller who is let in no more when their body has come', async () => {
    const { headers } = await signedIn(first)
    const socket = connect(ports[1], '127.0.0.1')
    const body = '{"text":"a"}'
    const { authorization } = headers
    socket.write(
      `POST /notes HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.slice(0, 3)}`,
    )
    while (houses[1].gate.inFlight === 0) await turn()
    done(await first.ask('POST', '/api/auth/logout', headers))
    socket.write(body.slice(3))
    let text = ''
    for await (const chunk of socket) text += (chunk as Buffer).toString()
    assert.match(text, /^HTTP\/1\.1 401 /)
  })

  await context.test('sign-ins, refreshes and changes that came to nothing give nobody anything to hear', async () => {
    const epoch = new Epoch(memory.epoch)
    const root2 = await signedIn(first)
    const before = epoch.count
    const { body } = await second.ask(
      'POST',
      '/api/auth/login',
      {},
      { email: administrator.email, password: administrator.password },
    )
    done(await first.ask('POST', '/api/auth/token/refresh', {}, { refresh_token: body['refresh_token'] }))
    done(await first.ask('POST', '/api/auth/login', {}, { email: administrator.email, password: 'wrong' }), 401)
    const [{ store, accounts }] = houses
    const failing = store.transaction(async (trx) => {
      await accounts.setStatus(trx, root2.id, 'locked')
      throw new Error('thought better of it')
    })
    await assert.rejects(failing, /thought better of it/)
    assert.equal(epoch.count, before)
    await accounts.setStatus(store.db, root2.id, 'active')
    assert.notEqual(epoch.count, before, 'outside of a transaction it is told as well')
  })

  await context.test('what one remembers is written by the other, in its order', async () => {
    for (let sent = 0; sent < 20; sent++) await second.ask('GET', '/open', { 'x-request-id': `ordered-${sent}` })
    const [{ store }, { audit }] = houses
    await audit.flush()
    const rows = await store.db.selectFrom('audit_events').select('request_id').orderBy('seq').execute()
    const ids = rows.flatMap(({ request_id }) => (request_id.startsWith('ordered-') ? [request_id] : []))
    assert.deepEqual(
      ids,
      Array.from({ length: 20 }, (_, sent) => `ordered-${sent}`),
    )
  })

  await context.test('a thread that does not answer is named, and the numbers of the others are told', async () => {
    const { text } = await second.ask('GET', '/metrics')
    assert.match(text, /^gatehouse_thread_answered\{thread="2"\} 1\n.*thread="3"\} 0$/m)
    assert.deepEqual(logged.find(({ threads }) => threads !== undefined)?.['threads'], [3])
  })

  await context.test(
    'A11: what cannot be heard is held against whoever comes as somebody, and nobody else',
    async () => {
      const { headers } = await signedIn(first)
      done(await second.ask('GET', '/notes', headers))
      await houses[1].store.close() // as good as a server that is gone
      done(await second.ask('GET', '/notes', headers)) // nobody has changed anything
      done(await first.ask('POST', '/api/auth/logout', (await signedIn(first)).headers))
      done(await second.ask('GET', '/notes', headers), 503)
      done(await second.ask('GET', '/open', headers), 503)
      done(await second.ask('GET', '/open'))
      done(await second.ask('GET', '/health/live'))
      done(await first.ask('GET', '/notes', headers))
    },
  )
})

test('whoever has caught up has heard all that was changed before they asked, in two rounds at most', async () => {
  const step = fc.oneof(
    fc.record({ change: fc.nat(topics.length - 1) }),
    fc.record({ callers: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ ticks: fc.integer({ min: 1, max: 4 }) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const epoch = new Epoch(epochMemory(topics.length))
      const stored = topics.map(() => 0)
      const known = topics.map(() => 0)
      let rounds = 0
      const hear = async (changed: ReadonlySet<number>): Promise<void> => {
        rounds++
        for (const topic of changed) {
          const read = stored[topic] as number // as early as can be: what is changed from here on is not in it
          await turn()
          known[topic] = read
        }
      }
      const follower = new Follower({ epoch, clock: testClock(), hear })
      const waiting: Promise<void>[] = []
      for (const one of steps) {
        if ('change' in one) {
          stored[one.change] = (stored[one.change] as number) + 1
          epoch.advance([one.change])
        } else if ('ticks' in one) {
          for (let tick = 0; tick < one.ticks; tick++) await turn()
        } else {
          const before = rounds
          const now = [...stored]
          const asked = Array.from({ length: one.callers }, async () => {
            await follower.catchUp()
            for (const [topic, count] of now.entries()) assert.ok((known[topic] as number) >= count)
          })
          assert.ok(rounds - before <= 1, 'of all who ask at one moment, one begins a round')
          waiting.push(...asked)
        }
      }
      await Promise.all(waiting)
      assert.ok(rounds <= steps.length * 2)
    }),
    { numRuns: 200 },
  )
})

test('a store that is silent is asked again after a moment, and not by every request', async () => {
  const clock = testClock()
  const epoch = new Epoch(epochMemory(1))
  let asked = 0
  let answers = false
  const hear = async (): Promise<void> => {
    asked++
    await turn()
    if (!answers) throw new Error('silent')
  }
  const follower = new Follower({ epoch, clock, hear })
  assert.equal(follower.catchUp(), undefined)
  epoch.advance([0])
  for (let request = 0; request < 10; request++) await assert.rejects(async () => follower.catchUp(), /silent/)
  assert.equal(asked, 1)
  answers = true
  clock.advance(1_000)
  await follower.catchUp()
  assert.equal(asked, 2)
  assert.equal(follower.catchUp(), undefined)
})

test('bodies of all threads together hold no more than there is', () => {
  const memory = new SharedArrayBuffer(8)
  const threads = [0, 1, 2].map(() => new BodyMemory(1_000, { memory, threads: 3 }))
  const open = Array.from({ length: 200 }, (_, at) => {
    const thread = threads[at % 3] as BodyMemory
    const account = thread.open(`caller ${randomBytes(4).toString('hex')}`)
    return { account, isTaken: account.take(30) }
  })
  assert.equal(open.filter(({ isTaken }) => isTaken).length, 33)
  assert.equal(
    threads.reduce((sum, { bytes }) => sum + bytes, 0),
    990,
  )
  for (const { account } of open) account.close()
  const alone = (threads[1] as BodyMemory).open('one')
  assert.equal(alone.take(1_000), true, 'a body that is alone may be as large as there is room, on every thread')
})

test('an address holds as many connections as it may, over all threads', () => {
  const [memory, hashKey] = [crowdMemory(), randomBytes(8)]
  const threads = [0, 1, 2].map(() => openSharedCrowd(5, memory, hashKey))
  const held = Array.from({ length: 9 }, (_, at) => threads[at % 3]?.hold('192.0.2.1'))
  assert.equal(held.filter((release) => release !== undefined).length, 5)
  assert.ok(threads[0]?.hold('192.0.2.2'), 'another address has its own')
  held[1]?.()
  held[1]?.()
  assert.ok(threads[2]?.hold('192.0.2.1'), 'what is given back on one is there for the next on another')
  assert.equal(threads[0]?.hold('192.0.2.1'), undefined, 'and is given back once')
})
