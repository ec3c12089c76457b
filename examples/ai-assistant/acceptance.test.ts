import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, lettersIn, tokenIn } from '../../test/support/letters.ts'
import { totpCode } from '../../test/support/people.ts'
import { command, post, type Running, signIn, startProcess, type TokensAnswer } from '../../test/support/process.ts'

const config = ['--config', 'examples/ai-assistant/gatehouse.config.ts']
const ann = { email: 'ann@example.com', password: 'a passphrase of Ann herself' }

test('AI Assistant', async (context) => {
  const letters = mkdtempSync(join(tmpdir(), 'letters-'))
  const environment = {
    ASSISTANT_LETTERS: letters,
    GOOGLE_CLIENT_SECRET: 'of google',
    GITHUB_CLIENT_SECRET: 'of github',
    MICROSOFT_CLIENT_SECRET: 'of microsoft',
  }
  const house: Running = await startProcess(context, config, { environment })

  await context.test('CT1: a person’s name here has 3 to 20 of the known signs, and the address is one', async () => {
    for (const [username, email, fields] of [
      ['ab', ann.email, ['username']],
      ['with space', ann.email, ['username']],
      ['x'.repeat(21), ann.email, ['username']],
      ['ann_1', 'no address', ['email']],
    ] as const) {
      const refused = await post(`${house.url}/api/auth/register`, { ...ann, email, name: 'Ann', username })
      assert.equal(refused.status, 422)
      assert.deepEqual(Object.keys(((await refused.json()) as { errors: object }).errors), fields)
    }
  })

  await context.test('ID1 ID8: somebody registers, proves the address by a letter, and signs in by name', async () => {
    assert.equal((await post(`${house.url}/api/auth/register`, { ...ann, name: 'Ann', username: 'ann_1' })).status, 202)
    const token = await eventually(() => tokenIn(lettersIn(letters).at(-1)))
    assert.equal((await post(`${house.url}/api/auth/email/verify`, { token })).status, 200)
    const byName = await post(`${house.url}/api/auth/login`, { username: 'Ann_1', password: ann.password })
    assert.equal(byName.status, 200)
    const { expires_in } = (await byName.json()) as TokensAnswer
    assert.equal(expires_in, 900, 'TK1: 15 minutes')
  })

  await context.test(
    'ID4: Google, GitHub and Microsoft are there; leaving sends state and PKCE, and binds the browser',
    async () => {
      const { providers } = (await (await fetch(`${house.url}/api/auth/providers`)).json()) as {
        providers: { name: string }[]
      }
      assert.deepEqual(providers.map(({ name }) => name).toSorted(), ['github', 'google', 'microsoft'])
      const sent = await fetch(`${house.url}/auth/login/github`, { redirect: 'manual' })
      const to = new URL(sent.headers.get('location') ?? '')
      assert.equal(to.origin + to.pathname, 'https://github.com/login/oauth/authorize')
      assert.equal(to.searchParams.get('scope'), 'read:user user:email')
      assert.ok((to.searchParams.get('state') ?? '').length >= 43)
      assert.equal(to.searchParams.get('code_challenge_method'), 'S256')
      assert.match(sent.headers.getSetCookie().join(), /__Host-gatehouse-flow=.*Max-Age=600.*HttpOnly/)
      const forged = await fetch(`${house.url}/auth/callback/github?code=x&state=${to.searchParams.get('state')}`)
      assert.equal(forged.status, 401, 'another browser')
    },
  )

  await context.test('ID5: the session cookie has its flags, and lasts an hour', async () => {
    const form = await fetch(`${house.url}/auth/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: house.url },
      body: new URLSearchParams({ identifier: 'ann_1', password: ann.password }),
    })
    const cookie = form.headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse='))
    const [, ...flags] = (cookie ?? '').split('; ')
    assert.deepEqual(flags.toSorted(), ['HttpOnly', 'Max-Age=3600', 'Path=/', 'SameSite=Strict', 'Secure'])
  })

  await context.test('ID7: who takes a tool away has shown two factors', async () => {
    const granted = await command(
      ['user', 'grant', ann.email, 'developer', '--data', house.dataDir, ...config],
      environment,
    )
    assert.equal(granted.code, 0, granted.err)
    const tokens = await signIn(house.url, ann)
    const bearer = { authorization: `Bearer ${tokens.access_token}` }
    const remove = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${house.url}/api/tools/search`, { method: 'DELETE', headers })
    const refused = await remove(bearer)
    assert.equal(refused.status, 401)
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      /insufficient_user_authentication.*acr_values="aal2".*max_age="900"/,
    )
    const begun = (await (await post(`${house.url}/api/auth/mfa/totp`, undefined as never, bearer)).json()) as {
      secret: string
    }
    const confirmed = await post(
      `${house.url}/api/auth/mfa/totp/confirm`,
      { code: totpCode(begun.secret, Date.now()) },
      bearer,
    )
    const { recovery_codes } = (await confirmed.json()) as { recovery_codes: string[] }
    const again = await post(`${house.url}/api/auth/step-up`, { recovery_code: recovery_codes[0] }, bearer)
    const { access_token } = (await again.json()) as TokensAnswer
    assert.equal((await remove({ authorization: `Bearer ${access_token}` })).status, 200)
  })

  await context.test('ID3 A: 5 failures in 5 minutes lock the account for 30', async () => {
    for (let time = 0; time < 5; time++)
      assert.equal((await post(`${house.url}/api/auth/login`, { email: ann.email, password: 'wrong' })).status, 401)
    const locked = await post(`${house.url}/api/auth/login`, ann)
    assert.deepEqual([locked.status, ((await locked.json()) as { code: string }).code], [401, 'credentials-invalid'])
  })
})
