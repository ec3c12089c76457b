// casbin: the enforcer that answers at once.
import { newEnforcer } from 'casbin'
import { modelOf, policyOf, requestOf } from './casbin-model.mjs'

export async function ready(shape, rules, questions) {
  const policies = rules.map((rule) => policyOf(shape, rule))
  const start = performance.now()
  const enforcer = await newEnforcer(modelOf(shape))
  await enforcer.addPolicies(policies)
  const loadMs = performance.now() - start
  const requests = questions.map((question) => requestOf(shape, question))
  return { loadMs, decide: (at) => enforcer.enforceSync(...requests[at]) }
}
