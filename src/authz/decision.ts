import type { Principal } from '../authn/principal.ts'

/** One question: may this principal do this? */
export interface AccessRequest {
  readonly principal: Principal
  /** The permission that the route or the function demands; undefined where being signed in is enough. */
  readonly permission: string | undefined
}

export type Decision =
  | { readonly effect: 'permit'; readonly because: string }
  | { readonly effect: 'deny'; readonly because: string; readonly missing: string | undefined }

/** Deny, until someone decides. */
export const undecided: Decision = { effect: 'deny', because: 'nobody decided', missing: undefined }

/** Pure and synchronous: the same question has the same answer, and asking costs no wait. */
export interface DecisionPoint {
  decide(request: AccessRequest): Decision
}
