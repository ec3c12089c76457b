import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js'
import * as oauth4webapi from 'oauth4webapi'
import { publicUrl } from '../support/people.ts'
import { startGuarded, toolsAudience } from './clients.ts'

const at = '/.well-known/oauth-protected-resource'

test('OA4 D1 A36: each resource says which server gives tokens for it, and what can be asked for', async (context) => {
  const { url } = await startGuarded(context)
  const documents: Readonly<Record<string, object>> = {
    [at]: {
      resource: publicUrl,
      resource_name: 'Gatehouse',
      scopes_supported: ['widgets:read', 'widgets:write', 'files:write', 'mcp:tools'],
    },
    [`${at}/mcp`]: { resource: toolsAudience, resource_name: 'Tools', scopes_supported: ['mcp:tools'] },
    [`${at}/mcp/inner`]: {
      resource: `${toolsAudience}/inner`,
      resource_name: 'Inner tools',
      scopes_supported: ['mcp:tools'],
    },
  }
  for (const [path, said] of Object.entries(documents)) {
    const response = await fetch(url + path)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(response.headers.get('cache-control'), 'public, max-age=300')
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    assert.deepEqual(await response.json(), {
      authorization_servers: [publicUrl],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
      dpop_bound_access_tokens_required: false,
      ...said,
    })
  }
  for (const path of [`${at}/`, `${at}/widgets`, `${at}/mcpx`, `${at}/mcp/`, `${at}/mcp/tools`])
    assert.equal((await fetch(url + path)).status, 404, path)
  assert.equal((await fetch(url + at, { method: 'HEAD' })).status, 200)
  assert.equal((await fetch(url + at, { method: 'POST' })).status, 405)
})

test('OA4 D2: real clients find the way from a refusal to the description, and it is that of the resource', async (context) => {
  const { url } = await startGuarded(context)
  for (const [path, resource] of [
    ['/mcp', toolsAudience],
    ['/widgets', publicUrl],
  ] as const) {
    const refused = await fetch(url + path)
    const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused)
    assert.equal(scope, path === '/mcp' ? 'mcp:tools' : 'widgets:read')
    assert.equal(resourceMetadataUrl?.origin, publicUrl)
    const description = await oauth4webapi.resourceDiscoveryRequest(new URL(resource), {
      [oauth4webapi.customFetch]: (asked: string, init: object) => {
        assert.equal(asked, resourceMetadataUrl?.href, 'where the client would look without being told, too')
        return fetch(asked.replace(publicUrl, url), init)
      },
    })
    const known = await oauth4webapi.processResourceDiscoveryResponse(new URL(resource), description)
    assert.deepEqual(known.authorization_servers, [publicUrl])
  }
})

test('A36: oauth4webapi reads our challenges', async (context) => {
  const { url, lent } = await startGuarded(context)
  const options: oauth4webapi.ProtectedResourceRequestOptions = { [oauth4webapi.allowInsecureRequests]: true }
  const challenge = async (token: string, path: string): Promise<readonly oauth4webapi.WWWAuthenticateChallenge[]> => {
    try {
      await oauth4webapi.protectedResourceRequest(token, 'GET', new URL(url + path), new Headers(), null, options)
    } catch (error) {
      if (error instanceof oauth4webapi.WWWAuthenticateChallengeError) return error.cause
      throw error
    }
    return assert.fail('it was let in')
  }
  const [insufficient] = await challenge(lent([]), '/scoped')
  assert.deepEqual(insufficient, {
    scheme: 'bearer',
    parameters: {
      realm: 'gatehouse',
      error: 'insufficient_scope',
      error_description: 'The client was granted too little',
      scope: 'files:write',
      resource_metadata: publicUrl + at,
    },
  })
  const [invalid] = await challenge('nonsense', '/mcp')
  assert.equal(invalid?.parameters.resource_metadata, `${publicUrl}${at}/mcp`)
  const stranger = await fetch(`${url}/mcp`)
  assert.equal(stranger.headers.get('www-authenticate')?.split(', DPoP ').length, 2, 'both schemes are offered')
})
