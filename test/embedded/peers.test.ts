import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Whence } from '../../src/endpoints/embedded/peer.ts'
import { startHouse } from '../support/house.ts'

test('A52: a fetch handler is told who asks, as each runtime tells it, and callers count apart; told nothing it says so', async (context) => {
  const { house } = await startHouse(context, {
    limits: { one: { algorithm: 'log', limit: 1, window: '1h', by: 'ip' } },
    routes: [{ path: '/a', access: 'public', limit: 'one' }],
  })
  const handle = house.fetch(() => new Response('here'))
  const status = async (whence: Whence): Promise<number> => (await handle(new Request('http://host/a'), whence)).status
  const bun = (address: string): Whence => ({ requestIP: () => ({ address }) })
  const deno = (hostname: string): Whence => ({ remoteAddr: { hostname } })
  for (const [turn, whence] of [(address: string): Whence => address, bun, deno].entries()) {
    assert.equal(await status(whence(`203.0.113.${turn}`)), 200)
    assert.equal(await status(whence(`203.0.113.${turn}`)), 429)
    assert.equal(await status(whence(`198.51.100.${turn}`)), 200)
  }
  for (const nothing of [undefined, null, 7, {}])
    await assert.rejects(status(nothing as unknown as Whence), /expected who asks beside the request/)
})
