import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'

function listening(listen: Readonly<Record<string, unknown>>): ReturnType<typeof parseConfig> {
  return parseConfig({ listen }, {})
}

test('C: what stands outside is bounded where nobody says anything', () => {
  const outcome = listening({})
  assert.ok('settings' in outcome)
  const { tls, https, host, port, trustedProxies, clientCertHeader, drain, ...bounds } = outcome.settings.listen
  assert.deepEqual(bounds, {
    http2: { streams: 100, resetBurst: 200, resetRate: 50, memory: 10_485_760 },
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    minBytesPerSecond: 500,
    bodyGrace: 5_000,
    bodyWindow: 10_000,
    readerTimeout: 30_000,
    keepAliveTimeout: 65_000,
    connections: 10_000,
    connectionsPerAddress: 512,
    requestsPerConnection: 1_000,
    requestRatePerConnection: 1_000,
  })
})

test('a bound that makes no sense is refused by its name', () => {
  for (const [name, values] of Object.entries({
    minBytesPerSecond: [-1, 1.5, '500'],
    bodyGrace: ['0ms', '2h', 5_000],
    bodyWindow: ['1ms', 'soon'],
    readerTimeout: ['0ms', '30'],
    requestTimeout: ['0ms', '2h'],
    headersTimeout: ['0ms', '2h'],
    keepAliveTimeout: ['0ms', '2h'],
    connections: [0, 2_000_000],
    connectionsPerAddress: [0, 1.5],
    requestsPerConnection: [0, '1000'],
    requestRatePerConnection: [0, -1],
    http2: [
      'on',
      { streams: 0 },
      { resetBurst: 0 },
      { resetRate: '1' },
      { memory: '1kb' },
      { memory: 10 },
      { push: true },
    ],
  })) {
    for (const value of values) {
      const outcome = listening({ [name]: value })
      assert.ok('mistakes' in outcome, `${name}: ${JSON.stringify(value)}`)
      assert.ok(
        outcome.mistakes.some(({ path }) => path.startsWith(`listen.${name}`)),
        JSON.stringify(outcome.mistakes),
      )
    }
  }
})

test('HTTP/2 without TLS of our own is a mistake where somebody asks for it', () => {
  for (const http2 of [true, { streams: 10 }]) {
    const outcome = listening({ http2 })
    assert.ok('mistakes' in outcome)
    assert.match(String(outcome.mistakes[0]?.path), /^listen\.http2$/)
  }
  assert.ok('settings' in listening({ http2: false }))
})
