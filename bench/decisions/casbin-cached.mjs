// casbin: the enforcer that keeps each answer and gives it again, without an end. What is timed is that memory.
import { newCachedEnforcer } from 'casbin'
import { modelOf, policyOf, requestOf } from './casbin-model.mjs'

export async function ready(shape, rules, questions) {
  const policies = rules.map((rule) => policyOf(shape, rule))
  const start = performance.now()
  const enforcer = await newCachedEnforcer(modelOf(shape))
  await enforcer.addPolicies(policies)
  const loadMs = performance.now() - start
  const requests = questions.map((question) => requestOf(shape, question))
  return { loadMs, decide: (at) => enforcer.enforce(...requests[at]) }
}
