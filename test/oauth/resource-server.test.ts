import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { contract } from '../../src/wire/contract.ts'
import type { Endpoint } from '../../src/wire/shapes.ts'
import { bearer, publicUrl } from '../support/people.ts'
import { houseAudience, oauth, saidOf, startGuarded, toolsAudience } from '../way/clients.ts'

const metadata = `${publicUrl}/.well-known/oauth-protected-resource`

test('OA2 A36 D6: 403 insufficient_scope names all that the request needs, in the challenge and in the problem', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const token = lent(['widgets:read'])
  assert.equal((await ask('/widgets', token)).status, 200)
  assert.deepEqual(await saidOf(await ask('/widgets', token, { method: 'POST' })), {
    status: 403,
    code: 'insufficient-scope',
    scope: 'files:write widgets:write',
    challenge: `Bearer realm="gatehouse", error="insufficient_scope", error_description="The client was granted too little", scope="files:write widgets:write", resource_metadata="${metadata}"`,
  })
  const half = await saidOf(await ask('/widgets', lent(['widgets:write']), { method: 'POST' }))
  assert.equal(half.scope, 'files:write widgets:write', 'those that it has are named too: it needs them all at once')
  assert.equal((await ask('/widgets', lent(['widgets:write', 'files:write']), { method: 'POST' })).status, 200)
})

test('OA2: what the person may not, no scope helps with', async (context) => {
  const { ask, lent } = await startGuarded(context)
  for (const scopes of [[], ['files:write'], Object.keys(oauth.scopes ?? {})]) {
    const said = await saidOf(await ask('/projects', lent(scopes)))
    assert.deepEqual([said.status, said.code, said.challenge], [403, 'permission-required', null])
  }
  const withRole = await saidOf(await ask('/widgets', lent(['widgets:write'], { roles: [] })))
  assert.equal(withRole.code, 'permission-required')
})

test('OA2 A56: a client that was allowed nothing here gets nothing, also where being signed in is enough', async (context) => {
  const { ask, lent, ada } = await startGuarded(context)
  for (const scopes of [[], ['openid', 'profile', 'email'], Object.keys(oauth.scopes ?? {})]) {
    const said = await saidOf(await ask('/known', lent(scopes)))
    assert.deepEqual([said.status, said.code], [403, 'first-party-only'], scopes.join(' '))
  }
  assert.equal((await saidOf(await ask('/scoped', lent(['widgets:read'])))).scope, 'files:write')
  assert.equal((await ask('/scoped', lent(['files:write']))).status, 200)
  for (const path of ['/known', '/scoped', '/widgets', '/mcp', '/mcp/tools', '/mcp/inner/a'])
    assert.equal((await ask(path, ada.access_token)).status, 200, `our own sign-in is not asked for scopes: ${path}`)
  const lends = await saidOf(await ask('/widgets', lent([]), { method: 'DELETE' }))
  assert.deepEqual(lends.code, 'first-party-only', 'the person may, and there is no scope that lends it')
})

test('OA4 TK6 A5 A23 D3: a token is good at the resource that it was issued for, and nowhere else', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const all = Object.keys(oauth.scopes ?? {})
  const inner = `${toolsAudience}/inner`
  const good: readonly (readonly [path: string, audience: string])[] = [
    ['/scoped', houseAudience],
    ['/widgets', houseAudience],
    ['/mcpx', houseAudience],
    ['/rest/mcp', houseAudience],
    ['/mcp', toolsAudience],
    ['/mcp/tools', toolsAudience],
    ['/mcp/inner/a', inner],
  ]
  for (const [path, audience] of good) {
    for (const presented of [houseAudience, toolsAudience, inner]) {
      const response = await ask(path, lent(all, { audience: presented }))
      assert.equal(response.status, presented === audience ? 200 : 401, `${presented} at ${path}`)
      if (response.status === 401) {
        const said = await saidOf(response)
        assert.equal(said.code, 'token-invalid')
        assert.match(said.challenge ?? '', /^Bearer realm="gatehouse", error="invalid_token"/)
      }
    }
  }
})

test('OA4 A23: where it is public, a token of another resource is nobody’s', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const known = (await (await ask('/open', lent(['widgets:read']))).json()) as { headers: Record<string, string> }
  assert.equal(known.headers['x-gatehouse-client'], 'app')
  const foreign = (await (await ask('/open', lent(['mcp:tools'], { audience: toolsAudience }))).json()) as typeof known
  assert.equal(foreign.headers['x-gatehouse-user'], undefined)
  assert.equal(foreign.headers['x-gatehouse-client'], undefined)
})

test('OA2: a scope that the resource does not offer lends nothing there', async (context) => {
  const { ask, lent } = await startGuarded(context, {
    routes: [{ path: '/mcp/widgets', require: 'widgets:read', to: 'api' }],
  })
  const said = await saidOf(await ask('/mcp/widgets', lent(['widgets:read'], { audience: toolsAudience })))
  assert.equal(said.code, 'first-party-only')
})

test('A36 D2: a stranger is told where to begin, and what to ask for', async (context) => {
  const { url } = await startGuarded(context)
  for (const [path, challenge] of [
    ['/known', `Bearer realm="gatehouse", resource_metadata="${metadata}"`],
    ['/scoped', `Bearer realm="gatehouse", scope="files:write", resource_metadata="${metadata}"`],
    ['/widgets', `Bearer realm="gatehouse", scope="widgets:read", resource_metadata="${metadata}"`],
    ['/api/admin/users', `Bearer realm="gatehouse", resource_metadata="${metadata}"`], // what lends it is privileged
    ['/mcp', `Bearer realm="gatehouse", scope="mcp:tools", resource_metadata="${metadata}/mcp"`],
    ['/mcp/tools', `Bearer realm="gatehouse", scope="mcp:tools", resource_metadata="${metadata}/mcp"`],
    ['/mcp/inner/a', `Bearer realm="gatehouse", scope="mcp:tools", resource_metadata="${metadata}/mcp/inner"`],
  ] as const) {
    const response = await fetch(url + path)
    assert.equal(response.status, 401)
    assert.equal(
      response.headers.get('www-authenticate'),
      `${challenge}, DPoP realm="gatehouse", algs="ES256 EdDSA Ed25519 PS256 RS256"`,
    )
  }
  const wrong = await fetch(`${url}/mcp`, { headers: { authorization: 'Bearer nonsense' } })
  assert.equal(
    wrong.headers.get('www-authenticate'),
    `Bearer realm="gatehouse", error="invalid_token", error_description="Invalid token", scope="mcp:tools", resource_metadata="${metadata}/mcp"`,
  )
  assert.equal((await fetch(`${url}/api/auth/sessions`)).headers.get('www-authenticate'), 'Bearer realm="gatehouse"')
})

test('A36: without an authorization server nothing of all this is said', async (context) => {
  const { url } = await startGuarded(context, {
    oauth: undefined,
    routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
  } as never)
  assert.equal((await fetch(`${url}/known`)).headers.get('www-authenticate'), 'Bearer realm="gatehouse"')
  const dpop = await fetch(`${url}/known`, { headers: { authorization: 'DPoP a.b.c', dpop: 'a.b.c' } })
  assert.equal(dpop.status, 401)
  assert.equal((await fetch(metadata.replace(publicUrl, url))).status, 404)
})

test('D7: a token in the query is refused, however it is spelled, and none is taken from there', async (context) => {
  const { url, ask, lent, ada } = await startGuarded(context)
  for (const query of [
    `access_token=${ada.access_token}`,
    'access_token=',
    'access_token',
    'a=b&access_token=c',
    '%61ccess%5ftoken=c',
    'access%5Ftoken=c',
    'access_token=c&access_token=d',
  ]) {
    for (const headers of [{}, bearer(ada)]) {
      const response = await fetch(`${url}/known?${query}`, { headers })
      const said = await saidOf(response)
      assert.deepEqual([said.status, said.code], [400, 'bad-request'], query)
      assert.match(said.challenge ?? '', /error="invalid_request"/)
    }
  }
  assert.equal((await ask('/scoped?access_tokens=1&token=2&a=%20', lent(['files:write']))).status, 200)
  assert.equal((await fetch(`${url}/open?access_token=c`)).status, 200, 'what is public is not asked')
  assert.equal((await fetch(`${url}/api/auth/me?access_token=${ada.access_token}`)).status, 400)
})

test('A57 D5: the upstream learns which client asks, and cannot be told so from outside', async (context) => {
  const { ask, lent, ada } = await startGuarded(context)
  const forged = { 'x-gatehouse-client': 'evil', 'x-gatehouse-scope': 'everything', 'X-Gatehouse-User': 'root' }
  const seen = (await (await ask('/widgets', lent(['widgets:read', 'openid']), { headers: forged })).json()) as {
    headers: Record<string, string>
    raw: string[]
  }
  const { 'x-gatehouse-assertion': assertion = '', 'x-gatehouse-request-id': _, ...told } = seen.headers
  const { client_id, scope } = decodeJwt(assertion)
  assert.deepEqual([client_id, scope], ['app', 'widgets:read openid'])
  assert.deepEqual(Object.fromEntries(Object.entries(told).filter(([name]) => name.startsWith('x-gatehouse-'))), {
    'x-gatehouse-user': ada.user.id,
    'x-gatehouse-roles': '',
    'x-gatehouse-permissions': 'widgets:read',
    'x-gatehouse-client': 'app',
    'x-gatehouse-scope': 'widgets:read openid',
  })
  const own = (await (await ask('/widgets', ada.access_token, { headers: forged })).json()) as typeof seen
  assert.equal(own.headers['x-gatehouse-client'], undefined)
  assert.equal(own.headers['x-gatehouse-scope'], undefined)
  assert.equal(own.headers['x-gatehouse-roles'], 'user')
})

test('A34: a client by itself is no user, to us and to the upstream', async (context) => {
  const { ask, ownOf } = await startGuarded(context)
  const response = await ask('/widgets', ownOf('backend', ['widgets:read']))
  assert.equal(response.status, 200)
  const { headers } = (await response.json()) as { headers: Record<string, string> }
  assert.equal(headers['x-gatehouse-user'], undefined)
  assert.equal(headers['x-gatehouse-client'], 'backend')
  assert.equal(headers['x-gatehouse-permissions'], 'widgets:read')
  assert.equal((await saidOf(await ask('/widgets', ownOf('backend', [])))).scope, 'widgets:read')
  assert.equal((await saidOf(await ask('/known', ownOf('backend', ['widgets:read'])))).code, 'first-party-only')
  for (const path of ['/api/auth/sessions', '/api/auth/mfa', '/api/auth/passkeys'])
    assert.equal((await saidOf(await ask(path, ownOf('backend', ['widgets:read'])))).code, 'first-party-only')
})

test('A56: a client may not touch a person’s account, whatever it was granted', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const scopes = [...Object.keys(oauth.scopes ?? {}), 'openid', 'profile', 'email']
  const token = lent(scopes, { roles: ['admin'] })
  const endpoints: readonly (readonly [string, Endpoint])[] = Object.entries(contract)
  const own = endpoints.filter(([, { access, delegable }]) => access === 'authenticated' && delegable !== true)
  assert.ok(own.length > 15)
  for (const [name, { method, path }] of own) {
    const said = await saidOf(await ask(path.replace(/:\w+/g, 'x'), token, { method }))
    assert.deepEqual([said.status, said.code], [403, 'first-party-only'], name)
  }
})

test('A56: to our pages and public endpoints a client is nobody, though it writes our `Origin`', async (context) => {
  const { ask, lent, ada, url } = await startGuarded(context)
  const headers = {
    origin: publicUrl,
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const whither = async (token: string, method: string, path: string): Promise<unknown> => {
    const init = { method, headers: { ...headers, authorization: `Bearer ${token}` }, redirect: 'manual' } as const
    const response = await fetch(url + path, { ...init, ...(method === 'POST' ? { body: '' } : {}) })
    return [response.status, response.headers.get('location')]
  }
  const token = lent([...Object.keys(oauth.scopes ?? {}), 'openid', 'profile', 'email'])
  const signIn = '/auth/sign-in?return_to=%2Fauth%2Faccount'
  for (const [method, path] of [
    ['GET', '/auth/account'],
    ['POST', '/auth/account/password'],
    ['POST', '/auth/account/sessions/end'],
  ] as const) {
    assert.deepEqual(await whither(token, method, path), [303, signIn], path)
    assert.notDeepEqual(await whither(ada.access_token, method, path), [303, signIn], 'the person is known')
  }
  assert.equal((await ask('/api/auth/providers', token)).status, 200)
})

test('A57: a client does of an administrator’s work what its scopes lend, and nothing that is done in person', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const manager = lent(['people:manage'], { roles: ['admin'] })
  assert.equal((await ask('/api/admin/users', manager)).status, 200)
  const reader = await saidOf(await ask('/api/admin/users', lent(['widgets:read'], { roles: ['admin'] })))
  assert.deepEqual([reader.code, reader.scope], ['insufficient-scope', 'people:manage'])
  assert.equal((await saidOf(await ask('/api/admin/users', lent(['people:manage'])))).code, 'permission-required')
  const endpoints: readonly (readonly [string, Endpoint])[] = Object.entries(contract)
  for (const [name, { method, path, access, inPerson }] of endpoints) {
    if (typeof access === 'string' || inPerson !== true) continue
    const said = await saidOf(await ask(path.replace(/:\w+/g, 'x'), manager, { method }))
    assert.equal(said.status, 403, name)
    assert.ok(['in-person-only', 'first-party-only'].includes(String(said.code)), `${name}: ${said.code}`)
  }
})

test('OA2: who a client asks for, it learns with the scopes that say so; whether its token is good, with none', async (context) => {
  const { ask, lent, ada } = await startGuarded(context)
  assert.equal((await ask('/api/auth/validate', lent([]))).status, 200)
  assert.equal((await saidOf(await ask('/api/auth/me', lent(['openid'])))).scope, 'profile email')
  const me = await ask('/api/auth/me', lent(['profile', 'email']))
  assert.equal(((await me.json()) as { id: string }).id, ada.user.id)
})

test('A60: the record says which client asked, and what it was refused', async (context) => {
  const { ask, lent, events, ada } = await startGuarded(context)
  await (await ask('/widgets', lent(['widgets:read']))).text()
  await (await ask('/known', lent(['widgets:read']))).text()
  await (await ask('/widgets', ada.access_token)).text()
  const seen = (await events()).filter(({ resource }) => ['GET /widgets', '* /known'].includes(resource.id))
  assert.deepEqual(
    seen.map(({ type, details, actor }) => [type, details['because'], details['client'], actor.id]),
    [
      ['api_access', '', 'app', ada.user.id],
      ['authorization_failure', 'first-party-only', 'app', ada.user.id],
      ['api_access', '', undefined, ada.user.id],
    ],
  )
})

test('D5: no token of ours goes to an upstream, not even where foreign ones do', async (context) => {
  const { ask, lent, ada, url } = await startGuarded(context)
  const sentOn = async (headers: Record<string, string>): Promise<unknown[]> => {
    const response = await fetch(`${url}/foreign`, { headers })
    const seen = (await response.json()) as { headers: Record<string, string> }
    return [seen.headers['authorization'], seen.headers['dpop']]
  }
  const tokens = {
    'our own': ada.access_token,
    'our refresh token': ada.refresh_token,
    'a client’s': lent(['widgets:read']),
    'a client’s for another resource': lent(['mcp:tools'], { audience: toolsAudience }),
    'a client’s that is bound to a key': lent(['widgets:read'], { keyThumbprint: 'A'.repeat(43) }),
  }
  for (const [what, token] of Object.entries(tokens)) {
    for (const scheme of ['Bearer', 'bearer', 'DPoP', 'dpop']) {
      const sent = await sentOn({ authorization: `${scheme} ${token}`, dpop: 'a.b.c' })
      assert.deepEqual(sent, [undefined, undefined], `${what} as ${scheme}`)
    }
  }
  assert.deepEqual(await sentOn({ authorization: 'Bearer of-another-house', dpop: 'a.b.c' }), [
    'Bearer of-another-house',
    'a.b.c',
  ])
  assert.deepEqual(await sentOn({ authorization: 'Basic YTpi' }), ['Basic YTpi', undefined])
  const guarded = (await (await ask('/scoped', lent(['files:write']), { headers: { dpop: 'a.b.c' } })).json()) as {
    headers: Record<string, string>
  }
  assert.equal(guarded.headers['authorization'], undefined)
  assert.equal(guarded.headers['dpop'], undefined)
})

test('A50: a client’s token is asked for a recent sign-in like any other', async (context) => {
  const { ask, lent } = await startGuarded(context)
  const said = await saidOf(await ask('/fresh', lent(['files:write'])))
  assert.equal(said.code, 'step-up-required')
  assert.match(
    said.challenge ?? '',
    /^Bearer realm="gatehouse", error="insufficient_user_authentication".*max_age="300"/,
  )
})
