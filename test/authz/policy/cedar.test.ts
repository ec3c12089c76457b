import assert from 'node:assert/strict'
import { test } from 'node:test'
import cedar, { type StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { anonymous } from '../../../src/authn/principal.ts'
import { decisionPoint } from '../../../src/authz/decide.ts'
import type { AttributeRequest } from '../../../src/authz/policy/policy.ts'
import { compileRoles } from '../../../src/authz/role/table.ts'
import { cedarContext, cedarPolicies } from './cedar-translation.ts'
import { anyCedarDocument, anyCedarRequest } from './random-cedar.ts'
import { policyOf } from './support.ts'

/** Enough to mean something, and an end to the search for a smaller example. */
const bounds = { numRuns: 400, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true }

test('AZ4, A56: a policy and its translation into Cedar decide alike, by the same rule, whatever is missing or of another type', () => {
  const seen = { permits: 0, denies: 0, nobody: 0 }
  fc.assert(
    fc.property(anyCedarDocument, fc.array(anyCedarRequest, { minLength: 10, maxLength: 10 }), (document, requests) => {
      const policy = policyOf(document)
      const decide = cedarOf(cedarPolicies(document))
      for (const request of requests) {
        const { effect, rule } = policy.decide(request as unknown as AttributeRequest)
        const theirs = decide({ ...nobody, context: cedarContext(request) as StatefulAuthorizationCall['context'] })
        assert.deepEqual({ effect, rule }, theirs)
        seen[rule === undefined ? 'nobody' : effect === 'permit' ? 'permits' : 'denies']++
      }
    }),
    bounds,
  )
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 300, `${outcome}: only ${times} of all`)
})

test('AZ1, A56: roles that inherit and permissions with wildcards come to what they come to in Cedar', () => {
  const seen = { permits: 0, denies: 0 }
  fc.assert(
    fc.property(anyRoles, fc.array(anyQuestion, { minLength: 10, maxLength: 10 }), (roles, questions) => {
      const table = compileRoles(roles)
      const { decide } = decisionPoint(table)
      const entities = roleEntities(roles)
      const decideByCedar = cedarOf(rolePolicies(roles))
      for (const { held, permission } of questions) {
        const permissions = table.permissionsOf(held)
        const principal = { ...anonymous, type: 'user' as const, id: 'ann', roles: held, permissions }
        const { effect } = decide({ principal, permission })
        const theirs = decideByCedar({
          ...nobody,
          action: actionOf(permission),
          entities: [
            ...entities,
            { uid: nobody.principal, attrs: {}, parents: held.map(roleOf) },
            { uid: actionOf(permission), attrs: {}, parents: wildcardsOver(permission).map(actionOf) },
          ],
        })
        assert.equal(effect, theirs.effect)
        seen[effect === 'permit' ? 'permits' : 'denies']++
      }
    }),
    bounds,
  )
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 300, `${outcome}: only ${times} of all`)
})

const nobody = {
  principal: { type: 'User', id: 'ann' },
  action: { type: 'Action', id: 'ask' },
  resource: { type: 'Resource', id: 'it' },
  context: {},
  entities: [],
}

/** Cedar's answer, and the first of the policies that it names as the reason. One that is in error is a fault of the translation. */
function cedarOf(staticPolicies: Readonly<Record<string, string>>) {
  const parsed = cedar.preparsePolicySet('policies', { staticPolicies })
  if (parsed.type !== 'success') assert.fail(JSON.stringify([parsed.errors, staticPolicies]))
  return (call: Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>) => {
    const answer = cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId: 'policies' })
    if (answer.type !== 'success') assert.fail(JSON.stringify(answer))
    const { decision, diagnostics } = answer.response
    assert.deepEqual(diagnostics.errors, [])
    const rules = diagnostics.reason.map(Number)
    return {
      effect: decision === 'allow' ? 'permit' : 'deny',
      rule: rules.length === 0 ? undefined : Math.min(...rules),
    }
  }
}

const roleNames = ['viewer', 'editor', 'auditor', 'lead', 'owner'] as const
// `admin` is in every table, and a table may say more of it.
const tableNames = [...roleNames, 'admin'] as const
const permissionNames = [
  'doc:read',
  'doc:write',
  'doc:draft:read',
  'doc:draft:write',
  'audit',
  'audit:view',
  'a:b:c:d',
  'docs:read',
]
const patterns = ['*', 'doc:*', 'doc:draft:*', 'audit:*', 'a:*', 'a:b:c:*']
const held = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...permissionNames) },
  { weight: 1, arbitrary: fc.constantFrom(...patterns) },
)

// No circles of inheritance, which Cedar refuses and roles.test.ts has: a role inherits from those before it in the list alone.
const anyRoles = fc
  .tuple(
    ...tableNames.map((name, at) =>
      fc.option(
        fc.record({
          permissions: fc.array(held, { maxLength: 3 }),
          inherits: fc.subarray([...tableNames.slice(0, at), 'nobody-knows']),
        }),
        { nil: undefined, freq: name === 'admin' ? 1 : 5 },
      ),
    ),
  )
  .map((rows) =>
    Object.fromEntries(rows.flatMap((row, at) => (row === undefined ? [] : [[tableNames[at] ?? '', row]]))),
  )

const anyQuestion = fc.record({
  held: fc.oneof(
    { weight: 6, arbitrary: fc.subarray<string>([...roleNames, 'nobody-knows'], { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant<string[]>(['admin']) },
  ),
  permission: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...permissionNames) },
    { weight: 1, arbitrary: fc.constantFrom(...patterns) },
  ),
})

type Roles = Readonly<Record<string, { readonly permissions: readonly string[]; readonly inherits: readonly string[] }>>

/** Whoever is in a role is in those that it inherits from. */
function roleEntities(roles: Roles) {
  return Object.entries(roles).map(([name, { inherits }]) => ({
    uid: roleOf(name),
    attrs: {},
    parents: inherits.map(roleOf),
  }))
}

/** One for each permission of each role: it, and the actions in it where it is a wildcard. */
function rolePolicies(roles: Roles): Readonly<Record<string, string>> {
  const grants = Object.entries(roles).flatMap(([name, { permissions }]) =>
    permissions.map((one) => [name, one] as const),
  )
  return Object.fromEntries(
    [...grants, ['admin', '*'] as const].map(([name, permission], number) => [
      String(number),
      `permit(principal in Role::${JSON.stringify(name)}, action in Action::${JSON.stringify(permission)}, resource);`,
    ]),
  )
}

/** The groups that an action is in: `doc:*` for `doc:read`, and `*` for all. */
function wildcardsOver(permission: string): readonly string[] {
  const parts = permission.split(':')
  const groups = parts.slice(1).map((_, at) => `${parts.slice(0, at + 1).join(':')}:*`)
  return ['*', ...groups].filter((group) => group !== permission)
}

function roleOf(id: string) {
  return { type: 'Role', id }
}

function actionOf(id: string) {
  return { type: 'Action', id }
}
