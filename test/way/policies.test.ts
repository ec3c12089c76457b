import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import type { Log } from '../../src/kernel/log.ts'
import { testClock } from '../support/clock.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'

const documents = {
  name: 'documents',
  version: '1.0',
  rules: [
    {
      description: 'nobody at night',
      condition: { not: { operator: 'between', attribute: 'environment.time_of_day', value: ['06:00', '22:00'] } },
      effect: 'deny',
    },
    {
      description: 'owners read what is theirs',
      condition: {
        all: [
          { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } },
          { operator: 'equals', attribute: 'action.method', value: 'GET' },
        ],
      },
      effect: 'allow',
    },
    {
      description: 'editors may do everything',
      condition: { operator: 'equals', attribute: 'subject.role', value: 'editor' },
      effect: 'allow',
    },
  ],
}

function configOf(url: string): Config {
  return {
    upstreams: { api: url },
    tokens: { accessTtl: '1h' },
    roles: { user: { permissions: ['document:read'] }, editor: { permissions: [] } },
    policies: [documents],
    routes: [
      {
        path: '/people/:owner_id/documents',
        access: 'authenticated',
        policy: 'documents',
        resource: 'document',
        to: 'api',
      },
      { path: '/documents', require: 'document:write', policy: 'documents', to: 'api' },
    ],
  }
}

test('AZ4 AZ3 A56: a policy of the route permits what the permission allows, or nobody does', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const clock = testClock(Date.UTC(2026, 10, 21, 21, 50))
  const reasons: unknown[] = []
  const note = (fields: unknown): void => void reasons.push((fields as { reason?: unknown }).reason)
  const log = { debug() {}, info: note, warn: note, error: note } as unknown as Log
  const { url, house, signIn } = await startHouse(context, configOf(upstream.url), { clock, log })
  const authorization = `Bearer ${await signIn()}`
  const me = (await (await fetch(`${url}/api/auth/me`, { headers: { authorization } })).json()) as { id: string }
  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(url + path, { method, headers: { authorization } })

  assert.equal((await ask(`/people/${me.id}/documents`)).status, 200)
  const refused = await ask('/people/somebody-else/documents')
  assert.equal(refused.status, 403)
  const problem = (await refused.json()) as Record<string, unknown>
  assert.deepEqual(
    [problem['code'], problem['error']],
    ['permission-required', 'Not allowed'],
    'no rule is named to callers',
  )
  assert.match(String(reasons.at(-1)), /policy `documents`: no rule matches/)
  assert.equal((await ask(`/people/${me.id}/documents`, 'DELETE')).status, 403)
  assert.equal((await ask('/documents', 'POST')).status, 403)
  assert.match(String(reasons.at(-1)), /do not hold `document:write`/, 'the permission is asked first')
  assert.equal((await fetch(`${url}/people/${me.id}/documents`)).status, 401, 'a stranger is asked who they are')

  const [night, , editors] = documents.rules
  const mine = { condition: { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } } }
  const next = { ...documents, rules: [night, { ...mine, effect: 'allow' }, editors] }
  const outcome = parseConfig(
    { store: 'sqlite::memory:', listen: { port: 0 }, ...configOf(upstream.url), policies: [next] },
    {},
  )
  assert.ok('settings' in outcome)
  await house.reload(outcome.settings)
  assert.equal((await ask(`/people/${me.id}/documents`, 'DELETE')).status, 200, 'a change holds on the next request')

  clock.advance(15 * 60_000)
  assert.equal((await ask(`/people/${me.id}/documents`)).status, 403, 'the hour is an attribute too')
  assert.match(String(reasons.at(-1)), /nobody at night/)
})

test('AZ4: a mistake in a policy is told at its place in the configuration', () => {
  const rule = { condition: { operator: 'equals', attribute: 'subject.id', value: 'x' }, effect: 'allow' }
  const outcome = parseConfig(
    {
      upstreams: { api: 'http://127.0.0.1:1' },
      policies: [
        {
          name: 'a',
          version: '1.0',
          rules: [{ ...rule, condition: { ...rule.condition, operator: 'resembles' } }],
        },
        { name: 'a', file: '/nowhere/policy.json' },
        { name: 'managed', managed: true, version: '1.0', rules: [] },
        { name: 'a b', managed: true },
        { name: 'tried', managed: true, trial: { version: '1.0', rules: [rule, { ...rule, effect: 'maybe' }] } },
        { name: 'from', file: '/nowhere/policy.json', trial: { file: '/nowhere/policy.json', rules: [] } },
        { name: 'kept', managed: true, record: 10_001 },
        { name: 'said', managed: false },
      ],
      routes: [
        { path: '/a', access: 'authenticated', policy: 'b', to: 'api' },
        { path: '/b', access: 'public', policy: 'a', to: 'api' },
      ],
    },
    {},
  )
  assert.ok('mistakes' in outcome)
  assert.deepEqual(
    outcome.mistakes.map(({ path }) => path),
    [
      'policies[0].rules[0].condition.operator',
      'policies[1].file',
      'policies[1].name',
      'policies[2].rules',
      'policies[2].version',
      'policies[3].name',
      'policies[4].trial.rules[1].effect',
      'policies[5].file',
      'policies[5].trial.file',
      'policies[6].record',
      'policies[7].managed',
      'routes[0].policy',
      'routes[1].policy',
    ],
  )
})

test('A56: with the next configuration a policy, its trial and who writes it are others from the next request on', async (context) => {
  const upstream = await startUpstream(context, mirror)
  const permitting = (effect: string): object => ({
    version: '1.0',
    rules: [{ condition: { operator: 'exists', attribute: 'subject.id' }, effect }],
  })
  const configWith = (policy: object): Config => ({
    upstreams: { api: upstream.url },
    policies: [{ name: 'documents', ...policy }],
    routes: [{ path: '/documents', access: 'authenticated', policy: 'documents', to: 'api' }],
  })
  const first = configWith({ ...permitting('deny'), trial: permitting('allow') })
  const { url, house, signIn } = await startHouse(context, first, { roles: ['admin'] })
  const headers = { authorization: `Bearer ${await signIn()}` }
  const ask = async (path = '/documents'): Promise<Response> => fetch(url + path, { headers })
  const follow = async (policy: object): Promise<void> => {
    const outcome = parseConfig({ store: 'sqlite::memory:', listen: { port: 0 }, ...configWith(policy) }, {})
    assert.ok('settings' in outcome)
    await house.reload(outcome.settings)
  }
  const outcomes = async (): Promise<unknown[]> => {
    const found = await ask('/api/admin/policies/documents/trial')
    const { same, would_permit } = (await found.json()) as Record<string, unknown>
    return [found.status, same, would_permit]
  }
  assert.deepEqual(
    house.warnings.filter((one) => one.includes('/documents')),
    [],
  )
  assert.equal((await ask()).status, 403)
  assert.deepEqual(await outcomes(), [200, 0, 1])
  await follow({ ...permitting('deny'), trial: permitting('allow') })
  assert.deepEqual(await outcomes(), [200, 0, 1], 'nothing has changed, and counting goes on')
  await follow({ ...permitting('allow'), trial: permitting('allow') })
  assert.equal((await ask()).status, 200)
  assert.deepEqual(await outcomes(), [200, 1, 0])
  await follow(permitting('allow'))
  assert.equal((await outcomes())[0], 404)
  await follow({ managed: true })
  assert.equal((await ask()).status, 403, 'nobody has written it yet')
  await follow(permitting('allow'))
  assert.equal((await ask()).status, 200)

  const { house: open } = await startHouse(context, configWith({ managed: true }))
  assert.match(open.warnings.join('\n'), /`\/documents` demands no permission: whoever may manage policies/)
})
