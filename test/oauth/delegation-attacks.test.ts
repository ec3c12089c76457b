// What an agent could learn of a token that it found, or keep after its person has taken back what they allowed it.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { backendSecret, redirectUri } from '../support/oauth.ts'
import { basic, callApi, post, tokensFor } from '../support/oauth-clients.ts'
import { bearer } from '../support/people.ts'
import { clients, exchanges, refusalIn, type Scene, startScene } from './delegation-scene.ts'

const elsewhere = [
  {},
  { resource: 'https://elsewhere.example/' },
  { audience: 'elsewhere' },
  { scope: 'nothing:there' },
  { actor_token: 'x' },
  { requested_token_type: 'x' },
]

test('A57 RFC 8693 §2.2.2: whatever else is wrong with the request, it tells nothing of whether a token lives', async (context) => {
  const scene = await startScene(context)
  const [own, ended] = [await scene.signIn(), await scene.signIn()]
  const ofAnother = await scene.tokenAt('/planner', 'widgets:read')
  await scene.house.api('POST', '/api/auth/logout', { refresh_token: ended.refresh_token }, bearer(ended))
  for (const more of elsewhere) {
    const answers = await Promise.all(
      [own.access_token, ofAnother, ended.access_token, 'x'].map(async (token) =>
        JSON.stringify(refusalIn(await scene.exchange('tools', token, more))),
      ),
    )
    assert.equal(new Set(answers).size, 1, `${JSON.stringify(more)}: ${answers.join(' ')}`)
  }
})

/** `tools` serves `/mcp`, and people may allow it by name as well. */
async function startAllowing(context: TestContext): Promise<Scene> {
  const grants = ['authorization_code', 'token_exchange'] as const
  const allowing = clients.map((one) =>
    one.id === 'tools' ? { ...one, grants: [...grants], redirectUris: [redirectUri] } : one,
  )
  const scene = await startScene(context, { oauth: { clients: allowing } })
  const asked = { client_id: 'tools', scope: 'widgets:read', prompt: 'consent' }
  await tokensFor(scene.house, scene.walker, asked, { client_id: undefined }, basic('tools', backendSecret))
  return scene
}

async function withdraw({ house, signIn }: Scene, clientId: string): Promise<void> {
  const me = bearer(await signIn())
  const { body } = await house.api('GET', '/api/auth/grants', undefined, me)
  const grant = (body['grants'] as { id: string; client: { id: string } }[]).find(
    ({ client }) => client.id === clientId,
  )
  assert.equal((await house.api('DELETE', `/api/auth/grants/${grant?.id}`, undefined, me)).status, 200)
}

test('A57: by what a person allowed an agent it exchanges nothing of another client’s session, which a withdrawal would not end', async (context) => {
  const scene = await startAllowing(context)
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const handed = await scene.given('tools', subject, { scope: 'widgets:read' })
  const again = await scene.exchange('tools', handed, { scope: 'widgets:read' })
  assert.deepEqual([again.status, again.body['error']], [400, 'invalid_request'])
  assert.equal((await exchanges(scene)).at(-1)?.['because'], 'not-handed-to-it')
  assert.equal((await scene.exchange('tools', subject, { scope: 'widgets:read' })).status, 200)
  const own = await scene.given('tools', (await scene.signIn()).access_token)
  const narrowed = await scene.given('tools', own)
  await withdraw(scene, 'tools')
  assert.deepEqual([await callApi(scene.house, own), await callApi(scene.house, narrowed)], [401, 401])
})

test('A57: of exchanges while the person takes back what they allowed nothing is left', async (context) => {
  const scene = await startScene(context)
  await scene.allowAgent()
  const own = await scene.signIn()
  const asking = Array.from({ length: 12 }, () => scene.exchange('agent', own.access_token))
  const taking = withdraw(scene, 'agent')
  const answers = await Promise.all(asking)
  await taking
  for (const { status, body } of answers)
    if (status === 200) assert.equal(await callApi(scene.house, String(body['access_token'])), 401)
  assert.equal((await scene.exchange('agent', own.access_token)).status, 400)
})

test('A57 RFC 7009 §2.1 RFC 7662 §2.2: nobody but its holder sees, or ends, a token that was handed on', async (context) => {
  const scene = await startScene(context)
  const { house } = scene
  const subject = await scene.tokenAt('/mcp', 'mcp:tools widgets:read')
  const handed = await scene.given('tools', subject, { scope: 'widgets:read' })
  for (const [id, more] of [
    ['planner', {}],
    ['portal', {}],
    ['web-app', { client_id: 'web-app' }],
  ] as const) {
    const headers = 'client_id' in more ? {} : basic(id, backendSecret)
    const seen = await post(house, '/oauth/introspect', { token: handed, ...more }, headers)
    assert.notEqual(seen.body['active'], true, id)
    await post(house, '/oauth/revoke', { token: handed, ...more }, headers)
    assert.equal(await callApi(house, handed), 200, id)
  }
  await post(house, '/oauth/revoke', { token: handed }, basic('tools', backendSecret))
  assert.equal(await callApi(house, handed), 401)
  assert.equal(await callApi(house, subject, { path: '/mcp' }), 200, 'what it came of goes on')
})
