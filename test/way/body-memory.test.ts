import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { parseConfig } from '../../src/config/parse.ts'
import { type BodyAccount, BodyMemory } from '../../src/http/body-memory.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'

test('C: bodies that strangers send slowly take the memory that is set aside for them, and no more', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const { port, house } = await startHouse(context, {
    upstreams: { api: upstream.url },
    listen: { trustedProxies: ['127.0.0.1'] },
    bodyMemory: '400kb',
    limits: false,
    routes: [
      { path: '/json', methods: ['POST'], access: 'public', body: { type: 'string' }, bodyMax: '90kb', to: 'api' },
      { path: '/stream', methods: ['POST'], access: 'public', bodyMax: '10mb', to: 'api' },
    ],
  })
  const body = JSON.stringify('x'.repeat(80_000))
  const begin = (from: string, path = '/json', announced = body.length): ClientRequest => {
    const headers = { 'content-type': 'application/json', 'content-length': announced, 'x-forwarded-for': from }
    const sent = request({ port, path, method: 'POST', headers, host: '127.0.0.1', agent: false })
    sent.on('error', () => {})
    sent.write(body.slice(0, 70_000))
    return sent
  }
  const answerOf = async (sent: ClientRequest): Promise<readonly [number | undefined, string | undefined]> => {
    const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
    answer.resume()
    return [answer.statusCode, answer.headers['retry-after']]
  }
  const finish = (sent: ClientRequest): ReturnType<typeof answerOf> => {
    sent.end(body.slice(70_000))
    return answerOf(sent)
  }

  const first = begin('192.0.2.1')
  await pause(50)
  assert.deepEqual(await answerOf(begin('192.0.2.1')), [503, '1'], 'a second of the same address is past its quarter')
  const others = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'].map((from) => begin(from))
  await pause(50)
  assert.deepEqual(await answerOf(begin('192.0.2.6')), [503, '1'], 'all of it is taken')
  assert.deepEqual(await finish(begin('192.0.2.7', '/stream')), [200, undefined], 'what streams is not held')
  assert.deepEqual(await finish(first), [200, undefined], 'who was there first is answered')
  for (const other of others) other.destroy()
  await pause(50)
  assert.deepEqual(await finish(begin('192.0.2.6')), [200, undefined], 'there is room again')
  await eventually(() => house.gate.inFlight === 0 || undefined) // copies of large bodies are looked at behind their answers
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(metrics, /^gatehouse_body_bytes 0$/m)
})

test('C: a body that could never find room is a mistake of the configuration', () => {
  const outcome = parseConfig(
    {
      upstreams: { api: 'http://127.0.0.1:1' },
      bodyMemory: '1mb',
      routes: [
        { path: '/a', access: 'public', to: 'api', body: {}, bodyMax: '2mb' },
        { path: '/b', access: 'public', to: 'api', body: {} },
        { path: '/c', access: 'public', to: 'api', bodyMax: '2gb' },
      ],
    },
    {},
  )
  assert.deepEqual('mistakes' in outcome && outcome.mistakes.map(({ path }) => path), [
    'routes[0].bodyMax',
    'routes[1].bodyMax',
  ])
})

test('whatever bodies come and go, no more is held than was set aside, and in the end nothing', () => {
  const step = fc.record({ body: fc.nat(7), bytes: fc.integer({ min: 1, max: 60 }), closes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const memory = new BodyMemory(100)
      const open = new Map<number, { account: BodyAccount; bytes: number }>()
      for (const { body, bytes, closes } of steps) {
        const one = open.get(body) ?? { account: memory.open(`caller ${body % 3}`), bytes: 0 }
        open.set(body, one)
        if (closes) {
          one.account.close()
          open.delete(body)
        } else if (one.account.take(bytes)) one.bytes += bytes
        const held = [...open.values()].reduce((sum, each) => sum + each.bytes, 0)
        assert.equal(memory.bytes, held)
        assert.ok(held <= 100)
      }
      for (const { account } of open.values()) account.close()
      assert.equal(memory.bytes, 0)
    }),
  )
})
