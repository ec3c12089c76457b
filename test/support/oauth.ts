// A house with an authorization server, at an address that real clients can reach, and somebody at a browser.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import * as client from 'openid-client'
import type { Config } from '../../src/config/settings.ts'
import { mirror, startUpstream } from './house.ts'
import { type PeopleHouse, startPeople } from './people.ts'
import { freePort } from './port.ts'
import { type Stop, Walker } from './walker.ts'

export const scopes = {
  'widgets:read': { description: 'See your widgets' },
  'widgets:write': { description: 'Change your widgets' },
  'widgets:admin': { description: 'Manage everybody’s widgets', privileged: true },
} as const

export const redirectUri = 'https://app.example.com/callback'

export interface OauthHouse extends PeopleHouse {
  /** Where clients reach it: its issuer. */
  readonly issuer: string
  /** Somebody at a browser, signed in. */
  person(email?: string): Promise<Walker>
  /** What openid-client knows of the house, as one of its clients. */
  discover(clientId: string, secret?: string, options?: client.DiscoveryRequestOptions): Promise<client.Configuration>
}

export async function startOauth(
  context: TestContext,
  config: Config = {},
  options: Parameters<typeof startPeople>[2] = {},
): Promise<OauthHouse> {
  const port = await freePort()
  const upstream = await startUpstream(context, mirror)
  const issuer = `${config.listen?.tls === undefined ? 'http' : 'https'}://localhost:${port}`
  const people = await startPeople(
    context,
    {
      publicUrl: issuer,
      upstreams: { api: upstream.url },
      roles: {
        user: { permissions: ['widgets:read', 'widgets:write', 'mcp:tools'] },
        keeper: { permissions: ['widgets:admin'] },
      },
      routes: [
        { path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' },
        { path: '/widgets', methods: ['POST'], require: 'widgets:write', to: 'api' },
        { path: '/known', access: 'authenticated', to: 'api' },
      ],
      ...config,
      listen: { port, host: 'localhost', ...config.listen },
      oauth: {
        scopes,
        clients: [
          {
            id: 'web-app',
            name: 'Web App',
            redirectUris: [redirectUri],
            grants: ['authorization_code', 'refresh_token'],
            scopes: ['widgets:read', 'widgets:write'],
          },
          {
            id: 'backend',
            name: 'Back End',
            grants: ['client_credentials'],
            scopes: ['widgets:read'],
            secrets: [{ env: 'BACKEND_SECRET' }],
          },
        ],
        ...config.oauth,
      },
    },
    { environment: { BACKEND_SECRET: backendSecret, ...options.environment }, ...options },
  )
  return {
    ...people,
    issuer,
    async person(email = 'ada@people.example') {
      await people.newcomer(email)
      const walker = new Walker(issuer)
      const door = await walker.go('/auth/sign-in')
      const inside = await walker.send(
        door,
        { identifier: email, password: 'seven violet rivers run' },
        '/auth/sign-in',
      )
      assert.equal(inside.url.pathname, '/auth/account', inside.text)
      return walker
    },
    discover(clientId, secret, more) {
      const proof = secret === undefined ? client.None() : client.ClientSecretBasic(secret)
      return client.discovery(new URL(issuer), clientId, undefined, proof, {
        execute: [client.allowInsecureRequests],
        ...more,
      })
    },
  }
}

export const backendSecret = 'a secret of the back end, long enough'

/** Sends a person to the client's request and has them decide, where they are asked. Answers where they came out. */
export async function allow(walker: Walker, request: URL, decision: 'allow' | 'deny' = 'allow'): Promise<URL> {
  walker.site = 'cross-site'
  const asked = await walker.go(request)
  return asked.status === 0 ? asked.url : (await answered(walker, asked, decision)).url
}

export function answered(walker: Walker, asked: Stop, decision: 'allow' | 'deny'): Promise<Stop> {
  assert.match(asked.url.pathname, /^\/auth\/consent\//, `${asked.url} ${asked.status} ${asked.text}`)
  return walker.send(asked, { decision }, '/auth/consent/')
}

/** The whole way by openid-client: request, consent, code, tokens. */
export async function tokensOf(
  walker: Walker,
  config: client.Configuration,
  parameters: Readonly<Record<string, string>>,
): Promise<Awaited<ReturnType<typeof client.authorizationCodeGrant>>> {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = parameters['scope']?.includes('openid') === true ? client.randomNonce() : undefined
  const request = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...(nonce === undefined ? {} : { nonce }),
    ...parameters,
  })
  const back = await allow(walker, request)
  return client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    ...(nonce === undefined ? {} : { expectedNonce: nonce }),
  })
}
