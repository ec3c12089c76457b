// What an outbox has to do alike on every store.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { type Log, silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { Outbox, type Post } from '../../src/mail/outbox.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { optionsFor, rootSecret } from './posting-process.ts'
import { type RudeServer, startRudeServer } from './rude-server.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

interface Scene {
  readonly store: Store
  readonly server: RudeServer
  readonly clock: TestClock
  readonly outbox: Outbox
  /** What was told to the operator. */
  readonly told: string[]
  /** Another outbox on the same store: that of another node. */
  another(): Outbox
  row(): Promise<{ readonly tries: number; readonly given_up_at: number | null; readonly problem: string | null }>
}

const minute = 60_000
const hour = 60 * minute
const link = 'https://gate.example.com/auth/reset?token=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'
const reset: Post = { to: 'ada@people.example', kind: 'reset', facts: { site: 'Example', link, minutes: 30 } }

export function outboxCases(fresh: FreshStore): void {
  async function scene(context: TestContext, config: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
    const server = await startRudeServer(context)
    const store = await openStore(await fresh(context))
    context.after(() => store.close())
    const clock = testClock()
    const told: string[] = []
    const another = (): Outbox => {
      const outbox = new Outbox({
        options: optionsFor(server.port, config),
        root: rootKey(rootSecret),
        clock,
        random: systemRandom,
        log: { ...silent, warn: (fields, message) => told.push(JSON.stringify([fields, message])) } satisfies Log,
      })
      context.after(() => outbox.close())
      return outbox
    }
    const row: Scene['row'] = () => store.db.selectFrom('mail_outbox').selectAll().executeTakeFirstOrThrow()
    return { store, server, clock, told, outbox: another(), another, row }
  }

  test('a letter arrives once, with its words and the headers of a machine', async (context) => {
    const { store, server, outbox, clock } = await scene(context)
    await outbox.post(store.db, { ...reset, facts: { ...reset.facts, name: 'Ada Lovelace' } })
    assert.equal(await outbox.backlog(store.db), 1)
    assert.deepEqual(await outbox.drain(store.db), { sent: 1, failed: 0, givenUp: 0 })
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 0, givenUp: 0 })
    assert.equal(await outbox.backlog(store.db), 0)

    const [letter] = server.arrived
    assert.ok(letter !== undefined && server.arrived.length === 1)
    assert.deepEqual([letter.from, letter.to], ['no-reply@example.com', ['ada@people.example']])
    assert.equal(letter.headers.get('from'), 'Example <no-reply@example.com>')
    assert.equal(letter.headers.get('to'), 'ada@people.example')
    assert.equal(letter.headers.get('subject'), 'Choose a new password for Example')
    assert.equal(letter.headers.get('auto-submitted'), 'auto-generated')
    assert.match(letter.headers.get('message-id') ?? '', /^<[0-9a-f-]{36}@example\.com>$/)
    assert.equal(new Date(letter.headers.get('date') ?? '').getTime(), clock.now(), 'it is as old as what it tells of')
    assert.match(letter.raw, /Hello Ada Lovelace,/)
    assert.match(letter.headers.get('content-type') ?? '', /^multipart\/alternative/)
  })

  test('a letter comes to be with the change that it tells of, or not at all', async (context) => {
    const { store, server, outbox } = await scene(context)
    await assert.rejects(
      store.transaction(async (trx) => {
        await outbox.post(trx, reset)
        throw new Error('the change was refused')
      }),
    )
    assert.equal((await outbox.drain(store.db)).sent, 0)
    await store.transaction((trx) => outbox.post(trx, reset))
    assert.equal((await outbox.drain(store.db)).sent, 1)
    assert.equal(server.arrived.length, 1)
  })

  test('what waits in the store shows neither the link nor the address nor the name', async (context) => {
    const { store, outbox } = await scene(context)
    await outbox.post(store.db, { ...reset, facts: { ...reset.facts, name: 'Ada Lovelace' } })
    const stored = JSON.stringify(await store.db.selectFrom('mail_outbox').selectAll().execute())
    assert.doesNotMatch(stored, /people\.example|gate\.example|token=|abcdef|Ada|Lovelace/)
  })

  test('a letter that was moved to another row does not leave', async (context) => {
    const { store, server, outbox, row } = await scene(context)
    await outbox.post(store.db, reset)
    await store.db.updateTable('mail_outbox').set({ id: '01a00000-0000-7000-8000-000000000000' }).execute()
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 0, givenUp: 1 })
    assert.match((await row()).problem ?? '', /sealed/)
    assert.equal(server.arrived.length, 0)
  })

  test('of several nodes that send at the same moment, one has each letter', async (context) => {
    const { store, server, outbox, another } = await scene(context)
    for (let number = 0; number < 30; number++) await outbox.post(store.db, { ...reset, to: `p${number}@x.example` })
    const nodes = [outbox, another(), another()]
    const outcomes = await Promise.all(nodes.map((node) => node.drain(store.db)))
    assert.equal(
      outcomes.reduce((sum, { sent }) => sum + sent, 0),
      30,
    )
    assert.equal(server.arrived.length, 30)
    assert.equal(new Set(server.arrived.map(({ to }) => to[0])).size, 30, 'each once')
  })

  test('a server that is down loses nothing: letters wait, longer each time, and leave when it is back', async (context) => {
    const { store, server, outbox, clock, row } = await scene(context)
    await server.stop()
    await outbox.post(store.db, reset)
    await outbox.post(store.db, { ...reset, to: 'eve@people.example' })

    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 1, givenUp: 0 }, 'the second would fare the same')
    assert.equal((await row()).given_up_at, null)
    clock.advance(13_000)
    assert.equal((await outbox.drain(store.db)).sent, 0)
    const again = await startRudeServer(context, server.port)
    clock.advance(hour)
    assert.deepEqual(await outbox.drain(store.db), { sent: 2, failed: 0, givenUp: 0 })
    assert.deepEqual(again.arrived.map(({ to }) => to[0]).toSorted(), ['ada@people.example', 'eve@people.example'])
  })

  test('a passing refusal is tried again after 10 s, then after twice as long, an hour at most', async (context) => {
    const { store, server, outbox, clock } = await scene(context, { tries: 12 })
    server.answers.recipient = () => '451 come back later'
    await outbox.post(store.db, reset)
    const waits: number[] = []
    for (let tries = 1; tries < 12; tries++) {
      assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 1, givenUp: 0 }, `try ${tries}`)
      const { next_at } = await store.db.selectFrom('mail_outbox').select('next_at').executeTakeFirstOrThrow()
      waits.push((Number(next_at) - clock.now()) / 1_000)
      clock.advance(Number(next_at) - clock.now() - 1)
      assert.equal((await outbox.drain(store.db)).failed, 0, 'not before its time')
      clock.advance(1)
    }
    for (const [index, wait] of waits.entries()) {
      const expected = Math.min(3_600, 10 * 2 ** index)
      assert.ok(wait >= 0.7 * expected && wait <= 1.3 * expected, `wait ${index + 1}: ${wait} s, not about ${expected}`)
    }
    assert.equal((await outbox.drain(store.db)).givenUp, 1, 'the twelfth try is the last')
  })

  test('a letter that is refused for good is given up at once, told without its secrets, kept a while, forgotten', async (context) => {
    const { store, server, outbox, clock, row, told } = await scene(context)
    server.answers.letter = ({ to }) => `550 no ${to} here, and ${link} is spam\u0000`
    await outbox.post(store.db, reset)
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 0, givenUp: 1 })
    const { given_up_at, problem } = await row()
    assert.equal(Number(given_up_at), clock.now())
    assert.match(problem ?? '', /550/)
    assert.doesNotMatch(`${problem} ${told}`, /people\.example|gate\.example|token=|abcdef/)
    assert.equal(told.length, 1)
    assert.equal(await outbox.backlog(store.db), 0)

    clock.advance(hour)
    delete server.answers.letter
    assert.equal((await outbox.drain(store.db)).sent, 0, 'what is given up does not leave')
    await outbox.sweep(store.db, clock.now() - hour)
    await row()
    await outbox.sweep(store.db, clock.now())
    assert.deepEqual(await store.db.selectFrom('mail_outbox').selectAll().execute(), [])
  })

  test('the problem shows no part of the link, however the server quotes it', async (context) => {
    const { store, server, outbox, row, told } = await scene(context)
    const token = link.slice(-43)
    server.answers.recipient = () => `550 ADA@people.example; ref ${token}; ${link.toUpperCase()}; <ada@people.example>`
    await outbox.post(store.db, reset)
    await outbox.drain(store.db)
    assert.doesNotMatch(`${(await row()).problem} ${told}`, /people\.example|gate\.example|token=|abcdefghij/i)
  })

  test('a sender whom the server will not have is ours to mend: no letter is lost to it', async (context) => {
    const { store, server, outbox, clock } = await scene(context)
    server.answers.sender = () => '550 not from you'
    await outbox.post(store.db, reset)
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 1, givenUp: 0 })
    delete server.answers.sender
    clock.advance(hour)
    assert.equal((await outbox.drain(store.db)).sent, 1)
  })

  test('one letter that fails does not stop those behind it', async (context) => {
    const { store, server, outbox, clock } = await scene(context)
    server.answers.recipient = (address) => (address.startsWith('bad') ? '450 mailbox busy' : undefined)
    await outbox.post(store.db, { ...reset, to: 'bad@people.example' })
    await outbox.post(store.db, reset)
    assert.deepEqual(await outbox.drain(store.db), { sent: 1, failed: 1, givenUp: 0 })
    server.answers.letter = () => 'hang up'
    await outbox.post(store.db, reset)
    assert.equal((await outbox.drain(store.db)).failed, 1)
    assert.equal(server.arrived.length, 2, 'hung up on, it is left to the next try, and not sent again at once')
    delete server.answers.letter
    clock.advance(hour)
    assert.equal((await outbox.drain(store.db)).sent, 1)
  })

  test('no address, name or site writes a header, a recipient or a second letter', async (context) => {
    const { store, server, outbox } = await scene(context)
    const attack = 'x\r\nBcc: eve@evil.example\r\n\r\nHello\u2028\u0000\ud800 <b>'
    await outbox.post(store.db, { ...reset, facts: { ...reset.facts, name: attack, site: attack } })
    assert.equal((await outbox.drain(store.db)).sent, 1)
    for (const to of [
      'ada@people.example\r\nBcc: eve@evil.example',
      'ada@people.example, eve@evil.example',
      'ada@people.example>\r\nRCPT TO:<eve@evil.example',
      '"eve@evil.example x"@people.example\u0000',
      '',
      'no address',
      '\ud800@people.example',
      `${'a'.repeat(100_000)}@people.example`,
    ]) {
      await outbox.post(store.db, { ...reset, to })
      assert.deepEqual(
        await outbox.drain(store.db),
        { sent: 0, failed: 0, givenUp: 1 },
        JSON.stringify(to.slice(0, 60)),
      )
    }
    for (const { to, headers } of server.arrived) {
      assert.deepEqual(to, ['ada@people.example'])
      assert.equal(headers.get('to'), 'ada@people.example')
      assert.equal(headers.has('bcc'), false)
    }
    assert.equal(server.arrived.length, 1)
  })

  test('once closed, a turn ends with the letter it is at', async (context) => {
    const { store, server, outbox } = await scene(context)
    for (let number = 0; number < 5; number++) await outbox.post(store.db, reset)
    server.answers.letter = () => void outbox.close()
    assert.ok((await outbox.drain(store.db)).sent <= 1)
    assert.equal(server.arrived.length, 1)
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 0, givenUp: 0 })
    assert.equal(await outbox.backlog(store.db), 4)
  })

  test('a server that talks for ever keeps no letter longer than a try may take', async (context) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      socket.write('220 here\r\n')
      const trickle = setInterval(() => socket.write('250-and\r\n'), 200)
      socket.on('close', () => clearInterval(trickle))
    }).listen(0, '127.0.0.1')
    context.after(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const smtp = { host: '127.0.0.1', port, security: 'none', timeout: '1s' }
    const { store, outbox } = await scene(context, { smtp })
    await outbox.post(store.db, reset)
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 1, givenUp: 0 })
  })
}
