import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous, type Principal } from '../../src/authn/principal.ts'
import { decisionPoint } from '../../src/authz/decide.ts'
import { undecided } from '../../src/authz/decision.ts'
import { compileRoles } from '../../src/authz/role/table.ts'

const { decide } = decisionPoint(compileRoles({}))

function holding(...permissions: string[]): Principal {
  return { ...anonymous, type: 'user', id: 'u1', roles: ['analyst'], permissions: new Set(permissions) }
}

test('AZ2: who holds the permission may, and who does not is told which one is missing', () => {
  assert.deepEqual(decide({ principal: holding('task:*'), permission: 'task:create' }), {
    effect: 'permit',
    because: 'roles analyst hold `task:create`',
  })
  assert.deepEqual(decide({ principal: holding('task:read'), permission: 'task:create' }), {
    effect: 'deny',
    because: 'roles analyst do not hold `task:create`',
    lacks: { kind: 'permission', permission: 'task:create' },
  })
  const nobody = decide({ principal: { ...holding(), roles: [] }, permission: 'task:create' })
  assert.equal(nobody.because, 'roles (none) do not hold `task:create`')
})

test('AZ2: where no permission is demanded, being signed in is enough', () => {
  assert.equal(decide({ principal: holding(), permission: undefined }).effect, 'permit')
})

test('AZ5: a stranger is denied everything, and nobody having decided is a deny', () => {
  for (const permission of [undefined, 'task:read', '*', '']) {
    // Even one who is said to hold everything: permissions come with an identity.
    const principal = { ...anonymous, permissions: new Set(['*']) }
    const decision = decide({ principal, permission })
    assert.equal(decision.effect, 'deny')
    assert.deepEqual('lacks' in decision && decision.lacks, { kind: 'identity' })
  }
  assert.equal(undecided.effect, 'deny')
})
