// TR11: who comes without TLS is sent to come again with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { makeAuthority } from '../support/certificates.ts'
import { mirror, rawExchange, startHouse, startUpstream } from '../support/house.ts'
import { startTlsHouse } from '../support/tls.ts'

const publicUrl = 'https://gate.example.com'

interface Said {
  readonly status: number
  readonly location: string | undefined
  readonly head: string
}

async function ask(port: number, target: string, fields: readonly string[] = [], method = 'GET'): Promise<Said> {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: evil.example', 'Connection: close', ...fields, '', '']
  const answer = await rawExchange(port, lines.join('\r\n'))
  const [head = ''] = answer.split('\r\n\r\n')
  return {
    status: Number(head.slice(9, 12)),
    location: /^location: (.*)$/im.exec(head)?.[1]?.trim(),
    head,
  }
}

test('TR11: a plain port sends everybody to the same place under https, and answers nothing else', async (context) => {
  let reached = 0
  const upstream = await startUpstream(context, (request, response) => {
    reached++
    mirror(request, response)
  })
  const root = await makeAuthority('CN=Root')
  const house = await startTlsHouse(context, root, {
    config: {
      publicUrl,
      upstreams: { api: upstream.url },
      routes: [{ path: '/*', access: 'public', to: 'api' }],
      listen: { https: { redirectFrom: 0 }, trustedProxies: ['127.0.0.1'] },
    },
  })
  const port = house.listener.redirectPort ?? assert.fail('there is no plain port')
  for (const [method, status] of [
    ['GET', 301],
    ['HEAD', 301],
    ['POST', 308],
    ['DELETE', 308],
  ] as const) {
    const said = await ask(port, '/a%20b?next=//evil', [], method)
    assert.deepEqual([said.status, said.location], [status, `${publicUrl}/a%20b?next=//evil`], method)
    for (const field of [/^x-content-type-options: nosniff/im, /^x-request-id: ./im, /^strict-transport-security: /im])
      assert.match(said.head, field, method)
  }
  for (const path of ['/health', '/auth/sign-in', '/nowhere', '/.well-known/acme-challenge/token'])
    assert.equal((await ask(port, path)).location, publicUrl + path)
  const claimed = await ask(port, '/open', ['X-Forwarded-Proto: https', 'X-Forwarded-For: 203.0.113.9'])
  assert.equal(claimed.status, 301, 'whatever a proxy says of it')
  for (const target of [
    '//evil.example/',
    '/\\evil.example',
    '/a/../b',
    '/a%0d%0aSet-Cookie:x',
    'http://other.example/',
  ])
    assert.notEqual((await ask(port, target)).location?.startsWith(`${publicUrl}/`), false, target)
  assert.equal((await ask(port, '//evil.example/')).status, 400)
  assert.equal(reached, 0)
  assert.equal((await house.ask('/open')).status, 200, 'with TLS')
  await house.close()
  await assert.rejects(ask(port, '/open'), /ECONNREFUSED/)
})

test('TR11: a request that came to a trusted proxy without TLS is sent to https, but for the paths that are exempt', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const start = async (listen: Config['listen']): Promise<number> =>
    (
      await startHouse(context, {
        publicUrl,
        upstreams: { api: upstream.url },
        limits: false,
        routes: [{ path: '/*', access: 'public', to: 'api' }],
        ...(listen === undefined ? {} : { listen }),
      })
    ).port
  const port = await start({ https: 'required', trustedProxies: ['127.0.0.1'] })
  const through = (scheme: string): string[] => ['X-Forwarded-For: 203.0.113.9', `X-Forwarded-Proto: ${scheme}`]
  assert.equal((await ask(port, '/open', through('https'))).status, 200)
  const redirected = await ask(port, '/open?q=1', through('http'))
  assert.deepEqual([redirected.status, redirected.location], [301, `${publicUrl}/open?q=1`])
  assert.equal((await ask(port, '/open', through('http'), 'PUT')).status, 308)
  assert.equal((await ask(port, '/open')).status, 301, 'nobody said that there was TLS')
  assert.equal((await ask(port, '/open', through('https, http'))).status, 301)
  assert.equal((await ask(port, '/open', [...through('https'), 'X-Forwarded-Proto: http'])).status, 301)
  for (const path of ['/health', '/health/live', '/health/ready'])
    assert.equal((await ask(port, path)).status, 200, path)
  assert.equal((await ask(port, '/healthy')).status, 301, 'a path is exempt whole')

  const own = await start({ https: { exempt: ['/status'] }, trustedProxies: ['127.0.0.1'] })
  assert.equal((await ask(own, '/status')).status, 200)
  assert.equal((await ask(own, '/health')).status, 301)

  const elsewhere = await start({ https: 'required', trustedProxies: ['10.0.0.0/8'] })
  assert.equal((await ask(elsewhere, '/open', through('https'))).status, 301, 'only a trusted proxy is believed')
})

test('TR11: a configuration that would send people nowhere, or in a circle, is refused at load', () => {
  const mistakes = (config: Config): readonly string[] => {
    const outcome = parseConfig(config, {})
    return 'mistakes' in outcome ? outcome.mistakes.map(({ path, message }) => `${path}: ${message}`) : []
  }
  const behind = { trustedProxies: ['10.0.0.0/8'] }
  assert.deepEqual(mistakes({ publicUrl, listen: { ...behind, https: 'required' } }), [])
  assert.match(String(mistakes({ listen: { ...behind, https: 'required' } })), /^listen\.https: expected `publicUrl`/)
  const local = { publicUrl: 'http://localhost:8080', listen: { ...behind, https: 'required' as const } }
  assert.match(String(mistakes(local)), /^listen\.https: expected `publicUrl` with `https:\/\/`/)
  assert.match(String(mistakes({ publicUrl, listen: { https: 'required' } })), /no request could ever come by https/)
  const circle = { publicUrl, listen: { ...behind, port: 8080, https: { redirectFrom: 8080 } } }
  assert.match(String(mistakes(circle)), /^listen\.https\.redirectFrom: `8080` is where the house listens/)
  for (const https of ['always', true, { from: 80 }, { exempt: ['health'] }, { redirectFrom: 70_000 }])
    assert.match(String(mistakes({ publicUrl, listen: { ...behind, https: https as never } })), /^listen\.https/)
})
