import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oauth4webapi from 'oauth4webapi'
import type { Config } from '../../src/config/settings.ts'
import { inboundOfFetch } from '../../src/http/fetch.ts'
import { type Prover, prover, thumbprintOf } from '../authn/dpop-prover.ts'
import { testClock } from '../support/clock.ts'
import { rawExchange } from '../support/house.ts'
import { publicUrl } from '../support/people.ts'
import { type Guarded, oauth, saidOf, startGuarded } from './clients.ts'

const startMs = Date.UTC(2026, 0, 1)
const scoped = `${publicUrl}/scoped`

interface Bound {
  readonly house: Guarded
  readonly client: Prover
  readonly token: string
  /** Asks with the token and a proof of its own, or with what is given in its place. */
  send(over?: {
    readonly scheme?: string
    readonly token?: string
    readonly proof?: string | null
    readonly path?: string
  }): Promise<Response>
  proof(over?: {
    readonly method?: string
    readonly url?: string
    readonly token?: string
    readonly nonce?: string
  }): string
}

async function bound(
  context: Parameters<typeof startGuarded>[0],
  config: Config = {},
): Promise<Bound & { clock: ReturnType<typeof testClock> }> {
  const clock = testClock(startMs)
  const house = await startGuarded(context, config, { clock })
  const client = prover()
  const token = house.lent(['files:write'], { keyThumbprint: thumbprintOf(client.jwk) })
  const proof: Bound['proof'] = ({ method = 'GET', url = scoped, token: of = token, nonce } = {}) =>
    client.prove({ method, url, accessToken: of, at: clock.now(), ...(nonce === undefined ? {} : { nonce }) })
  return {
    house,
    client,
    token,
    proof,
    clock,
    send({ scheme = 'DPoP', token: sent = token, proof: shown = proof(), path = '/scoped' } = {}) {
      return house.ask(path, sent, { scheme, headers: shown === null ? {} : { dpop: shown } })
    },
  }
}

const challengeOf = (error: string, description: string): string =>
  `DPoP realm="gatehouse", error="${error}", error_description="${description}", scope="files:write", resource_metadata="${publicUrl}/.well-known/oauth-protected-resource", algs="ES256 EdDSA Ed25519 PS256 RS256"`

test('OA4 A24: a bound token is good with a proof of its key, once, whatever the letters of the scheme', async (context) => {
  const { send, proof } = await bound(context)
  const first = proof()
  assert.equal((await send({ proof: first })).status, 200)
  assert.deepEqual(await saidOf(await send({ proof: first })), {
    status: 401,
    code: 'proof-invalid',
    scope: undefined,
    challenge: challengeOf('invalid_dpop_proof', 'Invalid proof of possession'),
  })
  for (const scheme of ['dpop', 'DPOP', 'dPoP']) assert.equal((await send({ scheme })).status, 200, scheme)
})

test('A24: a bound token is nothing as a bearer, and a bearer nothing with a proof', async (context) => {
  const { house, send, client, clock } = await bound(context)
  for (const proof of [null, undefined]) {
    const said = await saidOf(await send({ scheme: 'Bearer', ...(proof === null ? { proof } : {}) }))
    assert.deepEqual(
      [said.status, said.code, said.challenge],
      [401, 'token-invalid', challengeOf('invalid_token', 'Invalid token')],
    )
  }
  for (const token of [house.lent(['files:write']), house.ada.access_token]) {
    const proof = client.prove({ method: 'GET', url: scoped, accessToken: token, at: clock.now() })
    const said = await saidOf(await send({ token, proof }))
    assert.deepEqual([said.status, said.challenge], [401, challengeOf('invalid_token', 'Invalid token')])
  }
})

test('A24: a proof is for this request, by this key, with this token', async (context) => {
  const { house, token, send, proof, client, clock } = await bound(context)
  const thief = prover()
  for (const [what, wrong] of Object.entries({
    'no proof': null,
    nonsense: 'nonsense',
    'another method': proof({ method: 'POST' }),
    'another path': proof({ url: `${publicUrl}/widgets` }),
    'the address on the wire': proof({ url: `${house.url}/scoped` }),
    'another token': proof({ token: 'another' }),
    'two in one': `${proof()}, ${proof()}`,
    'from long ago': client.prove({ method: 'GET', url: scoped, accessToken: token, at: startMs - 120_000 }),
  })) {
    const said = await saidOf(await send({ proof: wrong }))
    assert.deepEqual([said.status, said.code], [401, 'proof-invalid'], what)
    assert.match(said.challenge ?? '', /^DPoP .*error="invalid_dpop_proof"/, what)
  }
  const other = thief.prove({ method: 'GET', url: scoped, accessToken: token, at: clock.now() })
  const said = await saidOf(await send({ proof: other }))
  assert.deepEqual([said.code, said.challenge], ['token-invalid', challengeOf('invalid_token', 'Invalid token')])
})

test('A24 A44: the address of a proof is ours by configuration: `Host` says nothing', async (context) => {
  const { house, token, proof } = await bound(context)
  const ask = (host: string, dpop: string): Promise<string> =>
    rawExchange(
      house.port,
      `GET /scoped?page=2 HTTP/1.1\r\nHost: ${host}\r\nAuthorization: DPoP ${token}\r\nDPoP: ${dpop}\r\nConnection: close\r\n\r\n`,
    )
  assert.match(await ask('evil.example', proof()), /^HTTP\/1\.1 200 /)
  assert.match(await ask('evil.example', proof({ url: 'https://evil.example/scoped' })), /^HTTP\/1\.1 401 /)
})

test('A24: two proofs in one request are a message that can be read in two ways', async (context) => {
  const { house, token, proof } = await bound(context)
  const answer = await rawExchange(
    house.port,
    `GET /scoped HTTP/1.1\r\nHost: gate\r\nAuthorization: DPoP ${token}\r\nDPoP: ${proof()}\r\ndpop: ${proof()}\r\n\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*DPoP was sent twice/)
})

test('A24: where it is public, a bound token without its proof is nobody’s, and with it is known', async (context) => {
  const { send, proof } = await bound(context)
  const userOf = async (response: Response): Promise<unknown> =>
    ((await response.json()) as { headers: Record<string, string> }).headers['x-gatehouse-client']
  assert.equal(await userOf(await send({ path: '/open', proof: null })), undefined)
  assert.equal(await userOf(await send({ path: '/open', scheme: 'Bearer' })), undefined)
  const shown = await send({ path: '/open', proof: proof({ url: `${publicUrl}/open` }) })
  assert.equal(await userOf(shown), 'app')
})

test('A24: of many who send one proof at the same moment, one is let in', async (context) => {
  const { send, proof } = await bound(context)
  const one = proof()
  const statuses = await Promise.all(Array.from({ length: 32 }, async () => (await send({ proof: one })).status))
  assert.equal(statuses.filter((status) => status === 200).length, 1)
  assert.equal(statuses.filter((status) => status === 401).length, 31)
})

test('A24: where nonces are required, the first answer tells one, and it is told anew before it runs out', async (context) => {
  const { send, proof, clock } = await bound(context, { oauth: { ...oauth, dpopNonce: 'required' } })
  const first = await send()
  const nonce = first.headers.get('dpop-nonce') ?? assert.fail('no nonce')
  assert.deepEqual(await saidOf(first), {
    status: 401,
    code: 'proof-nonce-required',
    scope: undefined,
    challenge: challengeOf('use_dpop_nonce', 'A nonce is required'),
  })
  const second = await send({ proof: proof({ nonce }) })
  assert.deepEqual([second.status, second.headers.get('dpop-nonce')], [200, null])
  clock.advance(300_000)
  const third = await send({ proof: proof({ nonce }) })
  assert.equal(third.status, 200)
  const next = third.headers.get('dpop-nonce') ?? assert.fail('no new nonce')
  clock.advance(300_000)
  assert.equal((await send({ proof: proof({ nonce }) })).status, 401)
  assert.equal((await send({ proof: proof({ nonce: next }) })).status, 200)
})

test('A24: a refused scope and an old sign-in are said in the scheme of the token', async (context) => {
  const { house, send, proof: proofOf, client, clock } = await bound(context)
  const token = house.lent([], { keyThumbprint: thumbprintOf(client.jwk) })
  const proof = client.prove({ method: 'GET', url: scoped, accessToken: token, at: clock.now() })
  assert.match(
    (await saidOf(await send({ token, proof }))).challenge ?? '',
    /^DPoP .*error="insufficient_scope", .*algs=/,
  )
  const asked = await send({ path: '/fresh', proof: proofOf({ url: `${publicUrl}/fresh` }) })
  assert.match((await saidOf(asked)).challenge ?? '', /^DPoP .*error="insufficient_user_authentication"/)
})

test('A24 A11: where the store cannot say whether a proof is new, nobody is let in', async (context) => {
  const { house, send } = await bound(context)
  await house.house.store.db.schema.dropTable('replays').execute()
  assert.equal((await send()).status, 500)
})

test('a proof is looked up, and a bearer costs no wait', async (context) => {
  const { house, token, proof } = await bound(context)
  const answeredAtOnce = (authorization: string, dpop: string): Promise<boolean> =>
    new Promise((resolve) => {
      const url = `${publicUrl}/api/auth/validate`
      let returned = false
      house.house.gate.handle(
        inboundOfFetch(new Request(url, { headers: { authorization, dpop } }), '192.0.2.1'),
        (passage) => {
          assert.equal(passage.outbound.status, 200)
          passage.finish({ bytes: 0, whole: true })
          resolve(!returned)
        },
      )
      returned = true
    })
  assert.equal(await answeredAtOnce(`Bearer ${house.lent([])}`, 'unread'), true)
  assert.equal(await answeredAtOnce(`DPoP ${token}`, proof({ url: `${publicUrl}/api/auth/validate` })), false)
})

test('OA4: oauth4webapi proves its key, nonces included, with nothing told beforehand', async (context) => {
  const house = await startGuarded(context, { oauth: { ...oauth, dpopNonce: 'required' } })
  const keys = await oauth4webapi.generateKeyPair('ES256')
  const DPoP = oauth4webapi.DPoP({}, keys)
  const token = house.lent(['files:write'], { keyThumbprint: await DPoP.calculateThumbprint() })
  const options = {
    DPoP,
    [oauth4webapi.customFetch]: (url: string, init: RequestInit) => fetch(url.replace(publicUrl, house.url), init),
  } as oauth4webapi.ProtectedResourceRequestOptions
  const ask = (): Promise<Response> =>
    oauth4webapi.protectedResourceRequest(token, 'GET', new URL(scoped), new Headers(), null, options)
  await assert.rejects(ask(), (error) => oauth4webapi.isDPoPNonceError(error))
  assert.equal((await ask()).status, 200)
  assert.equal((await ask()).status, 200)
})
