// Something that speaks like a Redis, and answers whatever it likes. No Redis is needed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Link, type LinkState } from '../../src/limits/shared/link.ts'
import { answeredPerClaim, beatScript, takeScript } from '../../src/limits/shared/redis-script.ts'
import { type Redis, RedisFault } from '../../src/store/redis.ts'
import { testClock } from '../support/clock.ts'
import { counted, limitOf, sharedNode } from './shared-house.ts'

/** What the program answers to a claim: how long to wait, and the other numbers. */
function numbers(waitUs: number, more = 0): string {
  const bytes = Buffer.alloc((answeredPerClaim + more) * 8)
  bytes.writeDoubleLE(waitUs)
  return `*1\r\n${bulk(bytes.toString('latin1'))}`
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const admitted = numbers(0)

/** Answers in RESP: what is said to the sign of life of a node, and to a take. */
async function liar(context: TestContext, said: { beat: string; take: string }) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    let rest = ''
    socket.setEncoding('latin1').on('data', (piece: string) => {
      rest += piece
      for (let read = command(rest); read !== undefined; read = command(rest)) {
        rest = rest.slice(read.length)
        socket.write(answerTo(read.words), 'latin1')
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`

  function answerTo([name = '', sha]: readonly string[]): string {
    if (/^info$/i.test(name)) return bulk('redis_version:7.0.0\r\nloading:0\r\n')
    if (!/^evalsha$/i.test(name)) return '+OK\r\n'
    return sha === beatScript.sha ? said.beat : sha === takeScript(['log']).sha ? said.take : '-ERR what?\r\n'
  }
}

/** The first command of what has come, and how long it is. */
function command(text: string): { readonly words: readonly string[]; readonly length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (head === null) return undefined
  const words: string[] = []
  let at = head[0].length
  for (let left = Number(head[1]); left > 0; left--) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at))
    if (length === null) return undefined
    const from = at + length[0].length
    at = from + Number(length[1]) + 2
    if (text.length < at) return undefined
    words.push(text.slice(from, at - 2))
  }
  return { words, length: at }
}

const claim = { limit: limitOf({ algorithm: 'log', limit: 2 }), key: 'k', cost: 1 } as const
const closed = { limit: limitOf({ algorithm: 'log', name: 'closed', whenDown: 'closed' }), key: 'k', cost: 1 } as const

for (const [what, take] of [
  ['nothing', '*-1\r\n'],
  ['an empty list', '*0\r\n'],
  ['less than it was asked', numbers(0, -1)],
  ['more than it was asked', numbers(0, 1)],
  ['a list of numbers', `*${answeredPerClaim}\r\n${':0\r\n'.repeat(answeredPerClaim)}`],
  ['words', bulk('admitted')],
  ['numbers below zero', numbers(-5)],
  ['what is no number', numbers(Number.NaN)],
  ['a failure without a reason', numbers(-1)],
  ['texts in the place of numbers', `*${answeredPerClaim}\r\n${bulk('0').repeat(answeredPerClaim)}`],
  ['that it is full', '-OOM command not allowed when used memory > maxmemory\r\n'],
  ['that it is being loaded', '-LOADING Redis is loading the dataset in memory\r\n'],
  ['that it is another’s', '-MOVED 1 127.0.0.1:1\r\n'],
  ['that a key is of another kind', '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'],
] as const)
  test(`TR6 C: a Redis that answers ${what} is a fault: each limit does what its \`whenDown\` says, and nobody is refused for it`, async (context) => {
    const url = await liar(context, { beat: ':1\r\n', take })
    const { limiter, told } = await sharedNode(context, { url, timeout: '2s' })
    assert.equal(limiter.figures.reachable, true)
    assert.equal(await limiter.take([closed]), 'uncounted')
    for (const allowed of [true, true, false]) assert.equal((await counted(limiter.take([claim]))).allowed, allowed)
    assert.equal(limiter.figures.faults, 3)
    assert.deepEqual(
      told.map(({ reachable }) => reachable),
      [false],
    )
  })

for (const beat of ['*-1\r\n', ':0\r\n', ':-3\r\n', bulk('many'), '*0\r\n', '+OK\r\n'])
  test(`TR6: how many nodes there are is not taken from ${JSON.stringify(beat)}`, async (context) => {
    const url = await liar(context, { beat, take: admitted })
    const { limiter } = await sharedNode(context, { url, timeout: '2s' })
    assert.equal(limiter.figures.reachable, false)
    assert.equal(limiter.figures.nodes, 1)
    for (const allowed of [true, true, false]) assert.equal((await counted(limiter.take([claim]))).allowed, allowed)
  })

test('TR6: a Redis that shows life and counts nothing is told of less and less often, and believed again in the end', async () => {
  const clock = testClock()
  const told: boolean[] = []
  const alive: Redis = { server: 'liar', run: async () => 1, tell() {}, close() {} }
  const onChange = ({ reachable }: LinkState): void => void told.push(reachable)
  const link = new Link(alive, { clock, key: 'nodes', node: 'one', onChange })
  await link.beat()
  for (let second = 0; second < 600; second++) {
    if (link.reachable) for (let take = 0; take < 3; take++) link.failed(new RedisFault('ERR'))
    clock.advance(1_000)
    await link.beat()
  }
  assert.ok(told.length > 20 && told.length < 60, `${told.length} changes in ten minutes`)
  clock.advance(30_000)
  await link.beat()
  assert.equal(link.reachable, true)
  clock.advance(10_000)
  link.failed(new RedisFault('there is no connection', true))
  await link.beat()
  assert.equal(link.reachable, true, 'one that was there for long is back at once')
  link.close()
})
