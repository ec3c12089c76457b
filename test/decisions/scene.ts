// A house that decides for another service, and people to ask about.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Account } from '../../src/authn/account/accounts.ts'
import type { Config } from '../../src/config/settings.ts'
import { bearer, type Event, goodPassword, type PeopleHouse, startPeople } from '../support/people.ts'

export interface Verdict {
  readonly decision?: boolean
  readonly context?: {
    readonly reason?: string
    readonly error?: { readonly status: number; readonly message: string }
  }
}

export interface DecisionScene {
  readonly people: PeopleHouse
  person(name: string, ...roles: string[]): Promise<Account>
  /** A token of somebody with these roles. */
  token(...roles: string[]): Promise<string>
  /** Asks as an enforcement point that may. */
  ask(body: unknown, path?: string): Promise<Verdict & { readonly evaluations?: readonly Verdict[] }>
  post(body: string | Uint8Array, headers?: Readonly<Record<string, string>>, path?: string): Promise<Response>
  /** What was written down of decisions. */
  evaluated(): Promise<readonly Event[]>
}

/** Of a service that the configuration may have by it. */
export const secret = 'a secret of the PEP that is long enough'
export const one = '/access/v1/evaluation'
export const many = '/access/v1/evaluations'

export async function openDecisions(context: TestContext, config: Config): Promise<DecisionScene> {
  const people = await startPeople(
    context,
    {
      ...config,
      roles: {
        pep: { permissions: ['policies:evaluate'] },
        auditor: { permissions: ['policies:manage'] },
        ...config.roles,
      },
    },
    { environment: { PEP: secret } },
  )
  const { house, url } = people
  let made = 0
  const scene: DecisionScene = {
    people,
    async person(name, ...roles) {
      const email = `${name}@example.com`
      const created = await house.accounts.create(house.store.db, { email, name, password: goodPassword, roles })
      return 'account' in created ? created.account : assert.fail(JSON.stringify(created))
    },
    async token(...roles) {
      const { email } = await scene.person(`asker-${made++}`, ...roles)
      const { body } = await people.api('POST', '/api/auth/login', { email, password: goodPassword })
      return String(body['access_token'])
    },
    async ask(body, path = one) {
      const answer = await scene.post(JSON.stringify(body), {}, path)
      assert.equal(answer.status, 200, await answer.clone().text())
      assert.equal(answer.headers.get('content-type'), 'application/json')
      return (await answer.json()) as Verdict
    },
    post: (body, headers = {}, path = one) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer({ access_token: asker }), ...headers },
        body: body as string,
      }),
    async evaluated() {
      return (await people.events()).filter(({ action }) => action === 'evaluated')
    },
  }
  const asker = await scene.token('pep')
  return scene
}
