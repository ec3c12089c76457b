// People, the clients that they use, and agents that have errands handed on to them.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { backendSecret, type OauthHouse, redirectUri, scopes, startOauth } from '../support/oauth.ts'
import { basic, type Parameters, post, type Said, tokensFor } from '../support/oauth-clients.ts'
import { type Answer, bearer, goodPassword, type Tokens } from '../support/people.ts'
import type { Walker } from '../support/walker.ts'

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
export const email = 'ada@people.example'

const secrets = [{ env: 'BACKEND_SECRET' }]
const both = ['widgets:read', 'widgets:write']

/** `tools` serves `/mcp`, `planner` serves `/planner`; `agent` is allowed by people; `web-app` and `portal` exchange nothing. */
export const clients: NonNullable<NonNullable<Config['oauth']>['clients']> = [
  { id: 'web-app', name: 'Web App', redirectUris: [redirectUri], scopes: [...both, 'mcp:tools'] },
  { id: 'portal', name: 'Portal', redirectUris: [redirectUri], scopes: both, secrets },
  {
    id: 'tools',
    name: 'Tools',
    grants: ['token_exchange', 'client_credentials'],
    scopes: ['widgets:read', 'mcp:tools'],
    secrets,
  },
  { id: 'planner', name: 'Planner', grants: ['token_exchange'], scopes: [...both, 'widgets:admin'], secrets },
  {
    id: 'agent',
    name: 'Agent',
    grants: ['authorization_code', 'refresh_token', 'client_credentials', 'token_exchange'],
    redirectUris: [redirectUri],
    scopes: [...both, 'widgets:admin'],
    secrets,
  },
]

export const oauth: NonNullable<Config['oauth']> = {
  scopes: { ...scopes, 'mcp:tools': { description: 'Use the tools' } },
  resources: [
    { path: '/mcp', name: 'Tools', scopes: ['mcp:tools', ...both], server: 'tools' },
    { path: '/planner', name: 'Planner', scopes: both, server: 'planner' },
  ],
  clients,
}

const routes: NonNullable<Config['routes']> = [
  { path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' },
  { path: '/widgets', methods: ['POST'], require: 'widgets:write', to: 'api' },
  { path: '/mcp', access: 'authenticated', to: 'api' },
  { path: '/planner', access: 'authenticated', to: 'api' },
]

export interface Scene {
  readonly house: OauthHouse
  readonly clock: TestClock
  /** Ada, at a browser. */
  readonly walker: Walker
  /** Ada's own sign-in, by JSON. */
  signIn(who?: string): Promise<Tokens>
  /** A token of `web-app` for Ada at a resource. */
  tokenAt(path: string, scope: string): Promise<string>
  /** Ada allows `agent`; answers the token that it gets by that. */
  allowAgent(scope?: string): Promise<string>
  exchange(id: string, subjectToken: string, more?: Parameters, headers?: object): Promise<Said>
  /** The exchange, which has to succeed. */
  given(id: string, subjectToken: string, more?: Parameters): Promise<string>
  /** What somebody does who may do everything; it has to succeed. */
  administer(method: string, path: string, body?: unknown): Promise<Answer>
}

export async function startScene(context: TestContext, config: Config = {}): Promise<Scene> {
  const clock = testClock(Date.now())
  const house = await startOauth(context, { routes, ...config, oauth: { ...oauth, ...config.oauth } }, { clock })
  const walker = await house.person(email)
  let root: Tokens | undefined

  const scene: Scene = {
    house,
    clock,
    walker,
    async signIn(who = email) {
      const answer = await house.api('POST', '/api/auth/login', { email: who, password: goodPassword })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body as unknown as Tokens
    },
    async tokenAt(path, scope) {
      const resource = house.issuer + path
      return (await tokensFor(house, walker, { scope, resource, prompt: 'consent' }, { resource })).access
    },
    async allowAgent(scope = 'widgets:read') {
      const more = { client_id: undefined }
      const request = { client_id: 'agent', scope, prompt: 'consent' }
      return (await tokensFor(house, walker, request, more, basic('agent', backendSecret))).access
    },
    exchange(id, subjectToken, more = {}, headers = {}) {
      const usual = { grant_type: exchangeGrant, subject_token: subjectToken, subject_token_type: accessTokenType }
      return post(house, '/oauth/token', { ...usual, ...more }, { ...basic(id, backendSecret), ...headers })
    },
    async given(id, subjectToken, more) {
      const { status, body, text } = await scene.exchange(id, subjectToken, more)
      assert.equal(status, 200, text)
      return String(body['access_token'])
    },
    async administer(method, path, body) {
      if (root === undefined) {
        const who = 'root@people.example'
        const { user } = await house.newcomer(who)
        await house.house.accounts.setRoles(house.house.store.db, user.id, ['admin'])
        root = await scene.signIn(who)
      }
      const answer = await house.api(method, path, body, bearer(root))
      assert.ok(answer.status < 300, `${method} ${path} ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer
    },
  }
  return scene
}

/** What a refusal says, and nothing that passes. */
export function refusalIn({ status, body }: Said): readonly unknown[] {
  return [status, body['error'], body['error_description'], body['access_token']]
}

/** What reached the API behind the gate, with a token. */
export async function reached(
  { house }: Scene,
  token: string,
  path = '/widgets',
): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(`${house.issuer}${path}`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 200, await answer.clone().text())
  return ((await answer.json()) as { headers: Record<string, string> }).headers
}

/** What the log tells of exchanges. */
export async function exchanges({ house }: Scene): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await house.events())
    .filter(({ action, details }) => action === 'client-token' && details['grant'] === 'token_exchange')
    .map(({ result, resource, details }) => ({ result, about: resource.id, ...details }))
}
