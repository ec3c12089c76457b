// Gatehouse: a policy document, read and decided by as the gate does it.
import { compilePolicy } from '../../src/authz/policy/compile.ts'
import type { AttributeRequest } from '../../src/authz/policy/policy.ts'
import type { Ready } from './contestants.ts'
import type { Rule, Shape } from './shapes.ts'

export const ready: Ready = async (shape, rules, questions) => {
  const document = {
    version: '1.0',
    rules: rules.map((rule) => ({ condition: conditionOf(shape, rule), effect: 'allow' })),
  }
  const start = performance.now()
  const compiled = compilePolicy(document)
  const loadMs = performance.now() - start
  if ('mistakes' in compiled) throw new Error(JSON.stringify(compiled.mistakes))
  const { policy } = compiled
  const requests = questions.map(
    ({ user, action, type, owner, path }): AttributeRequest => ({
      subject: { id: user },
      resource: { type, owner_id: owner, path },
      action: { name: action },
      environment: {},
    }),
  )
  return { loadMs, decide: (at) => policy.decide(requests[at] as AttributeRequest).effect === 'permit' }
}

function conditionOf(shape: Shape, { action, type, prefix }: Rule): unknown {
  const ofType = { operator: 'equals', attribute: 'resource.type', value: type }
  switch (shape) {
    case 'role':
      return { all: [{ operator: 'equals', attribute: 'action.name', value: action }, ofType] }
    case 'owner':
      return { all: [ofType, { operator: 'equals', attribute: 'subject.id', value: { ref: 'resource.owner_id' } }] }
    case 'path':
      return { operator: 'starts_with', attribute: 'resource.path', value: prefix }
  }
}
