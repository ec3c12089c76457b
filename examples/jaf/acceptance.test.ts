import assert from 'node:assert/strict'
import { test } from 'node:test'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'

const config = ['--config', 'examples/jaf/gatehouse.config.ts']
const jo = { email: 'jo@example.com', password: 'a passphrase of Jo herself' }

test('JAF', async (context) => {
  const house: Running = await startProcess(context, config)
  const created = await command(['user', 'create', jo.email, '--role', 'user', '--data', house.dataDir, ...config], {
    GATEHOUSE_USER_PASSWORD: jo.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test('ID1: a password signs in; a weak one is not taken', async () => {
    assert.ok(await signIn(house.url, jo))
    const weak = await command(['user', 'create', 'weak@example.com', '--data', house.dataDir, ...config], {
      GATEHOUSE_USER_PASSWORD: 'password12345678',
    })
    assert.equal(weak.code, 2)
    assert.match(weak.err, /guessed first/)
  })

  await context.test('TK1: HS256, issued by jaf-system, for an hour', async () => {
    const { access_token, expires_in } = await signIn(house.url, jo)
    const [header, claims] = access_token.split('.').map((part) => {
      try {
        return JSON.parse(Buffer.from(part, 'base64url').toString())
      } catch {
        return undefined
      }
    })
    assert.deepEqual([header.alg, claims.iss, claims.exp - claims.iat, expires_in], ['HS256', 'jaf-system', 3600, 3600])
  })

  await context.test('AZ2: a function demands a permission, and says which', async () => {
    const { access_token } = await signIn(house.url, jo)
    const refused = await post(`${house.url}/api/chat/advanced`, {}, { authorization: `Bearer ${access_token}` })
    assert.equal(refused.status, 403)
    assert.equal(((await refused.json()) as { error: string }).error, "Permission 'chat:advanced' required")
  })

  await context.test('CT1: a message is 1 to 10000 characters of a known type', async () => {
    const { access_token } = await signIn(house.url, jo)
    const say = async (body: object): Promise<number> =>
      (await post(`${house.url}/api/chat`, body, { authorization: `Bearer ${access_token}` })).status
    assert.equal(await say({ content: 'x'.repeat(10_000), type: 'text' }), 201)
    assert.equal(await say({ content: 'x'.repeat(10_001) }), 422)
    assert.equal(await say({ content: '', type: 'text' }), 422)
    assert.equal(await say({ content: 'hello', type: 'song' }), 422)
  })

  await context.test('ID2 ID3: unknown, wrong and locked read alike; repeated failures lock', async () => {
    const plain = async (email: string, password: string): Promise<unknown> => {
      const response = await post(`${house.url}/api/auth/login`, { email, password })
      return { status: response.status, ...((await response.json()) as object), request_id: '' }
    }
    const wrong = await plain(jo.email, 'wrong')
    assert.deepEqual(await plain('nobody@example.com', 'wrong'), wrong)
    for (let time = 0; time < 4; time++) await plain(jo.email, 'wrong')
    assert.deepEqual(await plain(jo.email, jo.password), wrong)
    assert.ok(await signIn(house.url, administrator))
  })
})
