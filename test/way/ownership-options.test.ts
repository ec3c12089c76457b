import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { configOf } from './owners.ts'

const environment = { BILLING_SECRET: 'a secret of billing that is long enough' }

function mistakesOf(config: object): Readonly<Record<string, string>> {
  const outcome = parseConfig({ store: 'sqlite::memory:', ...configOf('http://127.0.0.1:1'), ...config }, environment)
  return 'mistakes' in outcome ? Object.fromEntries(outcome.mistakes.map(({ path, message }) => [path, message])) : {}
}

const route = { path: '/documents/:id', require: 'a:b', to: 'api' }
const lookup = { lookup: '/internal/documents/:id', field: 'owner_id' }

test('AZ3: an owner that cannot be found is a mistake of the configuration, told with its path', () => {
  assert.deepEqual(mistakesOf({}), {})
  // biome-ignore format: a table, one line to a mistake
  const routes: readonly (readonly [route: object, at: string, message: RegExp])[] = [
    [{ owner: {} },                                           'owner', /^expected one of `param`, `lookup` and `answer`$/],
    [{ owner: { param: 'id', answer: 'X-Owner' } },           'owner', /got param and answer/],
    [{ owner: true },                                         'owner', /expected object/],
    [{ owner: { param: 'ID' } },                              'owner.param', /no parameter `:ID`/],
    [{ owner: { param: '*' }, path: '/files/*' },             'owner.param', /no parameter `:\*`/],
    [{ owner: { param: 'id', field: 'a' } },                  'owner.field', /belongs to `lookup`/],
    [{ owner: { param: 'id', cache: '1s' } },                 'owner.cache', /belongs to `lookup`/],
    [{ owner: { lookup: '/owners/:id' } },                    'owner.field', /either `field` or `header`/],
    [{ owner: { ...lookup, header: 'X-Owner' } },             'owner.field', /either `field` or `header`/],
    [{ owner: { ...lookup, lookup: 'owners/:id' } },          'owner.lookup', /begin with a slash/],
    [{ owner: { ...lookup, lookup: '/owners/*' } },           'owner.lookup', /`\*`/],
    [{ owner: { ...lookup, lookup: '/owners/../:id' } },      'owner.lookup', /dot segment/],
    [{ owner: { ...lookup, lookup: '/owners?id=:id' } },      'owner.lookup', /percent-encoded/],
    [{ owner: { ...lookup, lookup: '/owners/:document' } },   'owner.lookup', /no parameter `:document`/],
    [{ owner: { ...lookup, to: 'elsewhere' } },               'owner.to', /no upstream is called `elsewhere`/],
    [{ owner: lookup, to: undefined },                        'owner.to', /expected the upstream that is asked/],
    [{ owner: { ...lookup, field: 'a..b' } },                 'owner.field', /expected the name of a member/],
    [{ owner: { ...lookup, cache: '1h' } },                   'owner.cache', /at most `5m`/],
    [{ owner: { ...lookup, deadline: '0s' } },                'owner.deadline', /`1ms` to `30s`/],
    [{ owner: { ...lookup, deadline: '1h' } },                'owner.deadline', /`1ms` to `30s`/],
    [{ owner: { answer: 'X Owner' }, methods: ['GET'] },      'owner.answer', /expected a header name/],
    [{ owner: { answer: 'X-Owner' } },                        'owner.answer', /GET and HEAD alone/],
    [{ owner: { answer: 'X-Owner' }, methods: ['GET', 'POST'] }, 'owner.answer', /GET and HEAD alone/],
    [{ owner: { answer: 'X-Owner' }, methods: ['GET'], websocket: true }, 'owner.answer', /WebSocket/],
    [{ owner: { answer: 'X-Owner' }, methods: ['GET'], to: undefined }, 'owner.answer', /expected `to`/],
    [{ owner: { answer: 'X-Owner', decidedBy: 'policy' }, methods: ['GET'] }, 'owner.decidedBy', /before there is an answer/],
    [{ owner: { param: 'id', decidedBy: 'policy' } },         'owner.decidedBy', /expected a `policy`/],
    [{ owner: { param: 'id', decidedBy: 'policy', override: '*' } }, 'owner.override', /policies decide/],
    [{ owner: { param: 'id', decidedBy: 'policy', claim: 'id' } }, 'owner.claim', /policies decide/],
    [{ owner: { param: 'id', decidedBy: 'nobody' } },         'owner.decidedBy', /`owner` or `policy`/],
    [{ owner: { param: 'id', override: 'not a permission' } }, 'owner.override', /permission/],
    [{ owner: { param: 'id', claim: 'name' } },               'owner.claim', /expected `id`, `email` or `organisation`/],
    [{ owner: { param: 'id', claim: 'email' } },              'owner.claim', /`email` among `tokens.claims`/],
    [{ owner: { param: 'id' }, require: undefined, access: 'public' }, 'owner.param', /public/],
    [{ owner: { param: 'id', whose: 'x' } },                  'owner.whose', /unknown key/],
    [{ resource: 'document', path: '/documents' },            'resource', /no parameter `:id`; or `owner: false`/],
    [{ resource: 'document', require: undefined, access: 'public' }, 'resource', /public/],
  ]
  for (const [more, at, message] of routes) {
    const mistakes = mistakesOf({ routes: [{ ...route, ...more }] })
    assert.deepEqual(Object.keys(mistakes), [`routes[0].${at}`], JSON.stringify(more))
    assert.match(mistakes[`routes[0].${at}`] ?? '', message, JSON.stringify(more))
  }
})

test('AZ3: a resource type says it for all routes that name it, and is held against each of them', () => {
  const policies = [{ name: 'p', version: '1.0', rules: [] }]
  const at = (resource: object, more: object = {}, routes: readonly object[] = []): Readonly<Record<string, string>> =>
    mistakesOf({ policies, resources: { thing: resource }, routes, ...more })
  const thing = (more: object = {}): object => ({ ...route, resource: 'thing', ...more })
  assert.deepEqual(at({ owner: lookup, policy: 'p' }, {}, [thing(), thing({ path: '/all', owner: false })]), {})
  assert.deepEqual(at({}, {}, [thing(), { ...route, path: '/b', resource: 'a mere name' }]), {})
  assert.deepEqual(Object.keys(at({ policy: 'q' })), ['resources.thing.policy'])
  assert.deepEqual(Object.keys(at({ owner: { ...lookup, to: 'x' } })), ['resources.thing.owner.to'])
  assert.deepEqual(Object.keys(at({ owner: { ...lookup, decidedBy: 'policy' } })), ['resources.thing.owner.decidedBy'])
  assert.deepEqual(at({ owner: { ...lookup, decidedBy: 'policy' }, policy: 'p' }, {}, [thing()]), {})
  assert.deepEqual(Object.keys(at({ owner: lookup }, {}, [thing({ path: '/things/:thing' })])), ['routes[0].resource'])
  assert.deepEqual(Object.keys(at({ owner: lookup }, {}, [thing({ to: undefined })])), ['routes[0].resource'])
  assert.deepEqual(Object.keys(at({ owner: { answer: 'X-Owner' } }, {}, [thing()])), ['routes[0].resource'])
  assert.deepEqual(
    Object.keys(at({ policy: 'p' }, {}, [{ path: '/a', access: 'public', resource: 'thing', to: 'api' }])),
    ['routes[0].resource'],
  )
  assert.deepEqual(
    at({ owner: lookup }, {}, [{ path: '/a', access: 'public', resource: 'thing', owner: false, to: 'api' }]),
    {},
  )
  assert.deepEqual(at({ policy: 'p' }, {}, [thing({ owner: { param: 'id', decidedBy: 'policy' } })]), {})

  const byEmail = { owner: { param: 'id', claim: 'email' } }
  const claims = { tokens: { claims: ['email'] } }
  assert.deepEqual(at(byEmail, claims), {})
  assert.match(
    at(byEmail, { ...claims, identity: { registration: 'open', verification: 'none' } })[
      'resources.thing.owner.claim'
    ] ?? '',
    /could choose whose things are theirs/,
  )
})
