// The dialects of GitHub and Microsoft, against servers that stand where theirs do.
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Send } from '../../../src/authn/provider/bounded-fetch.ts'
import type { ProviderProblem } from '../../../src/authn/provider/problem.ts'
import { crookedIssuer, githubLike, type Tricks, visit } from '../../support/providers.ts'
import { begun, identity, open, problemIn, secretRef, type Written } from './sign-in.ts'

suite('GitHub', () => {
  function written(origin: string): Written {
    const oauth = `${origin}/login/oauth`
    const endpoints = {
      authorization: `${oauth}/authorize`,
      token: `${oauth}/access_token`,
      user: `${origin}/user`,
      emails: `${origin}/user/emails`,
    }
    return { clientId: 'gatehouse', clientSecret: secretRef, endpoints }
  }
  async function signIn(context: TestContext, answers: Parameters<typeof githubLike>[1] = {}) {
    const { origin, authorizations } = await githubLike(context, answers)
    const providers = open('github', written(origin), { secret: 'of github' })
    const { url, flow } = begun(await providers.begin('github'))
    const back = await visit(url)
    return { origin, authorizations, providers, flow, back, outcome: await providers.finish(flow, back) }
  }

  test('ID4: a person is the number, with the address that is primary and verified', async (context) => {
    const { origin, authorizations, providers, flow, back, outcome } = await signIn(context)
    assert.deepEqual(outcome, {
      provider: 'github',
      issuer: origin, // a server that is not GitHub does not speak for GitHub's accounts
      subject: '583231',
      email: 'ada@example.com',
      emailVerified: true,
      name: 'Ada',
      refreshToken: undefined,
    })
    assert.equal(authorizations[0]?.get('scope'), 'read:user user:email')
    assert.equal(authorizations[0]?.get('code_challenge_method'), 'S256')
    assert.equal(authorizations[0]?.has('nonce'), false)
    const again = await providers.finish(flow, back)
    assert.equal(problemIn(again), 'exchange-failed')
    assert.match((again as ProviderProblem).detail, /bad_verification_code/)
    back.searchParams.set('iss', 'https://other.example/login/oauth')
    assert.equal(problemIn(await providers.finish(flow, back)), 'issuer-mismatch')
  })

  test('A47: an address that is not verified is said to be so; one that was not opened to us is none', async (context) => {
    const unverified = [{ email: 'ada@example.com', primary: true, verified: false }]
    const answers = [
      [{ emails: unverified }, ['ada@example.com', false]],
      [{ emails: [{ email: 'ada@example.com', primary: true, verified: 'true' }] }, ['ada@example.com', false]],
      [{ emails: [{ email: 'ada@example.com', primary: false, verified: true }] }, [undefined, false]],
      [{ status: 403 }, [undefined, false]],
      [{ emails: [null, 17, 'x'] }, [undefined, false]],
      [{ emails: { message: 'no' } }, [undefined, false]],
    ] as const
    for (const [answer, expected] of answers) {
      const { email, emailVerified } = identity((await signIn(context, answer)).outcome)
      assert.deepEqual([email, emailVerified], expected, JSON.stringify(answer))
    }
  })

  test('a user without a number is nobody', async (context) => {
    for (const user of [{ login: 'ada' }, { id: '583231' }, { id: 0 }, { id: 1.5 }, { id: 2 ** 60 }, [], null, 'x'])
      assert.equal(problemIn((await signIn(context, { user })).outcome), 'exchange-failed', JSON.stringify(user))
  })

  test('an API that is down is unavailable', async (context) => {
    assert.equal(problemIn((await signIn(context, { status: 502 })).outcome), 'unavailable')
  })
})

suite('Microsoft', () => {
  const host = 'https://login.microsoftonline.com'
  const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const issuerOf = (id: string) => `${host}/${id}/v2.0`

  /** A sign-in with a server that stands where Microsoft's does. */
  async function signIn(
    context: TestContext,
    tricks: Tricks,
    {
      metadataIssuer = issuerOf('{tenantid}'),
      responseIssuer,
      ...written
    }: Partial<Written> & { metadataIssuer?: string; responseIssuer?: string } = {},
  ) {
    const microsoft = await crookedIssuer(context, tricks, metadataIssuer)
    const asked: string[] = []
    const send: Send = (address, init) => {
      asked.push(address)
      return fetch(address.replace(host, microsoft.origin), init)
    }
    const providers = open('microsoft', { clientId: 'gatehouse', clientSecret: secretRef, ...written }, { send })
    const outcome = await providers.begin('microsoft')
    if ('problem' in outcome) return { asked, url: undefined, outcome }
    const back = microsoft.authorize(outcome.url)
    if (responseIssuer !== undefined) back.searchParams.set('iss', responseIssuer)
    return { asked, url: new URL(outcome.url), outcome: await providers.finish(outcome.flow, back) }
  }

  test('ID4: for all tenants the issuer of a person is that of their tenant', async (context) => {
    const claims = { iss: issuerOf(tenant), tid: tenant, email_verified: true }
    const { asked, url, outcome } = await signIn(context, { claims })
    const { issuer, subject, email, emailVerified } = identity(outcome)
    assert.deepEqual([issuer, subject, email], [issuerOf(tenant), 'ada-17', 'ada@example.com'])
    assert.equal(emailVerified, false, 'whoever owns a tenant writes the addresses in it')
    assert.equal(asked[0], `${host}/common/v2.0/.well-known/openid-configuration`)
    assert.equal(url?.searchParams.get('scope'), 'openid profile email offline_access')
    assert.equal(url?.searchParams.has('prompt'), false)
    assert.ok(asked.every((address) => !address.endsWith('/userinfo')))
  })

  test('A47: `xms_edov` verifies an address, and nothing else does', async (context) => {
    for (const [said, verified] of [
      [true, true],
      [1, true],
      ['1', true],
      [false, false],
      ['0', false],
      [0, false],
      [{}, false],
    ] as const) {
      const claims = { iss: issuerOf(tenant), tid: tenant, xms_edov: said, email_verified: !verified }
      assert.equal(identity((await signIn(context, { claims })).outcome).emailVerified, verified, String(said))
    }
  })

  test('A35: a token whose issuer is not its tenant’s signs nobody in', async (context) => {
    const other = '00000000-0000-0000-0000-000000000001'
    for (const claims of [
      { iss: issuerOf(other), tid: tenant },
      { iss: issuerOf(tenant) },
      { iss: 'https://other.example/v2.0', tid: tenant },
    ])
      assert.equal(problemIn((await signIn(context, { claims })).outcome), 'issuer-mismatch', JSON.stringify(claims))
  })

  test('A22: an `iss` beside the code has to be that of the token', async (context) => {
    const claims = { iss: issuerOf(tenant), tid: tenant }
    const other = issuerOf('00000000-0000-0000-0000-000000000001')
    identity((await signIn(context, { claims }, { responseIssuer: issuerOf(tenant) })).outcome)
    for (const responseIssuer of [other, 'https://other.example/v2.0'])
      assert.equal(problemIn((await signIn(context, { claims }, { responseIssuer })).outcome), 'issuer-mismatch')
  })

  test('one tenant: another one’s people are refused, and so are metadata of anybody else', async (context) => {
    const single = { tenant, metadataIssuer: issuerOf(tenant) }
    const other = '00000000-0000-0000-0000-000000000001'
    identity((await signIn(context, { claims: { iss: issuerOf(tenant), tid: tenant } }, single)).outcome)
    const foreign = { claims: { iss: issuerOf(other), tid: other } }
    assert.equal(problemIn((await signIn(context, foreign, single)).outcome), 'issuer-mismatch')
    for (const metadataIssuer of ['https://other.example/v2.0', `${host}/x/v2.0`])
      assert.equal(problemIn((await signIn(context, {}, { tenant, metadataIssuer })).outcome), 'unavailable')
  })
})
