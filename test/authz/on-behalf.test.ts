import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { actorsOf } from '../../src/authn/actor.ts'
import { anonymous, type Principal } from '../../src/authn/principal.ts'
import { decisionPoint } from '../../src/authz/decide.ts'
import { onBehalf } from '../../src/authz/on-behalf.ts'
import { covers } from '../../src/authz/permissions.ts'
import { compileRoles } from '../../src/authz/role/table.ts'

function somebody(id: string, permissions: readonly string[], more: Partial<Principal> = {}): Principal {
  return { ...anonymous, type: 'user', id, roles: ['user'], permissions: new Set(permissions), ...more }
}

const ada = somebody('ada', ['widgets:*', 'notes:read'], { attributes: { email: 'ada@example.com' } })
const planner = somebody('planner', ['widgets:read', 'notes:*', 'mail:send'], { type: 'service', roles: ['machine'] })

test('A57: an agent that acts for a person is that person, and may what both of them may', () => {
  const acting = onBehalf(ada, planner)
  assert.deepEqual([acting.type, acting.id, acting.attributes], ['user', 'ada', ada.attributes])
  assert.deepEqual([...acting.permissions].toSorted(), ['notes:read', 'widgets:read'])
  assert.deepEqual([acting.roles, acting.actor], [[], { id: 'planner', actor: undefined }])
  const { decide } = decisionPoint(compileRoles({}))
  for (const [permission, effect] of [
    ['widgets:read', 'permit'],
    ['widgets:write', 'deny'],
    ['notes:read', 'permit'],
    ['mail:send', 'deny'],
  ] as const)
    assert.equal(decide({ principal: acting, permission }).effect, effect, permission)
})

test('A57: whatever the two may, the agent may nothing for the person that one of them may not', () => {
  const permission = fc.array(fc.constantFrom('a', 'b', '*', 'c:*'), { minLength: 1, maxLength: 3 }).map((parts) => {
    const at = parts.findIndex((part) => part.endsWith('*'))
    return (at === -1 ? parts : parts.slice(0, at + 1)).join(':')
  })
  const permissions = fc.array(permission, { maxLength: 6 })
  fc.assert(
    fc.property(permissions, permissions, permission, (theirs, its, wanted) => {
      const acting = onBehalf(somebody('ada', theirs), somebody('agent', its))
      const both = covers(new Set(theirs), wanted) && covers(new Set(its), wanted)
      assert.equal(covers(acting.permissions, wanted), both)
    }),
    { numRuns: 2_000 },
  )
})

test('A58: everybody who acts is named, whoever acts now first', () => {
  const handed = onBehalf(onBehalf(ada, planner), somebody('tools', ['widgets:read'], { actor: { id: 'root' } }))
  assert.deepEqual(actorsOf(handed.actor), ['root', 'tools', 'planner'])
  assert.deepEqual([...handed.permissions], ['widgets:read'])
  const five = ['b', 'c', 'd', 'e'].reduce((chain, id) => onBehalf(chain, somebody(id, ['*'])), onBehalf(ada, planner))
  assert.equal(actorsOf(five.actor).length, 5)
  assert.throws(() => onBehalf(five, somebody('f', ['*'])), /`f` would be more than 5/)
})

test('A57: a client of other people stays one, and its scopes are all that it was lent', () => {
  const byApp = somebody('ada', ['widgets:read'], { roles: [], client: 'web-app', scopes: new Set(['widgets:read']) })
  const acting = onBehalf(byApp, planner)
  assert.deepEqual(
    [acting.client, [...acting.scopes], [...acting.permissions]],
    ['web-app', ['widgets:read'], ['widgets:read']],
  )
})

test('A55: nobody acts for nobody', () => {
  assert.equal(onBehalf(anonymous, planner), anonymous)
  assert.equal(onBehalf(ada, anonymous), anonymous)
})
