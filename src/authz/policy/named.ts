import type { AttributeRequest, Policy, PolicyDecision } from './policy.ts'
import type { Recording } from './recording.ts'
import type { Circumstances, Trial } from './trial.ts'

/** A policy by the name that routes ask it by. What stands behind the name may be another one at the next request. */
export interface NamedPolicy {
  readonly name: string
  /** The document of the day. */
  readonly policy: Policy
  /** A document that might take its place: it is asked too, and decides nothing. */
  readonly trial: Trial | undefined
  /** Keeps what was asked, to decide it again on paper. */
  readonly recording: Recording | undefined
}

/** Decides, and lets the trial and the recording know. */
export function judge(named: NamedPolicy, request: AttributeRequest, circumstances: Circumstances): PolicyDecision {
  const { policy, trial, recording } = named
  const decision = policy.decide(request)
  trial?.observe(request, decision, circumstances)
  recording?.keep(request)
  return decision
}
