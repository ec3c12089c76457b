// A house in front of an API whose documents belong to people; and everybody who might want to read one.
import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import type { Account } from '../../src/authn/account/accounts.ts'
import { unbound } from '../../src/authn/token/binding.ts'
import type { Config } from '../../src/config/settings.ts'
import { systemRandom, uuidv7 } from '../../src/kernel/id.ts'
import type { Log } from '../../src/kernel/log.ts'
import type { TestClock } from '../support/clock.ts'
import { startHouse, startUpstream, type TestHouse } from '../support/house.ts'

export interface DocumentsApi {
  readonly url: string
  /** Who owns what, by id; `null`: nobody. */
  readonly owners: Map<string, string | null>
  /** Every request that reached it, as `GET /documents/1`. */
  readonly reached: string[]
  readonly requests: IncomingMessage[]
  /** Questions about owners among them, since the last call. */
  questions(): number
  /** Takes a request over: true where it has. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
}

/** An API that tells the house whose its documents are, and serves them to everybody. */
export async function startDocuments(context: TestContext): Promise<DocumentsApi> {
  let counted = 0
  const { url } = await startUpstream(context, (request, response) => {
    const path = request.url ?? ''
    api.reached.push(`${request.method} ${path}`)
    api.requests.push(request)
    request.resume()
    if (api.instead?.(request, response) === true) return
    const id = decodeURIComponent(path.split('/').at(-1) ?? '')
    const owner = api.owners.get(id)
    if (owner === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain', 'x-upstream': 'says so' }).end(`no ${id} here`)
    } else if (path.startsWith('/internal/')) {
      response.writeHead(200, { 'content-type': 'application/json', 'x-owner-id': owner ?? '' })
      response.end(JSON.stringify({ id, owner_id: owner, data: { owner: { id: owner } } }))
    } else {
      response.writeHead(200, { 'content-type': 'text/plain', ...(owner === null ? {} : { 'x-owner-id': owner }) })
      response.end(`document ${id}`)
    }
  })
  const api: DocumentsApi = {
    url,
    owners: new Map(),
    reached: [],
    requests: [],
    questions() {
      const all = api.reached.filter((one) => one.startsWith('GET /internal/')).length
      const since = all - counted
      counted = all
      return since
    },
    instead: undefined,
  }
  return api
}

export const found = { lookup: '/internal/documents/:id', field: 'owner_id' } as const

export function configOf(api: string, more: Config = {}): Config {
  return {
    upstreams: { api },
    limits: false,
    publicUrl: 'https://gate.example.com',
    roles: { user: { permissions: ['document:read', 'document:write'] }, guest: { permissions: [] } },
    services: { billing: { permissions: ['document:read'], secrets: [{ env: 'BILLING_SECRET' }] } },
    oauth: {
      scopes: { 'document:read': { description: 'Read your documents' }, other: { description: 'Something else' } },
      clients: [
        { id: 'app', name: 'App', redirectUris: ['https://app.example.com/cb'], scopes: ['document:read', 'other'] },
      ],
    },
    resources: { document: { owner: found } },
    routes: [
      { path: '/users/:user_id/tasks', require: 'document:read', owner: { param: 'user_id' }, to: 'api' },
      {
        path: '/orgs/:org/reports',
        require: 'document:read',
        owner: { param: 'org', claim: 'organisation' },
        to: 'api',
      },
      { path: '/documents/:id', require: 'document:read', resource: 'document', to: 'api' },
      { path: '/documents', require: 'document:read', resource: 'document', owner: false, to: 'api' },
      { path: '/files/:id', methods: ['GET'], require: 'document:read', owner: { answer: 'X-Owner-Id' }, to: 'api' },
    ],
    ...more,
  }
}

export interface Crowd extends TestHouse {
  readonly ada: Account
  readonly bob: Account
  readonly root: Account
  readonly as: {
    readonly nobody: Fields
    readonly guest: Fields
    readonly ada: Fields
    readonly bob: Fields
    readonly root: Fields
  }
  newPerson(name: string, role: string): Promise<Account>
  /** What proves somebody by an access token of their own. */
  tokenOf(account: Account, more?: object): Promise<Fields>
  /** A client of somebody's, with these scopes; their own, where nobody is named. */
  clientOf(account: Account | undefined, scopes: readonly string[]): Fields
  keyBy(fields: Fields, path: string, body: object): Promise<Fields>
  ask(path: string, fields?: Fields, method?: string): Promise<Answer>
  events(): Promise<readonly AccessEvent[]>
}

export type Fields = Readonly<Record<string, string>>

export interface Answer {
  readonly status: number
  /** As they came, without what is different in every answer: `Date` and the id of the request. */
  readonly fields: readonly string[]
  readonly headers: IncomingMessage['headers']
  /** The id of the request is written as `…` in it. */
  readonly body: string
}

export interface AccessEvent {
  readonly type: string
  readonly action: string
  readonly result: string
  readonly actor: { readonly id: string }
  readonly details: Readonly<Record<string, unknown>>
}

export const secret = 'a secret of billing that is long enough'

export async function startCrowd(
  context: TestContext,
  config: Config,
  options: { readonly clock?: TestClock; readonly log?: Log } = {},
): Promise<Crowd> {
  const running = await startHouse(context, config, { ...options, environment: { BILLING_SECRET: secret } })
  const { house, url } = running
  const { accounts, sessions, store, tokens } = house
  const now = (): number => options.clock?.now() ?? Date.now()

  const newPerson = async (name: string, role: string): Promise<Account> => {
    const prepared = await accounts.prepare({ email: `${name}@people.example`, name }, undefined)
    if ('code' in prepared) assert.fail(prepared.detail)
    const created = await accounts.insert(store.db, prepared, [role], now())
    return 'account' in created ? created.account : assert.fail('taken')
  }
  const tokenOf: Crowd['tokenOf'] = async ({ id: subject, roles, email, name }, more = {}) => {
    const proof = { methods: ['password'], at: now() } as const
    const { session } = await sessions.open(store.db, subject, { address: '127.0.0.1', userAgent: 'a test' }, proof)
    const whom = { subject, session: session.id, roles, permissions: [], email, name, proof, ...more }
    return { authorization: `Bearer ${tokens.issue(whom).token}` }
  }
  const clientOf: Crowd['clientOf'] = (account, scopes) => {
    const client = { id: 'app', scopes, audience: 'gatehouse', ...unbound }
    const session = uuidv7(now(), systemRandom)
    const proof = { methods: ['password'], at: now() } as const
    const { token } =
      account === undefined
        ? tokens.issueForClient(client)
        : tokens.issue({ ...account, subject: account.id, session, permissions: [], proof, client })
    return { authorization: `Bearer ${token}` }
  }
  const [ada, bob, root, guest] = await Promise.all([
    newPerson('ada', 'user'),
    newPerson('bob', 'user'),
    newPerson('root', 'admin'),
    newPerson('guest', 'guest'),
  ])
  return {
    ...running,
    ada,
    bob,
    root,
    as: {
      nobody: {},
      guest: await tokenOf(guest),
      ada: await tokenOf(ada),
      bob: await tokenOf(bob),
      root: await tokenOf(root),
    },
    newPerson,
    tokenOf,
    clientOf,
    async keyBy(fields, path, body) {
      const answer = await fetch(url + path, {
        method: 'POST',
        headers: { ...fields, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'a test', ...body }),
      })
      const made = (await answer.json()) as { readonly key: string }
      assert.equal(answer.status, 201, JSON.stringify(made))
      return { 'x-api-key': made.key }
    },
    ask: (path, fields = {}, method = 'GET') => exchange(url + path, fields, method),
    async events() {
      await house.audit.flush()
      const rows = await store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()
      const bodies = rows.map(({ body }) => body)
      return (await house.audit.sealer.read(store.db, bodies)) as readonly unknown[] as AccessEvent[]
    },
  }
}

/** Asks over a connection of its own, and reads the path as it is written. */
function exchange(url: string, fields: Fields, method: string): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const path = url.slice(url.indexOf('/', 'http://'.length))
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers: { ...fields }, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, rawHeaders, headers } = response
        const own = new Set(['date', 'x-request-id'])
        const kept = rawHeaders.filter((_, at) => !own.has((rawHeaders[at - (at % 2)] as string).toLowerCase()))
        const body = Buffer.concat(chunks).toString('latin1').replaceAll(String(headers['x-request-id']), '…')
        resolve({ status, fields: kept, headers, body })
      })
    })
    request.on('error', reject)
    request.end()
  })
}
