// Sign-in with accounts elsewhere, against a certified provider and one that cheats.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { suite, type TestContext, test } from 'node:test'
import { generateKeyPair } from 'jose'
import { answerBytesMax } from '../../../src/authn/provider/bounded-fetch.ts'
import type { ProviderProblem } from '../../../src/authn/provider/problem.ts'
import type { ProviderIdentity } from '../../../src/authn/provider/vouched.ts'
import { testClock } from '../../support/clock.ts'
import { crookedIssuer, realIssuer, redirectUri, serve, type Tricks, visit } from '../../support/providers.ts'
import { begun, identity, open, problemIn, secretRef, type Written } from './sign-in.ts'

/** A whole sign-in with an issuer that cheats as it is told. */
async function crookedly(
  context: TestContext,
  tricks: Tricks,
  written: Partial<Written> = {},
): Promise<ProviderIdentity | ProviderProblem> {
  const issuer = await crookedIssuer(context, tricks)
  const providers = open('acme', { clientId: 'gatehouse', clientSecret: secretRef, issuer: issuer.origin, ...written })
  const { url, flow } = begun(await providers.begin('acme'))
  return providers.finish(flow, issuer.authorize(url))
}

suite('a certified provider', () => {
  for (const authentication of ['client_secret_basic', 'client_secret_post', 'none'] as const) {
    test(`ID4, A35: a person signs in with state, nonce and PKCE, and offline access is given (${authentication})`, async (context) => {
      const { issuer, clientId, clientSecret } = await realIssuer(context, { authentication })
      const written: Written = {
        clientId,
        issuer,
        ...(authentication === 'none' ? {} : { clientSecret: secretRef }),
        ...(authentication === 'client_secret_post' ? { clientAuthentication: 'post' } : {}),
      }
      const providers = open('acme', written, { secret: clientSecret })
      const { url, flow } = begun(await providers.begin('acme'))
      const asked = new URL(url).searchParams
      assert.equal(asked.get('code_challenge_method'), 'S256')
      assert.equal(asked.get('scope'), 'openid profile email offline_access')
      assert.equal(asked.get('redirect_uri'), redirectUri)
      assert.equal(asked.get('state'), flow.state)
      assert.equal(asked.get('nonce'), flow.nonce)
      assert.equal(url.includes(flow.codeVerifier), false)
      const { refreshToken, ...person } = identity(
        await providers.finish(JSON.parse(JSON.stringify(flow)), await visit(url)),
      )
      assert.deepEqual(person, {
        provider: 'acme',
        issuer,
        subject: 'ada-17',
        email: 'ada@example.com',
        emailVerified: true,
        name: 'Ada Lovelace',
      })
      assert.ok(refreshToken !== undefined && refreshToken.length > 20)
    })
  }

  test('A15: a code is good once: the same flow again is refused', async (context) => {
    const { issuer, clientId, clientSecret } = await realIssuer(context)
    const providers = open('acme', { clientId, issuer, clientSecret: secretRef }, { secret: clientSecret })
    const { url, flow } = begun(await providers.begin('acme'))
    const back = await visit(url)
    identity(await providers.finish(flow, back))
    const again = await providers.finish(flow, back)
    assert.equal(problemIn(again), 'exchange-failed')
    assert.match((again as ProviderProblem).detail, /invalid_grant/)
  })

  test('A35: a code that was stolen is of no use with the verifier of another sign-in', async (context) => {
    const { issuer, clientId, clientSecret } = await realIssuer(context)
    const providers = open('acme', { clientId, issuer, clientSecret: secretRef }, { secret: clientSecret })
    const [victim, thief] = [begun(await providers.begin('acme')), begun(await providers.begin('acme'))]
    const back = await visit(victim.url)
    back.searchParams.set('state', thief.flow.state)
    assert.equal(problemIn(await providers.finish(thief.flow, back)), 'exchange-failed')
  })

  test('a wrong client secret is a failed exchange, and the secret stays out of the detail', async (context) => {
    const { issuer, clientId } = await realIssuer(context)
    const providers = open('acme', { clientId, issuer, clientSecret: secretRef }, { secret: 'a wrong secret' })
    const { url, flow } = begun(await providers.begin('acme'))
    const outcome = await providers.finish(flow, await visit(url))
    assert.equal(problemIn(outcome), 'exchange-failed')
    assert.equal(JSON.stringify(outcome).includes('a wrong secret'), false)
  })

  test('ID4: whoever says no at the provider is told apart from a failure', async (context) => {
    const { issuer, clientId, clientSecret } = await realIssuer(context, { declines: true })
    const providers = open('acme', { clientId, issuer, clientSecret: secretRef }, { secret: clientSecret })
    const { url, flow } = begun(await providers.begin('acme'))
    const outcome = await providers.finish(flow, await visit(url))
    assert.deepEqual(outcome, {
      problem: 'denied',
      detail: 'authorization response from the server is an error: access_denied: the person said no',
    })
  })

  for (const [said, claims] of [
    ['false', { email: 'ada@example.com', email_verified: false }],
    ['nothing', { email: 'ada@example.com' }],
    ['"true", a text', { email: 'ada@example.com', email_verified: 'true' }],
  ] as const) {
    test(`A47: an address of which the provider says ${said} is not verified`, async (context) => {
      const { issuer, clientId, clientSecret } = await realIssuer(context, { claims })
      const providers = open('acme', { clientId, issuer, clientSecret: secretRef }, { secret: clientSecret })
      const { url, flow } = begun(await providers.begin('acme'))
      const { email, emailVerified } = identity(await providers.finish(flow, await visit(url)))
      assert.deepEqual({ email, emailVerified }, { email: 'ada@example.com', emailVerified: false })
    })
  }
})

suite('what comes back', () => {
  test('ID4: states are 256 bits of our own, and no two are alike', async (context) => {
    const { origin } = await crookedIssuer(context)
    const providers = open('acme', { clientId: 'gatehouse', issuer: origin })
    const flows = await Promise.all(Array.from({ length: 20 }, async () => begun(await providers.begin('acme')).flow))
    const words = flows.flatMap(({ state, nonce, codeVerifier }) => [state, nonce, codeVerifier])
    assert.equal(new Set(words).size, 60)
    assert.ok(words.every((word) => Buffer.from(word, 'base64url').length === 32))
  })

  const spoilt: Readonly<Record<string, (back: URL) => void>> = {
    'another state': (back) => back.searchParams.set('state', 'x'.repeat(43)),
    'no state': (back) => back.searchParams.delete('state'),
    'an empty state': (back) => back.searchParams.set('state', ''),
    'a state twice': (back) => back.searchParams.append('state', back.searchParams.get('state') ?? ''),
    'an error with another state': (back) => {
      back.search = '?error=access_denied&state=other'
    },
    'half a character as state': (back) => back.searchParams.set('state', '\ud800'),
  }
  for (const [what, spoil] of Object.entries(spoilt)) {
    test(`A35: ${what} is refused, and the code is not sent anywhere`, async (context) => {
      const issuer = await crookedIssuer(context)
      const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
      const { url, flow } = begun(await providers.begin('acme'))
      const back = issuer.authorize(url)
      spoil(back)
      assert.equal(problemIn(await providers.finish(flow, back)), 'state-mismatch')
      assert.equal(issuer.exchanges.length, 0)
    })
  }

  test('A35: a flow of one provider is refused at the address of another', async (context) => {
    const issuer = await crookedIssuer(context)
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    const { url, flow } = begun(await providers.begin('acme'))
    const back = issuer.authorize(url)
    assert.equal(problemIn(await providers.finish(flow, back, 'github')), 'state-mismatch')
    identity(await providers.finish(flow, back, 'acme'))
  })

  test('A22, A35: an `iss` that is not the issuer’s is refused, and so is none where it was promised', async (context) => {
    const issuer = await crookedIssuer(context)
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    const { url, flow } = begun(await providers.begin('acme'))
    const back = issuer.authorize(url)
    for (const values of [['https://other.example'], [`${issuer.origin}/`], [issuer.origin, issuer.origin], ['']]) {
      back.searchParams.delete('iss')
      for (const value of values) back.searchParams.append('iss', value)
      assert.equal(problemIn(await providers.finish(flow, back)), 'issuer-mismatch', String(values))
    }
    assert.equal(issuer.exchanges.length, 0)
    back.searchParams.set('iss', issuer.origin)
    identity(await providers.finish(flow, back))

    const promise = { metadata: { authorization_response_iss_parameter_supported: true } }
    assert.equal(problemIn(await crookedly(context, promise)), 'issuer-mismatch')
  })

  test('nothing, or nonsense, in place of a code is a failed exchange', async (context) => {
    const issuer = await crookedIssuer(context)
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    const { flow } = begun(await providers.begin('acme'))
    for (const query of [
      '',
      '&code=',
      '&code=a&code=b',
      `&code=${'x'.repeat(9000)}`,
      '&code=%00',
      '&response=x',
      '&id_token=x&code=y',
      '&error=&code=z',
    ]) {
      const outcome = await providers.finish(flow, new URL(`${redirectUri}?state=${flow.state}${query}`))
      assert.equal(problemIn(outcome), 'exchange-failed', query)
    }
  })

  test('what a provider says of its errors is one bounded line in the log', async (context) => {
    const issuer = await crookedIssuer(context)
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    const { flow } = begun(await providers.begin('acme'))
    const back = new URL(redirectUri)
    back.searchParams.set('state', flow.state)
    back.searchParams.set('error', 'server_error')
    back.searchParams.set('error_description', `a\r\nb\u0000${'c'.repeat(5000)}`)
    const outcome = await providers.finish(flow, back)
    assert.equal(problemIn(outcome), 'unavailable')
    assert.match((outcome as ProviderProblem).detail, /^[\x20-\x7e]{1,300}$/)
  })
})

suite('id_tokens of a cheat', () => {
  const now = Math.floor(Date.now() / 1000)
  // biome-ignore format: a table
  const cheats: Readonly<Record<string, readonly [tricks: Tricks, problem: ProviderProblem['problem']]>> = {
    'without a nonce': [{ claims: { nonce: undefined } }, 'nonce'],
    'with an empty nonce': [{ claims: { nonce: '' } }, 'nonce'],
    'with another nonce': [{ claims: { nonce: 'x'.repeat(43) } }, 'nonce'],
    'for another client': [{ claims: { aud: 'somebody-else' } }, 'exchange-failed'],
    'for another client too, who asked for it': [{ claims: { aud: ['gatehouse', 'other'], azp: 'other' } }, 'exchange-failed'],
    'of another issuer': [{ claims: { iss: 'https://other.example' } }, 'issuer-mismatch'],
    'that has expired': [{ claims: { exp: now - 120, iat: now - 600 } }, 'exchange-failed'],
    'without an expiry': [{ claims: { exp: undefined } }, 'exchange-failed'],
    'from the future': [{ claims: { nbf: now + 600 } }, 'exchange-failed'],
    'without a subject': [{ claims: { sub: undefined } }, 'exchange-failed'],
    'with an empty subject': [{ claims: { sub: '' } }, 'exchange-failed'],
    'with a NUL in the subject': [{ claims: { sub: 'a\u0000b' } }, 'exchange-failed'],
    'with a subject of 256 characters': [{ claims: { sub: 'a'.repeat(256) } }, 'exchange-failed'],
    'without a signature': [{ header: { alg: 'none' } }, 'exchange-failed'],
    'without a signature, which the issuer says it may': [{ header: { alg: 'none' }, metadata: { id_token_signing_alg_values_supported: ['none', 'RS256'] } }, 'exchange-failed'],
    'signed with the client secret': [{ header: { alg: 'HS256' }, key: Buffer.from('unused'.repeat(8)), metadata: { id_token_signing_alg_values_supported: ['HS256', 'RS256'] } }, 'exchange-failed'],
    'of a key that is not there': [{ header: { kid: 'two' } }, 'exchange-failed'],
    'that is none': [{ tokens: { id_token: undefined } }, 'exchange-failed'],
    'that is garbage': [{ tokens: { id_token: 'a.b.c' } }, 'exchange-failed'],
    'beside no access token': [{ tokens: { access_token: undefined } }, 'exchange-failed'],
  }
  for (const [what, [tricks, problem]] of Object.entries(cheats)) {
    test(`A5, A35: a token ${what} signs nobody in`, async (context) => {
      assert.equal(problemIn(await crookedly(context, tricks)), problem)
    })
  }

  test('A35: a token that a stranger’s key signed signs nobody in', async (context) => {
    const { privateKey } = await generateKeyPair('RS256')
    const outcome = await crookedly(context, { key: privateKey })
    assert.equal(problemIn(outcome), 'exchange-failed')
    assert.match((outcome as ProviderProblem).detail, /signature/)
  })

  test('the same issuer without a trick signs people in: the tests above fail for their reason', async (context) => {
    assert.equal(identity(await crookedly(context, {})).subject, 'ada-17')
  })

  test('A47: userinfo about somebody else is refused', async (context) => {
    const tricks = {
      claims: { email: undefined },
      userinfo: { sub: 'eve', email: 'ada@example.com', email_verified: true },
    }
    assert.equal(problemIn(await crookedly(context, tricks)), 'exchange-failed')
  })

  test('A47: an address of the token is not verified by what userinfo says of another', async (context) => {
    const tricks = {
      claims: { email_verified: undefined },
      userinfo: { email: 'eve@example.com', email_verified: true },
    }
    const { email, emailVerified } = identity(await crookedly(context, tricks))
    assert.deepEqual({ email, emailVerified }, { email: 'ada@example.com', emailVerified: false })
  })

  test('A47: with `trustEmail` silence is consent, and a no stays a no', async (context) => {
    for (const [said, believed] of [
      [undefined, true],
      [false, false],
      ['false', false],
    ] as const) {
      const outcome = await crookedly(context, { claims: { email_verified: said } }, { trustEmail: true })
      assert.equal(identity(outcome).emailVerified, believed, String(said))
    }
  })

  test('A47: what is no address, or would turn into another by its spelling, is none', async (context) => {
    for (const email of [
      'ada',
      'a\u0000@example.com',
      'ada@example.com\n@x',
      '\u212Aarl@example.com',
      17,
      `${'a'.repeat(300)}@example.com`,
    ]) {
      const person = identity(await crookedly(context, { claims: { email } }))
      assert.deepEqual([person.email, person.emailVerified], [undefined, false], String(email))
    }
  })

  test('a name is one line of whole characters, and a refresh token has a bounded length', async (context) => {
    const tricks = {
      claims: { name: ` A\u0000d\na\ud800 ${'x'.repeat(5000)}` },
      tokens: { refresh_token: 'r'.repeat(20_000) },
    }
    const { name, refreshToken } = identity(await crookedly(context, tricks))
    assert.match(name ?? '', /^A d a {2,3}x+$/)
    assert.ok((name ?? '').length <= 200)
    assert.equal(refreshToken, undefined)
  })
})

suite('a provider that is off or away', () => {
  test('A35: one that is switched off is not listed, begins nothing, and finishes nothing that began before', async (context) => {
    const issuer = await crookedIssuer(context)
    const written = { clientId: 'gatehouse', issuer: issuer.origin, label: 'Acme' }
    const [on, off] = [open('acme', written), open('acme', { ...written, enabled: false })]
    assert.deepEqual([on.list(), off.list()], [[{ name: 'acme', label: 'Acme' }], []])
    assert.equal(problemIn(await off.begin('acme')), 'disabled')
    for (const name of ['nobody', 'constructor', '__proto__', ''])
      assert.equal(problemIn(await on.begin(name)), 'disabled')
    const { url, flow } = begun(await on.begin('acme'))
    assert.equal(problemIn(await off.finish(flow, issuer.authorize(url))), 'disabled')
    assert.equal(issuer.exchanges.length, 0)
  })

  test('ID4: one that is down is unavailable, is asked again after a pause, and then signs people in', async (context) => {
    const clock = testClock()
    let down = true
    const issuer = await crookedIssuer(context, {
      instead: (_path, response) => down && Boolean(response.writeHead(503).end()),
    })
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin }, { clock })
    const asked = () => issuer.visits.get('/.well-known/openid-configuration') ?? 0
    const outcomes = await Promise.all([providers.begin('acme'), providers.begin('acme'), providers.begin('acme')])
    assert.deepEqual(outcomes.map(problemIn), ['unavailable', 'unavailable', 'unavailable'])
    assert.equal(problemIn(await providers.begin('acme')), 'unavailable')
    assert.equal(asked(), 1)
    down = false
    clock.advance(5_000)
    const { url, flow } = begun(await providers.begin('acme'))
    assert.equal(asked(), 2)

    down = true
    assert.equal(problemIn(await providers.finish(flow, issuer.authorize(url))), 'unavailable')
    clock.advance(3_600_000)
    begun(await providers.begin('acme'))
    begun(await providers.begin('acme'))
    assert.equal(asked(), 3, 'what was known stays good while the provider does not answer')
  })

  test('a port that nobody listens on is unavailable', async () => {
    const providers = open('acme', { clientId: 'gatehouse', issuer: 'http://127.0.0.1:1' })
    assert.equal(problemIn(await providers.begin('acme')), 'unavailable')
  })

  test('one that does not say that it is the issuer is unavailable', async (context) => {
    const issuer = await crookedIssuer(context, { metadata: { issuer: 'https://other.example' } })
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    assert.equal(problemIn(await providers.begin('acme')), 'unavailable')
  })

  for (const path of ['/.well-known/openid-configuration', '/token', '/jwks', '/userinfo']) {
    test(`A31: an answer without end is cut off, and a redirect is not followed: ${path}`, async (context) => {
      let elsewhere = 0
      let written = 0
      const other = await serve(context, (_request, response) => {
        elsewhere++
        response.end('{}')
      })
      const flood = (response: ServerResponse): void => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const pour = (): void => {
          while (!response.destroyed && written < 200 * answerBytesMax) {
            written += 65_536
            if (!response.write(' '.repeat(65_536))) return void response.once('drain', pour)
          }
          response.end()
        }
        pour()
      }
      for (const answer of [flood, (response: ServerResponse) => response.writeHead(307, { location: other }).end()]) {
        const outcome = await throughout(context, path, answer)
        assert.match(problemIn(outcome), /^(?:unavailable|exchange-failed)$/)
      }
      assert.ok(written < 100 * answerBytesMax, `${written} bytes were taken`)
      assert.equal(elsewhere, 0)
    })
  }

  test('an endpoint in the clear beyond this machine gets no secret', async (context) => {
    const issuer = await crookedIssuer(context, { metadata: { token_endpoint: 'http://other.example/token' } })
    const asked: string[] = []
    const providers = open(
      'acme',
      { clientId: 'gatehouse', clientSecret: secretRef, issuer: issuer.origin },
      {
        send: (address, init) => {
          asked.push(address)
          return fetch(address, init)
        },
      },
    )
    const { url, flow } = begun(await providers.begin('acme'))
    assert.equal(problemIn(await providers.finish(flow, issuer.authorize(url))), 'exchange-failed')
    assert.ok(asked.every((address) => address.startsWith(issuer.origin)))
  })

  test('A31: every request has a deadline, and follows no redirect', async (context) => {
    const issuer = await crookedIssuer(context, { claims: { email: undefined } })
    const bounds: (readonly [deadline: boolean, redirect: unknown])[] = []
    const providers = open(
      'acme',
      { clientId: 'gatehouse', issuer: issuer.origin },
      {
        send: (address, init) => {
          bounds.push([init.signal instanceof AbortSignal, init.redirect])
          return fetch(address, init)
        },
      },
    )
    const { url, flow } = begun(await providers.begin('acme'))
    identity(await providers.finish(flow, issuer.authorize(url)))
    assert.deepEqual(bounds, Array(4).fill([true, 'manual']))
  })

  async function throughout(context: TestContext, at: string, answer: (response: ServerResponse) => unknown) {
    const issuer = await crookedIssuer(context, {
      claims: { email: undefined },
      instead(path, response) {
        if (path === at) answer(response)
        return path === at
      },
    })
    const providers = open('acme', { clientId: 'gatehouse', issuer: issuer.origin })
    const outcome = await providers.begin('acme')
    return 'problem' in outcome ? outcome : providers.finish(outcome.flow, issuer.authorize(outcome.url))
  }
})
