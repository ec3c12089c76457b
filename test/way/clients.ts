// A house that clients of other people come to, and the tokens that they would have been given.
import type { TestContext } from 'node:test'
import { unbound } from '../../src/authn/token/binding.ts'
import type { Config } from '../../src/config/settings.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { type PeopleHouse, publicUrl, startPeople, type Tokens } from '../support/people.ts'

export interface Guarded extends PeopleHouse {
  /** Ada, who signed in by herself. */
  readonly ada: Tokens
  /** An access token of Ada's that a client holds. */
  lent(scopes: readonly string[], more?: Lent): string
  /** An access token of a client by itself. */
  ownOf(client: string, scopes: readonly string[], audience?: string): string
  /** Asks with a token, as a bearer where no scheme is said. */
  ask(path: string, token: string, more?: Asked): Promise<Response>
}

export interface Lent {
  readonly client?: string
  readonly audience?: string
  readonly keyThumbprint?: string
  readonly certificateThumbprint?: string
  readonly roles?: readonly string[]
}

export interface Asked {
  readonly method?: string
  readonly scheme?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The audience of the house itself, and of its declared parts. */
export const houseAudience = 'gatehouse'
export const toolsAudience = `${publicUrl}/mcp`

export const oauth: NonNullable<Config['oauth']> = {
  scopes: {
    'widgets:read': { description: 'See your widgets' },
    'widgets:write': { description: 'Change your widgets', permissions: ['widgets:read', 'widgets:write'] },
    'files:write': { description: 'Write your files' },
    'people:manage': { description: 'Manage people', permissions: ['users:manage'], privileged: true },
    'mcp:tools': { description: 'Use the tools' },
    'mcp:admin': { description: 'Change the tools', privileged: true },
  },
  resources: [
    { path: '/mcp', name: 'Tools', scopes: ['mcp:tools', 'mcp:admin'] },
    { path: '/mcp/inner', name: 'Inner tools', scopes: ['mcp:tools'] },
  ],
}

export async function startGuarded(
  context: TestContext,
  config: Config = {},
  options: Parameters<typeof startPeople>[2] = {},
): Promise<Guarded> {
  const upstream = await startUpstream(context, mirror)
  const people = await startPeople(
    context,
    {
      publicUrl,
      upstreams: { api: upstream.url },
      roles: { user: { permissions: ['widgets:*', 'mcp:tools'] } },
      routes: [
        { path: '/open', access: 'public', to: 'api' },
        { path: '/foreign', access: 'public', to: 'api', forwardAuthorization: true },
        { path: '/known', access: 'authenticated', to: 'api' },
        { path: '/scoped', access: 'authenticated', scope: 'files:write', to: 'api' },
        { path: '/widgets', methods: ['GET'], require: 'widgets:read', to: 'api' },
        { path: '/widgets', methods: ['POST'], require: 'widgets:write', scope: ['files:write'], to: 'api' },
        { path: '/widgets', methods: ['DELETE'], require: 'widgets:delete', to: 'api' },
        { path: '/projects', require: 'projects:read', scope: 'files:write', to: 'api' },
        { path: '/fresh', access: 'authenticated', scope: 'files:write', recent: '5m', to: 'api' },
        { path: '/mcp', access: 'authenticated', to: 'api' },
        { path: '/mcp/tools', require: 'mcp:tools', to: 'api' },
        { path: '/mcp/inner/*', access: 'authenticated', to: 'api' },
        { path: '/mcpx', access: 'authenticated', scope: 'files:write', to: 'api' },
        { path: '/rest/*', access: 'authenticated', scope: 'files:write', to: 'api' },
      ],
      oauth,
      ...config,
    },
    options,
  )
  const { house, url } = people
  const ada = await people.newcomer('ada@people.example')

  return {
    ...people,
    ada,
    lent(
      scopes,
      { client = 'app', audience = houseAudience, keyThumbprint, certificateThumbprint, roles = ['user'] } = {},
    ) {
      return house.tokens.issue({
        subject: ada.user.id,
        session: uuidv7((options.clock ?? { now: () => 1 }).now(), systemRandom),
        roles,
        permissions: [],
        email: ada.user.email,
        name: 'Ada',
        proof: { methods: ['password'], at: 0 },
        client: { id: client, scopes, audience, keyThumbprint, certificateThumbprint },
      }).token
    },
    ownOf: (client, scopes, audience = houseAudience) =>
      house.tokens.issueForClient({ id: client, scopes, audience, ...unbound }).token,
    ask: (path, token, { method = 'GET', scheme = 'Bearer', headers = {} } = {}) =>
      fetch(url + path, { method, headers: { authorization: `${scheme} ${token}`, ...headers } }),
  }
}

/** What a refusal says, in the body and in its challenge. */
export async function saidOf(response: Response): Promise<{
  readonly status: number
  readonly code: unknown
  readonly scope: unknown
  readonly challenge: string | null
}> {
  const text = await response.text()
  const { code, scope } = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, code, scope, challenge: response.headers.get('www-authenticate') }
}
