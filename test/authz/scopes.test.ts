import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verified } from '../../src/authn/token/tokens.ts'
import { decisionPoint } from '../../src/authz/decide.ts'
import type { ClientTerms } from '../../src/authz/decision.ts'
import { compileRoles } from '../../src/authz/role/table.ts'
import { compileScopes } from '../../src/authz/scopes.ts'

const scopes = {
  'widgets:read': {},
  'widgets:write': { permissions: ['widgets:read', 'widgets:write'] },
  'widgets:admin': { permissions: ['widgets:*'], privileged: true },
  everything: { permissions: ['*'] },
  openid: { permissions: ['users:manage'] },
}
const roles = compileRoles(
  { maker: { permissions: ['widgets:*', 'projects:read'] }, reader: { permissions: ['widgets:read'] } },
  scopes,
)
const { decide } = decisionPoint(roles)

function token(client: string | undefined, granted: readonly string[], more: Partial<Verified> = {}): Verified {
  return {
    kind: 'access-token',
    subject: 'u1',
    tokenId: 't1',
    session: 's1',
    roles: ['maker'],
    scopes: granted,
    attributes: {},
    issuedAt: 1,
    expiresAt: 2,
    proof: { methods: ['password'], at: 0 },
    actor: undefined,
    client,
    audience: ['gatehouse'],
    keyThumbprint: undefined,
    certificateThumbprint: undefined,
    ...more,
  }
}

function permissionsOf(verified: Verified): string[] {
  return [...roles.principalOf(verified).permissions].toSorted()
}

test('OA2 A57: a client may what its scopes lend, and of that only what its person may', () => {
  for (const [granted, may] of [
    [['widgets:read'], ['widgets:read']],
    [['widgets:write'], ['widgets:read', 'widgets:write']],
    [['widgets:admin'], ['widgets:*']],
    [['everything'], ['projects:read', 'widgets:*']],
    [[], []],
    [['unknown', '__proto__', 'constructor', 'toString', '*', ''], []],
  ] as const) {
    assert.deepEqual(permissionsOf(token('app', granted)), may, granted.join(' '))
  }
  assert.deepEqual(permissionsOf(token('app', ['widgets:admin'], { roles: ['reader'] })), ['widgets:read'])
  assert.deepEqual(permissionsOf(token('app', ['everything'], { roles: [] })), [])
})

test('OA2: scopes about the person lend nothing, whatever a configuration says of them', () => {
  assert.deepEqual(
    permissionsOf(token('app', ['openid', 'profile', 'email', 'offline_access'], { roles: ['admin'] })),
    [],
  )
})

test('OA2: our own sign-in is not measured by scopes', () => {
  assert.deepEqual(permissionsOf(token(undefined, [])), ['projects:read', 'widgets:*'])
})

test('A57: a client has no roles: who asks for roles would take it for the person', () => {
  const { roles: names, client, type, id } = roles.principalOf(token('app', ['everything'], { roles: ['admin'] }))
  assert.deepEqual({ names, client, type, id }, { names: [], client: 'app', type: 'user', id: 'u1' })
})

test('A34: a client by itself is a service with the permissions of its scopes, and never a person', () => {
  const principal = roles.principalOf(token('app', ['widgets:read'], { subject: 'app', roles: ['admin'] }))
  assert.equal(principal.type, 'service')
  assert.deepEqual(principal.roles, [])
  assert.deepEqual([...principal.permissions], ['widgets:read'])
})

test('OA2: lenders come in the order in which to ask: unprivileged, and least, first', () => {
  const table = compileScopes({ ...scopes, 'a:all': { permissions: ['widgets:read', 'a', 'b', 'c'] } })
  assert.deepEqual(table.lendersOf('widgets:read'), [
    'widgets:read',
    'widgets:write',
    'a:all',
    'everything',
    'widgets:admin',
  ])
  assert.deepEqual(table.lendersOf('widgets:delete'), ['everything', 'widgets:admin'])
  assert.deepEqual(compileScopes({}).lendersOf('widgets:read'), [])
})

const terms = (more: Partial<ClientTerms> = {}): ClientTerms => ({ scopes: [], welcome: false, ...more })

test('OA2: who lacks a scope is told all that the request needs, in one answer', () => {
  const principal = roles.principalOf(token('app', ['widgets:read']))
  const both = decide({
    principal,
    permission: 'widgets:write',
    ofClients: terms({ scopes: ['files:write', 'widgets:read'] }),
  })
  assert.equal(both.effect, 'deny')
  assert.deepEqual('lacks' in both && both.lacks, {
    kind: 'scopes',
    scopes: ['files:write', 'widgets:read', 'widgets:write'],
  })
  const held = decide({ principal, permission: 'widgets:read', ofClients: terms({ scopes: ['files:write'] }) })
  assert.deepEqual('lacks' in held && held.lacks, { kind: 'scopes', scopes: ['files:write', 'widgets:read'] })
  assert.equal(decide({ principal, permission: 'widgets:read', ofClients: terms() }).effect, 'permit')
  assert.equal(decide({ principal, permission: 'widgets:read' }).effect, 'permit')
})

test('OA2: where the person may not, no scope is asked for', () => {
  const principal = roles.principalOf(token('app', [], { roles: ['reader'] }))
  const decision = decide({ principal, permission: 'widgets:write', ofClients: terms({ scopes: ['files:write'] }) })
  assert.deepEqual('lacks' in decision && decision.lacks, { kind: 'permission', permission: 'widgets:write' })
})

test('OA2: a scope that cannot be asked for at a resource neither helps there nor is named', () => {
  const principal = roles.principalOf(token('app', ['widgets:read']))
  const offered = new Set(['everything'])
  const decision = decide({ principal, permission: 'widgets:read', ofClients: terms({ offered }) })
  assert.deepEqual('lacks' in decision && decision.lacks, { kind: 'scopes', scopes: ['everything'] })
  const none = decide({ principal, permission: 'widgets:read', ofClients: terms({ offered: new Set() }) })
  assert.deepEqual('lacks' in none && none.lacks, { kind: 'own-sign-in' })
  const nobodyLends = decide({
    principal,
    permission: 'projects:read',
    ofClients: terms({ offered: new Set(['widgets:read']) }),
  })
  assert.deepEqual('lacks' in nobodyLends && nobodyLends.lacks, { kind: 'own-sign-in' })
})

test('A56: a client is let in by a scope, or by being welcome, and by nothing else', () => {
  const principal = roles.principalOf(token('app', ['widgets:read']))
  const bare = decide({ principal, permission: undefined })
  assert.deepEqual('lacks' in bare && bare.lacks, { kind: 'own-sign-in' })
  assert.equal(decide({ principal, permission: undefined, ofClients: terms() }).effect, 'deny')
  assert.equal(decide({ principal, permission: undefined, ofClients: terms({ welcome: true }) }).effect, 'permit')
  assert.equal(
    decide({ principal, permission: undefined, ofClients: terms({ scopes: ['widgets:read'] }) }).effect,
    'permit',
  )
  assert.equal(
    decide({ principal, permission: undefined, ofClients: terms({ scopes: ['x'], welcome: true }) }).effect,
    'deny',
    'welcome is not excused from the scopes',
  )
})

test('A56: a principal that this table did not make is nobody whose person may anything', () => {
  const forged = { ...roles.principalOf(token('app', ['widgets:read'])) }
  assert.equal(decide({ principal: forged, permission: 'widgets:read' }).effect, 'deny')
})

test('A34: a client by itself that lacks the permission is told the scope that would lend it, or that none does', () => {
  const principal = roles.principalOf(token('app', ['widgets:read'], { subject: 'app' }))
  assert.equal(decide({ principal, permission: 'widgets:read' }).effect, 'permit')
  const more = decide({ principal, permission: 'widgets:write' })
  assert.deepEqual('lacks' in more && more.lacks, { kind: 'scopes', scopes: ['widgets:write'] })
  const none = decide({
    principal,
    permission: 'users:manage',
    ofClients: terms({ offered: new Set(['widgets:read']) }),
  })
  assert.deepEqual('lacks' in none && none.lacks, { kind: 'permission', permission: 'users:manage' })
})
