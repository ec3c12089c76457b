import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mirror, startHouse } from '../../test/support/house.ts'
import { startHttps } from '../../test/support/https-server.ts'
import type config from './gatehouse.config.ts'

test('TR11 L: whoever came to the proxy without TLS is sent to it; who came by TLS is answered', async (context) => {
  process.env['LAZI_URL'] = 'https://lazi.example'
  context.after(() => delete process.env['LAZI_URL'])
  const secure = (await import(`${'./gatehouse.config.ts'}?by=tls`)) as { readonly default: typeof config }
  const house = await startHouse(context, { ...secure.default, store: 'sqlite::memory:' })
  const by = (proto: string, path: string, method = 'GET'): Promise<Response> =>
    fetch(house.url + path, {
      method,
      redirect: 'manual',
      headers: { 'x-forwarded-proto': proto, 'x-forwarded-for': '203.0.113.7' },
    })
  const sent = await by('http', '/api/widgets?page=2')
  assert.deepEqual([sent.status, sent.headers.get('location')], [301, 'https://lazi.example/api/widgets?page=2'])
  const kept = await by('http', '/api/widgets', 'POST')
  assert.deepEqual([kept.status, kept.headers.get('location')], [308, 'https://lazi.example/api/widgets'])
  assert.equal((await by('https', '/api/widgets')).status, 401)
  assert.equal((await by('http', '/health')).status, 200, 'balancers ask without TLS')
})

test('TR11 L: the house itself verifies whom it calls: an upstream with a certificate that nobody vouches for is not asked', async (context) => {
  const upstream = await startHttps(context, mirror, { names: ['localhost'] })
  const house = await startHouse(context, {
    upstreams: { api: `https://localhost:${upstream.port}` },
    routes: [{ path: '/*', access: 'public', to: 'api' }],
  })
  assert.equal((await fetch(`${house.url}/anything`)).status, 502)
  assert.equal(upstream.requests.length, 0)
})
