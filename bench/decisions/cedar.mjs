// Cedar in WebAssembly: the policies parsed once and kept there, and no schema to check requests against.
import cedar from '@cedar-policy/cedar-wasm/nodejs'

export async function ready(shape, rules, questions) {
  const staticPolicies = rules.map((rule) => policyText(shape, rule)).join('\n')
  const start = performance.now()
  const parsed = cedar.preparsePolicySet('rules', { staticPolicies })
  const loadMs = performance.now() - start
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed))
  const calls = questions.map((question) => callOf(shape, question))
  return {
    loadMs,
    decide: (at) => {
      const answer = cedar.statefulIsAuthorized(calls[at])
      if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0)
        throw new Error(JSON.stringify(answer))
      return answer.response.decision === 'allow'
    },
  }
}

function policyText(shape, { action, type, prefix }) {
  switch (shape) {
    case 'role':
      return `permit(principal, action == Action::"${action}", resource is ${type});`
    case 'owner':
      return `permit(principal, action == Action::"${action}", resource is ${type}) when { resource.owner == principal };`
    case 'path':
      return `permit(principal, action == Action::"${action}", resource) when { context.path like "${prefix}*" };`
  }
}

function callOf(shape, { user, action, type, owner, path }) {
  const resource = { type, id: 'r' }
  const attrs = { owner: { __entity: { type: 'User', id: owner } } }
  return {
    principal: { type: 'User', id: user },
    action: { type: 'Action', id: action },
    resource,
    context: shape === 'path' ? { path } : {},
    entities: shape === 'owner' ? [{ uid: resource, attrs, parents: [] }] : [],
    preparsedPolicySetId: 'rules',
    validateRequest: false,
  }
}
