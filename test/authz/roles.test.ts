import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Holder } from '../../src/authn/holder.ts'
import type { Verified } from '../../src/authn/token/tokens.ts'
import { covers } from '../../src/authz/permissions.ts'
import { roleOptions } from '../../src/authz/role/grants.ts'
import { compileRoles } from '../../src/authz/role/table.ts'

function verified(roles: readonly string[]): Verified {
  return {
    kind: 'access-token',
    subject: 'u1',
    tokenId: 't1',
    session: 's1',
    roles,
    scopes: ['widgets:read'],
    attributes: { email: 'ada@example.com' },
    issuedAt: 1,
    expiresAt: 2,
    proof: { methods: ['password'], at: 0 },
    actor: undefined,
    client: undefined,
    audience: ['gatehouse'],
    keyThumbprint: undefined,
    certificateThumbprint: undefined,
  }
}

const assistant = compileRoles({
  viewer: { permissions: ['conversation:read'] },
  user: { permissions: ['conversation:*', 'tool:execute'] },
  developer: { permissions: ['tool:register', 'tool:delete'], inherits: ['user'] },
})

test('AZ1: several roles add up, inherited ones too', () => {
  assert.deepEqual([...assistant.permissionsOf(['viewer', 'developer'])].toSorted(), [
    'conversation:*',
    'conversation:read',
    'tool:delete',
    'tool:execute',
    'tool:register',
  ])
  assert.deepEqual([...assistant.permissionsOf([])], [])
})

test('AZ1: an unknown role grants nothing, whatever it is called', () => {
  for (const role of ['nobody', '', '__proto__', 'constructor', 'toString', 'Admin', 'admin ', 'viewer\0admin', '*']) {
    assert.deepEqual([...assistant.permissionsOf([role])], [], role)
  }
  assert.deepEqual([...assistant.permissionsOf(['viewer', 'nobody'])], ['conversation:read'])
  assert.equal(assistant.permissionsOf(['viewer', 'user']).size, 3)
  for (const glue of ['\0', ',', '","', ' '])
    assert.deepEqual(
      [...assistant.permissionsOf([`viewer${glue}user`])],
      [],
      'nor one that looks like two that are known',
    )
})

test('AZ1: `admin` holds everything, also where it is configured or inherited from', () => {
  assert.deepEqual([...compileRoles({}).permissionsOf(['admin'])], ['*'])
  const roles = compileRoles({
    admin: { permissions: ['audit:view'] },
    chief: { permissions: [], inherits: ['admin'] },
  })
  assert.ok(covers(roles.permissionsOf(['admin']), 'system:config'))
  assert.ok(covers(roles.permissionsOf(['chief']), 'system:config'))
})

test('roles that inherit in a circle, or the same role twice, come to an end', () => {
  const roles = compileRoles({
    a: { permissions: ['p:a'], inherits: ['b', 'c'] },
    b: { permissions: ['p:b'], inherits: ['a', 'd'] },
    c: { permissions: ['p:c'], inherits: ['d', 'constructor'] },
    d: { permissions: ['p:d'], inherits: ['d'] },
  })
  assert.deepEqual([...roles.permissionsOf(['a'])].toSorted(), ['p:a', 'p:b', 'p:c', 'p:d'])
  assert.deepEqual([...roles.permissionsOf(['c'])].toSorted(), ['p:c', 'p:d'])
})

test('a permission that could never be meant is refused at load', () => {
  const fits = (permission: string): boolean => roleOptions.safeParse({ permissions: [permission] }).success
  for (const good of ['*', 'read', 'task:read', 'task:*', 'a:b:c', 'a:b:*', 'manage_users', 'x.y-z:1'])
    assert.ok(fits(good), good)
  for (const bad of [
    '',
    ' ',
    '**',
    '*:read',
    'task:*:own',
    'task:',
    ':read',
    'task::read',
    'task read',
    'task:re*',
    'täsk',
  ]) {
    assert.ok(!fits(bad), bad)
  }
  assert.equal(roleOptions.safeParse({ permissions: [], permission: ['a'] }).success, false, 'an unknown key')
})

test('a request costs no set building: the same roles are the same set, and the same token the same principal', () => {
  assert.equal(assistant.permissionsOf(['viewer', 'user']), assistant.permissionsOf(['viewer', 'user']))
  assert.notEqual(assistant.permissionsOf(['viewer']), assistant.permissionsOf(['user']))
  const token = verified(['viewer'])
  assert.equal(assistant.principalOf(token), assistant.principalOf(token))
  assert.notEqual(compileRoles({}).principalOf(token), assistant.principalOf(token), 'another table, another principal')
})

test('A62: a principal holds what its token says, and handles where secrets were', () => {
  assert.deepEqual(assistant.principalOf(verified(['viewer'])), {
    type: 'user',
    id: 'u1',
    credential: {
      kind: 'access-token',
      id: 't1',
      session: 's1',
      issuedAt: 1,
      expiresAt: 2,
      proof: { methods: ['password'], at: 0 },
    },
    roles: ['viewer'],
    permissions: new Set(['conversation:read']),
    scopes: new Set(['widgets:read']),
    attributes: { email: 'ada@example.com' },
    actor: undefined,
    client: undefined,
    limit: undefined,
  })
})

test('A55 AK1: a machine holds what its owner holds and its credential lends, and by scopes what a client would', () => {
  const table = compileRoles(
    { editor: { permissions: ['note:*', 'thing:read'] } },
    { notes: { permissions: ['note:read'] } },
  )
  const holder = (more: Partial<Holder>): Holder => ({
    type: 'user',
    id: 'u1',
    credential: { kind: 'api-key', id: 'k1' },
    roles: ['editor'],
    permissions: [],
    lent: undefined,
    scopes: undefined,
    organisation: undefined,
    limit: undefined,
    from: undefined,
    ...more,
  })
  const held = (more: Partial<Holder>): readonly string[] =>
    [...table.principalOfHolder(holder(more)).permissions].toSorted()
  assert.deepEqual(held({}), ['note:*', 'thing:read'])
  assert.deepEqual(held({ lent: ['note:write', 'user:delete'] }), ['note:write'], 'no more than the owner')
  assert.deepEqual(held({ lent: ['*'] }), ['note:*', 'thing:read'])
  assert.deepEqual(held({ lent: [] }), [])
  assert.deepEqual(held({ roles: [], lent: ['note:read'] }), [], 'an owner who lost their roles')
  assert.deepEqual(held({ type: 'service', roles: [], permissions: ['thing:read'] }), ['thing:read'])
  assert.deepEqual(held({ scopes: ['notes'] }), ['note:read'])
  assert.deepEqual(held({ scopes: [] }), [])
  const limited = table.principalOfHolder(holder({ lent: ['note:read'] }))
  assert.deepEqual([limited.roles, limited.client], [[], undefined], 'a part of somebody is not called by their role')
  assert.equal(table.principalOfHolder(holder({ scopes: ['notes'] })).client, 'k1', 'measured like a client')
  const one = holder({})
  assert.equal(table.principalOfHolder(one), table.principalOfHolder(one))
})
