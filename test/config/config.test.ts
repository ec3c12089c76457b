import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'

function mistakesOf(config: unknown, environment: Record<string, string> = {}): Record<string, string> {
  const outcome = parseConfig(config, environment)
  return 'mistakes' in outcome ? Object.fromEntries(outcome.mistakes.map(({ path, message }) => [path, message])) : {}
}

test('every mistake of a configuration is told at once, each with its path and what was expected', () => {
  const mistakes = mistakesOf({
    listn: {},
    listen: { port: 99_999, trustedProxies: ['10.0.0.0/99'], hots: 'x' },
    store: 'mysql://x',
    upstreams: { api: 'ftp://x', other: { url: 'http://x', answerTimeout: 'soon' } },
    tokens: { algorithm: 'none', accessTtl: '15 minutes' },
    roles: { user: { permission: ['a'] } },
    limits: { tight: { limit: 0, window: '1h' }, wide: { limit: 5, window: '1h', burst: 10 } },
    cors: { origins: ['*'], credentials: true },
    routes: [
      { path: 'no-slash', access: 'public' },
      { path: '/a', require: 'x:y', access: 'public' },
      { path: '/b' },
      { path: '/c', access: 'public', to: 'nowhere', limit: 'none' },
      { path: '/d', access: 'public', body: { type: 'strin' } },
      { path: '/e', methods: ['FETCH'], access: 'public' },
      { path: '/c', access: 'public' },
      { path: '/api/auth/login', access: 'public' },
      { path: '/f/:id', to: 'absent' },
      { path: '/f/:name', access: 'public' },
    ],
    aliases: { '/old': '/new' },
  })
  for (const path of [
    'listn',
    'listen.port',
    'listen.trustedProxies[0]',
    'listen.hots',
    'store',
    'upstreams.api',
    'upstreams.other.answerTimeout',
    'tokens.algorithm',
    'tokens.accessTtl',
    'roles.user.permission',
    'roles.user.permissions',
    'limits.tight.limit',
    'limits.wide.burst',
    'cors.origins',
    'routes[0].path',
    'routes[1].access',
    'routes[2].require',
    'routes[3].to',
    'routes[3].limit',
    'routes[4].body',
    'routes[5].methods[0]',
    'routes[6]',
    'routes[7].path',
    'aliases./old',
    'routes[8].to',
    'routes[8].require',
    'routes[9]',
  ]) {
    assert.ok(path in mistakes, `${path} is missing from ${JSON.stringify(mistakes, null, 1)}`)
  }
  assert.match(mistakes['listn'] ?? '', /unknown key; expected one of listen, /)
  assert.match(mistakes['routes[3].to'] ?? '', /no upstream is called `nowhere`; there are api, other/)
  assert.match(mistakes['tokens.accessTtl'] ?? '', /expected a duration such as `15m`/)
})

test('a configuration that is none is told so', () => {
  for (const nothing of [null, 1, 'x', []])
    assert.match(mistakesOf(nothing)['(configuration)'] ?? '', /expected an object/)
})

test('DP6 A2: an HS256 secret that is missing or shorter than 256 bits stops the start', () => {
  const tokens = { algorithm: 'HS256', secret: { env: 'JWT_SECRET_KEY' } }
  assert.match(mistakesOf({ tokens })['tokens.secret'] ?? '', /JWT_SECRET_KEY/)
  assert.match(mistakesOf({ tokens }, { JWT_SECRET_KEY: 'short' })['tokens.secret'] ?? '', /at least 32/)
  assert.deepEqual(mistakesOf({ tokens }, { JWT_SECRET_KEY: 'x'.repeat(32) }), {})
  assert.match(
    mistakesOf({ tokens: { ...tokens, algorithm: 'EdDSA' } }, { JWT_SECRET_KEY: 'x'.repeat(32) })['tokens.secret'] ??
      '',
    /belongs to `HS256`/,
  )
})

test('an empty configuration is a closed house with safe defaults', () => {
  const outcome = parseConfig({}, {})
  assert.ok('settings' in outcome)
  assert.equal(outcome.settings.tokens.algorithm, 'EdDSA')
  assert.equal(outcome.settings.tokens.accessTtl, 15 * 60_000)
  assert.equal(outcome.settings.listen.host, '127.0.0.1')
  assert.deepEqual(outcome.settings.routes, [])
})
