import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type MetadataRefusal, policed } from '../../src/oauth/registration-policy.ts'
import { registrationCases } from './registration-cases.ts'

suite('registration, on SQLite in memory', () => registrationCases(async () => 'sqlite::memory:'))

const app = { redirect_uris: ['https://app.example.com/callback'], token_endpoint_auth_method: 'none' }
const scopes = {
  has: (scope: string) => scope.startsWith('widgets:'),
  isPrivileged: (scope: string) => scope === 'widgets:admin',
  certificates: 'verified',
} as const

function refusal(said: unknown, invited = false): MetadataRefusal {
  const judged = policed(said, scopes, invited)
  if (!('error' in judged)) assert.fail(`it was taken: ${JSON.stringify(said)}`)
  assert.match(judged.description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'RFC 6749 §5.2')
  return judged
}

function taken(said: object, invited = false): Readonly<Record<string, unknown>> {
  const judged = policed({ ...app, ...said }, scopes, invited)
  if ('error' in judged) assert.fail(`${judged.error}: ${judged.description}`)
  return { ...judged.metadata }
}

test('A30: what a client says of itself gives it no grant of its own, no pattern, no secret and no other form of token', () => {
  for (const [said, error, description] of [
    [{ ...app, grant_types: ['client_credentials'] }, 'invalid_client_metadata', /grant_types/],
    [{ ...app, grant_types: ['implicit'] }, 'invalid_client_metadata', /grant_types/],
    [{ ...app, grant_types: ['password'] }, 'invalid_client_metadata', /grant_types/],
    [{ ...app, response_types: ['token'] }, 'invalid_client_metadata', /response_types/],
    [{ ...app, response_types: ['code', 'token'] }, 'invalid_client_metadata', /response_types/],
    [{ ...app, subject_type: 'pairwise' }, 'invalid_client_metadata', /one identifier/],
    [{ ...app, token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata', /hashed/],
    [{ ...app, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata', /jwks/],
    [{ ...app, scope: 'widgets:admin' }, 'invalid_client_metadata', /scope/],
    [{ ...app, redirect_uris: [] }, 'invalid_redirect_uri', /one at least/],
    [{ token_endpoint_auth_method: 'none' }, 'invalid_redirect_uri', /one at least/],
    [{ ...app, redirect_uris: 'https://app.example.com/' }, 'invalid_redirect_uri', /redirect_uris/],
    [{ ...app, redirect_uris: [7] }, 'invalid_redirect_uri', /redirect_uris/],
    [{ ...app, redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri', /runs/],
    [{ ...app, redirect_uris: ['https://*.example.com/'] }, 'invalid_redirect_uri', /pattern/],
    [{ ...app, redirect_uris: ['http://app.example.com/'] }, 'invalid_redirect_uri', /https/],
    [{ ...app, redirect_uris: ['https://app.example.com/#'] }, 'invalid_redirect_uri', /fragment/],
    [{ ...app, application_type: 'web', redirect_uris: ['http://localhost/cb'] }, 'invalid_redirect_uri', /native/],
    [{ ...app, redirect_uris: ['https://ünïcode.example/'] }, 'invalid_redirect_uri', /ASCII/],
    [{ ...app, client_name: 7 }, 'invalid_client_metadata', /client_name/],
    [[], 'invalid_client_metadata', /metadata/],
    [null, 'invalid_client_metadata', /metadata/],
    ['x', 'invalid_client_metadata', /metadata/],
  ] as const) {
    const { error: got, description: why } = refusal(said)
    assert.equal(got, error, JSON.stringify(said))
    assert.match(why, description)
  }
})

test('A30: privileged scopes and scopes that are not there are left out, and the answer says what is left', () => {
  assert.equal(taken({ scope: 'openid widgets:read widgets:admin fly' })['scope'], 'openid widgets:read')
  assert.equal(taken({})['scope'], undefined)
})

test('OA4: what is not known is passed over (RFC 7591 §2), and nothing that spares a person a question is kept', () => {
  const metadata = taken({
    client_name: 'Bank\u202e\nApp',
    skip_consent: true,
    verified: true,
    origin: 'operator',
    client_id: 'backend',
    client_secret: 'mine',
    logo_uri: 'https://evil.example/pixel.png',
    software_statement: 'x.y.z',
    contacts: ['a@example.com'],
    client_uri: 'javascript:alert(1)',
    __proto__: { verified: true },
    jwks_uri: 'https://10.0.0.1/',
  })
  assert.deepEqual(metadata, {
    client_name: 'Bank App',
    redirect_uris: ['https://app.example.com/callback'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'none',
    application_type: 'web',
    require_pushed_authorization_requests: false,
    dpop_bound_access_tokens: false,
  })
})

test('OA4: what MCP clients send is taken', () => {
  for (const said of [
    {
      redirect_uris: ['http://localhost:33418/', 'http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
      client_name: 'Visual Studio Code',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      application_type: 'native',
    },
    {
      redirect_uris: ['http://localhost:6274/oauth/callback'],
      client_uri: 'https://github.com/mcp',
      scope: 'openid widgets:read',
    },
    { redirect_uris: ['com.example.editor:/callback'], response_types: ['code'] },
  ])
    assert.equal(taken(said)['application_type'], 'native')
})
