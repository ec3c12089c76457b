import type { Decision } from './decision.ts'
import type { NamedPolicy } from './policy/named.ts'
import type { PolicyDecision, PolicyExplanation } from './policy/policy.ts'
import { attributesOf, decideOn, type Grounds, isAction, ownedBy, type Question } from './question.ts'

/** How a decision came about, step by step: also the steps after the one that ended it. For operators, never for the caller. */
export interface Explanation {
  readonly decision: Decision
  readonly permission: Decision
  /** Undefined where no owner is asked about. */
  readonly ownership: Decision | undefined
  readonly policies: readonly { readonly name: string; readonly explanation: PolicyExplanation }[]
}

/** Decides a question on paper: no trial and no recording learns of it. */
export function explainOn(question: Question, grounds: Grounds): Explanation {
  const { principal, action, resource, ofClients } = question
  const decision = decideOn(question, grounds, onPaper)
  const permission = isAction(action)
    ? grounds.decisions.decide({ principal, permission: action, ofClients })
    : decision
  const request = resource === undefined || resource === null ? undefined : attributesOf(question)
  const type = request && grounds.types.get(request.resource['type'] as string)
  if (request === undefined || type === undefined) return { decision, permission, ownership: undefined, policies: [] }
  return {
    decision,
    permission,
    ownership: ownedBy(principal, request, type),
    policies: type.policies.map(({ name, policy }) => ({ name, explanation: policy.explain(request) })),
  }
}

function onPaper({ policy }: NamedPolicy, request: Parameters<typeof policy.decide>[0]): PolicyDecision {
  return policy.decide(request)
}
