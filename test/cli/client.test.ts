import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as client } from '../../src/cli/client.ts'
import { makeSelfSigned } from '../support/certificates.ts'
import { startProcess } from '../support/process.ts'
import { type Outcome, run } from './in-process.ts'

const config = {
  publicUrl: 'http://localhost:8080',
  oauth: {
    scopes: { 'widgets:read': { description: 'See your widgets' } },
    registration: { access: 'token' },
    clients: [{ id: 'web-app', name: 'Web App', redirectUris: ['https://app.example.com/callback'] }],
  },
}

interface Place {
  readonly dir: string
  readonly config: string
  run(...args: readonly string[]): Promise<Outcome>
}

function place(written: object = config): Place {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const path = join(dir, 'gatehouse.config.json')
  writeFileSync(path, JSON.stringify(written))
  return { dir, config: path, run: (...args) => run(client, [...args, '--config', path, '--data', dir]) }
}

test('OA1: a client is made by command, its secret printed once, and lives until it is removed', async () => {
  const { run } = place()
  const made = await run(
    'create',
    'Portal',
    '--id',
    'portal',
    '--redirect',
    'https://portal.example.com/callback',
    '--scope',
    'widgets:read',
  )
  assert.equal(made.code, 0, made.err)
  const [, secret, first] = /client_secret, shown this once: (gh_cs_\S+)\nsecret id: (\S+)/.exec(made.out) ?? []
  assert.ok(secret)
  const shown = await run('show', 'portal')
  assert.equal(shown.code, 0, shown.err)
  assert.match(shown.out, /client_id: portal\norigin: operator\nstatus: active\nclient_name: Portal/)
  assert.match(shown.out, new RegExp(`secret: ${first}, since 20`))
  assert.doesNotMatch(shown.out, /gh_cs_/)

  const added = await run('add-secret', 'portal', '--expires', '90d')
  assert.equal(added.code, 0, added.err)
  assert.match(added.out, /gh_cs_/)
  const third = await run('add-secret', 'portal')
  assert.equal(third.code, 1)
  assert.match(third.err, /2 secrets/)
  assert.equal((await run('remove-secret', 'portal', first ?? '', '--end-tokens')).code, 0)
  assert.equal((await run('remove-secret', 'portal', first ?? '')).code, 1)

  assert.equal((await run('disable', 'portal')).code, 0)
  assert.equal((await run('disable', 'portal')).code, 1)
  assert.match(
    (await run('list')).out,
    /^web-app\tWeb App\tconfiguration\tactive\nportal\tPortal\toperator\tdisabled\n$/,
  )
  assert.equal((await run('enable', 'portal')).code, 0)
  assert.equal((await run('remove', 'portal')).code, 0)
  assert.equal((await run('show', 'portal')).code, 1)
})

test('OA1: what is wrong with a call is told with its reason and exits 2; what is not there exits 1', async () => {
  const { run } = place()
  for (const [args, code, message] of [
    [[], 2, /usage/],
    [['begin'], 2, /unknown `client begin`/],
    [['constructor'], 2, /unknown `client constructor`/],
    [['create'], 2, /usage/],
    [['create', 'A', 'B'], 2, /usage/],
    [['create', 'A'], 2, /redirect_uris expected one at least/],
    [['create', 'A', '--redirect', 'https://*.example.com/'], 2, /pattern/],
    [['create', 'A', '--redirect', 'http://127.0.0.1/cb', '--grant', 'password'], 2, /RFC 9700/],
    [['create', 'A', '--grant', 'client_credentials', '--public'], 2, /show who they are/],
    [
      ['create', 'A', '--redirect', 'https://a.example.com/cb', '--grant', 'token_exchange', '--public'],
      2,
      /show who they are/,
    ],
    [['create', 'A', '--grant', 'client_credentials', '--scope', 'fly'], 2, /no scope is called `fly`/],
    [['create', 'A', '--grant', 'client_credentials', '--jwks-uri', 'https://10.0.0.1/'], 2, /public address/],
    [['create', 'A', '--grant', 'client_credentials', '--id', 'x'], 2, /3 to 64/],
    [['add-secret', 'web-app', '--expires', 'soon'], 2, /duration/],
    [['create', 'A', '--grant', 'client_credentials', '--id', 'web-app'], 1, /already/],
    [['show', 'nobody'], 1, /no client/],
    [['remove', 'nobody'], 1, /no client/],
    [['remove', 'web-app'], 1, /configuration/],
  ] as const) {
    const outcome = await run(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message, args.join(' '))
  }
  const without = await place({}).run('list')
  assert.equal(without.code, 2)
  assert.match(without.err, /no `oauth`/)
})

test('OA1: clients of each kind are made by command', async () => {
  const { run } = place()
  for (const [args, expected] of [
    [['--redirect', 'http://127.0.0.1/callback', '--public'], /auth_method: none\napplication_type: native/],
    [['--grant', 'device_code', '--grant', 'refresh_token', '--public', '--native'], /device_code","refresh_token/],
    [
      ['--grant', 'client_credentials', '--jwks-uri', 'https://app.example.com/jwks', '--bound-tokens'],
      /private_key_jwt[\s\S]*dpop_bound_access_tokens: true/,
    ],
    [
      ['--redirect', 'com.example.app:/callback', '--public', '--pushed-requests'],
      /require_pushed_authorization_requests: true/,
    ],
  ] as const) {
    const made = await run('create', 'An App', ...args)
    assert.equal(made.code, 0, made.err)
    assert.doesNotMatch(made.out, /gh_cs_/)
    const id = /client_id: (gh_cl_\S+)/.exec(made.out)?.[1] ?? ''
    assert.match((await run('show', id)).out, expected)
  }
})

test('A27: clients of certificates are made by command, by a name or by the certificate itself', async () => {
  const { dir, run } = place({ ...config, oauth: { ...config.oauth, clientCertificates: 'verified' } })
  const { cert } = await makeSelfSigned({ subject: 'app' })
  const file = join(dir, 'app.pem')
  writeFileSync(file, cert)
  writeFileSync(join(dir, 'broken.pem'), 'no certificate')
  const itself = ['create', 'An App', '--grant', 'client_credentials']
  for (const [args, expected] of [
    [
      ['--certificate-subject', 'CN=billing,O=Example'],
      /tls_client_auth\n[\s\S]*tls_client_auth_subject_dn: CN=billing,O=/,
    ],
    [['--certificate-dns', 'Billing.Internal'], /tls_client_auth_san_dns: billing\.internal/],
    [['--certificate-uri', 'spiffe://example.com/billing'], /tls_client_auth_san_uri: spiffe:/],
    [['--certificate-address', '2001:db8:0::1'], /tls_client_auth_san_ip: 2001:db8::1/],
    [['--certificate-email', 'billing@example.com'], /tls_client_auth_san_email: billing@/],
    [['--certificate', file], /self_signed_tls_client_auth\n[\s\S]*"x5c":\["MII/],
    [['--certificate', file, '--certificate-bound'], /tls_client_certificate_bound_access_tokens: true/],
  ] as const) {
    const made = await run(...itself, ...args)
    assert.equal(made.code, 0, made.err)
    assert.doesNotMatch(made.out, /gh_cs_/, 'it shows who it is without a secret')
    const id = /client_id: (gh_cl_\S+)/.exec(made.out)?.[1] ?? ''
    assert.match((await run('show', id)).out, expected)
  }
  for (const [args, message] of [
    [
      ['--certificate-dns', 'a', '--certificate-subject', 'CN=a'],
      /--certificate-subject, --certificate-dns: expected one/,
    ],
    [['--certificate', file, '--public'], /--public, --certificate: expected one/],
    [['--certificate', join(dir, 'none.pem')], /--certificate: `.*none\.pem` cannot be read \(ENOENT\)/],
    [['--certificate', join(dir, 'broken.pem')], /--certificate: `.*broken\.pem` is no PEM certificate: it holds no/],
    [['--certificate-dns', '*.internal'], /pattern/],
    [['--certificate-bound', '--bound-tokens'], /bound to one thing/],
  ] as const) {
    const { code, err } = await run(...itself, ...args)
    assert.equal(code, 2, err)
    assert.match(err, message)
  }
  const blind = await place().run(...itself, '--certificate-dns', 'billing.internal')
  assert.equal(blind.code, 2)
  assert.match(blind.err, /`tls_client_auth`: no authority vouches for client certificates here/)
})

test('OA1 TK4: what a command does to a client holds within a second in the house that serves', async (context) => {
  const { dir, config, run } = place()
  const house = await startProcess(context, ['--config', config], { dataDir: dir })
  const grant = ['--grant', 'client_credentials', '--scope', 'widgets:read']
  const made = await run('create', 'Reports', '--id', 'reports', ...grant)
  assert.equal(made.code, 0, made.err)
  const secret = /gh_cs_\S+/.exec(made.out)?.[0] ?? ''
  const ask = async (): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`reports:${secret}`).toString('base64')}`
    const answer = await fetch(`${house.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    await answer.body?.cancel()
    return answer.status
  }
  assert.equal(await ask(), 200)
  assert.equal((await run('disable', 'reports')).code, 0)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  assert.equal(await ask(), 401)
  assert.equal((await run('disable', 'nobody')).code, 1)
  assert.equal((await run('begin')).code, 2)
})

test('A30: an operator at the machine lets one client register', async () => {
  const { run } = place()
  const invited = await run('invite', '--expires', '1h')
  assert.equal(invited.code, 0, invited.err)
  assert.match(invited.out, /one client may register itself until 20\S+ with: \S{43}/)
  const closed = await place({ ...config, oauth: { ...config.oauth, registration: { access: 'closed' } } }).run(
    'invite',
  )
  assert.equal(closed.code, 1)
  assert.match(closed.err, /oauth\.registration\.access/)
})
