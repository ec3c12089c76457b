import assert from 'node:assert/strict'
import { test } from 'node:test'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'

const config = ['--config', 'examples/lazi/gatehouse.config.ts']
const lara = { email: 'lara@example.com', password: 'a passphrase of Lara herself' }

test('Lazi', async (context) => {
  const house: Running = await startProcess(context, config)
  const created = await command(['user', 'create', lara.email, '--role', 'user', '--data', house.dataDir, ...config], {
    GATEHOUSE_USER_PASSWORD: lara.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test(
    'ID5: a browser’s session is kept at the server, for an hour, behind a cookie of this host',
    async () => {
      const form = await fetch(`${house.url}/auth/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url },
        body: new URLSearchParams({ identifier: lara.email, password: lara.password }),
      })
      assert.equal(form.status, 303)
      const cookie = form.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse='))
      const [pair = '', ...flags] = (cookie ?? '').split('; ')
      assert.deepEqual(flags.toSorted(), ['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Strict', 'Secure'])
      const list = await fetch(`${house.url}/api/auth/sessions`, { headers: { cookie: pair } })
      const { sessions } = (await list.json()) as { sessions: { id: string; current: boolean }[] }
      const [mine] = sessions.filter(({ current }) => current)
      const foreign = await fetch(`${house.url}/api/auth/sessions/${mine?.id}`, {
        method: 'DELETE',
        headers: { cookie: pair, origin: 'https://evil.example' },
      })
      assert.equal(foreign.status, 403)
      const ended = await fetch(`${house.url}/api/auth/sessions/${mine?.id}`, {
        method: 'DELETE',
        headers: { cookie: pair, origin: house.url },
      })
      assert.equal(ended.status, 200)
      assert.equal((await fetch(`${house.url}/api/auth/sessions`, { headers: { cookie: pair } })).status, 401)
    },
  )

  await context.test('TK3: tokens are refreshed where Lazi has always had it', async () => {
    const tokens = await signIn(house.url, lara)
    const refreshed = await post(`${house.url}/public/oauth/token/refresh`, { refresh_token: tokens.refresh_token })
    assert.equal(refreshed.status, 200)
    const answer = (await refreshed.json()) as Record<string, unknown>
    for (const field of ['access_token', 'refresh_token', 'expires_in']) assert.ok(answer[field], field)
  })

  await context.test(
    'CT1: a widget that fits its schema is let through; one that does not is answered field by field',
    async () => {
      const { access_token } = await signIn(house.url, lara)
      const authorization = { authorization: `Bearer ${access_token}` }
      assert.equal(
        (await post(`${house.url}/api/widgets`, { name: 'Clock - large', size: 'extra_large' }, authorization)).status,
        201,
      )
      const refused = await post(
        `${house.url}/api/widgets`,
        { name: 'Clock!', description: 'x'.repeat(501), size: 'huge' },
        authorization,
      )
      assert.equal(refused.status, 422)
      assert.deepEqual(Object.keys(((await refused.json()) as { errors: object }).errors).toSorted(), [
        'description',
        'name',
        'size',
      ])
    },
  )

  await context.test('ID3 L: 5 failures in 15 minutes of a name from an address lock the pair', async () => {
    for (let time = 0; time < 5; time++)
      assert.equal(
        (await post(`${house.url}/api/auth/login`, { email: lara.email, password: `wrong ${time}` })).status,
        401,
      )
    assert.equal((await post(`${house.url}/api/auth/login`, lara)).status, 401)
    assert.ok(await signIn(house.url, administrator), 'another name from the same address is another pair')
    const unlocked = await command(['user', 'unlock', lara.email, '--data', house.dataDir, ...config])
    assert.equal(unlocked.code, 0, unlocked.err)
    assert.ok(await signIn(house.url, lara))
  })
})
