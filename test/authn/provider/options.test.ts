import assert from 'node:assert/strict'
import { test } from 'node:test'
import { providersOptions } from '../../../src/authn/provider/options.ts'

const client = { clientId: 'gatehouse', clientSecret: { env: 'SECRET' } }
const endpoints = {
  authorization: 'https://git.example/login/oauth/authorize',
  token: 'https://git.example/login/oauth/access_token',
  user: 'https://git.example/api/v3/user',
  emails: 'https://git.example/api/v3/user/emails',
}

test('ID4: Google, GitHub and Microsoft need a client and no more', () => {
  const settled = providersOptions.parse({ google: client, github: client, microsoft: client })
  const { google, github, microsoft } = settled
  assert.deepEqual(
    [google?.issuer, google?.scopes, google?.parameters],
    ['https://accounts.google.com', ['openid', 'profile', 'email'], { access_type: 'offline', prompt: 'consent' }],
  )
  assert.deepEqual(
    [github?.kind, github?.issuer, github?.scopes, github?.endpoints?.emails],
    ['github', 'https://github.com', ['read:user', 'user:email'], 'https://api.github.com/user/emails'],
  )
  assert.deepEqual(
    [microsoft?.kind, microsoft?.issuer, microsoft?.scopes, microsoft?.label],
    [
      'microsoft',
      'https://login.microsoftonline.com/common/v2.0',
      ['openid', 'profile', 'email', 'offline_access'],
      'Microsoft',
    ],
  )
  assert.ok(Object.values(settled).every(({ enabled, trustEmail }) => enabled && !trustEmail))
})

test('ID4: any other provider says its issuer; a server with GitHub’s API has its own', () => {
  const { acme, forge, staff } = providersOptions.parse({
    acme: { clientId: 'x', issuer: 'https://id.example/realms/one' },
    forge: { ...client, kind: 'github', endpoints },
    staff: { ...client, issuer: 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0' },
  })
  assert.deepEqual([acme?.kind, acme?.issuer, acme?.label], ['oidc', 'https://id.example/realms/one', 'acme'])
  assert.deepEqual([forge?.kind, forge?.issuer], ['github', 'https://git.example'])
  assert.equal(staff?.kind, 'microsoft')
})

// biome-ignore format: a table
const mistakes: Readonly<Record<string, readonly [written: unknown, path: string]>> = {
  'a name with capitals': [{ Acme: { clientId: 'x', issuer: 'https://id.example' } }, 'Acme'],
  'a name that is a path': [{ '../x': { clientId: 'x', issuer: 'https://id.example' } }, '../x'],
  'no issuer': [{ acme: client }, 'acme.issuer'],
  'an issuer in the clear': [{ acme: { ...client, issuer: 'http://id.example' } }, 'acme.issuer'],
  'an issuer in the clear that looks like this machine': [{ acme: { ...client, issuer: 'http://127.0.0.1.example' } }, 'acme.issuer'],
  'an issuer with a password': [{ acme: { ...client, issuer: 'https://a:b@id.example' } }, 'acme.issuer'],
  'an issuer with a query': [{ acme: { ...client, issuer: 'https://id.example/?a' } }, 'acme.issuer'],
  'an issuer that is a script': [{ acme: { ...client, issuer: 'javascript:alert(1)' } }, 'acme.issuer'],
  'another issuer for Google': [{ google: { ...client, issuer: 'https://id.example' } }, 'google.issuer'],
  'Google without a secret': [{ google: { clientId: 'x' } }, 'google.clientSecret'],
  'a secret in the configuration': [{ google: { clientId: 'x', clientSecret: 'hunter2' } }, 'google.clientSecret'],
  'no client': [{ google: { clientSecret: { env: 'S' } } }, 'google.clientId'],
  'a key that nobody knows': [{ google: { ...client, trust: true } }, 'google'],
  'GitHub’s API nowhere': [{ forge: { ...client, kind: 'github' } }, 'forge.endpoints'],
  'endpoints by hand': [{ acme: { ...client, issuer: 'https://id.example', endpoints } }, 'acme.endpoints'],
  'scopes without `openid`': [{ acme: { ...client, issuer: 'https://id.example', scopes: ['email'] } }, 'acme.scopes'],
  'a tenant elsewhere': [{ google: { ...client, tenant: 'common' } }, 'google.tenant'],
  'trust in everybody’s tenant': [{ microsoft: { ...client, trustEmail: true } }, 'microsoft.trustEmail'],
  'trust in everybody’s tenant under another name': [{ staff: { ...client, issuer: 'https://login.microsoftonline.com/organizations/v2.0', trustEmail: true } }, 'staff.trustEmail'],
}
for (const [what, [written, path]] of Object.entries(mistakes)) {
  test(`${what} is a mistake at load, and said where it stands`, () => {
    const { success, error } = providersOptions.safeParse(written)
    assert.equal(success, false)
    assert.ok(
      error?.issues.some((issue) => issue.path.join('.') === path),
      JSON.stringify(error?.issues),
    )
  })
}
