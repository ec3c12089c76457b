import type { Principal } from '../authn/principal.ts'

/** One question: may this principal do this? */
export interface AccessRequest {
  readonly principal: Principal
  /** The permission that the route or the function demands; undefined where being signed in is enough. */
  readonly permission: string | undefined
  /** What a client of other people is asked beside it; where it is left out, only the permission can let it in. */
  readonly ofClients?: ClientTerms | undefined
}

/** On which terms clients of other people come in. */
export interface ClientTerms {
  /** The scopes that they need: all of them. */
  readonly scopes: readonly string[]
  /** Whether they may come though neither a scope nor a permission is asked for. */
  readonly welcome: boolean
  /** The scopes that can be asked for there; every one, where it is left out. */
  readonly offered?: ReadonlySet<string> | undefined
}

export type Decision =
  | { readonly effect: 'permit'; readonly because: string }
  | { readonly effect: 'deny'; readonly because: string; readonly lacks: Lack }

/** What would have to be otherwise. */
export type Lack =
  | { readonly kind: 'decision' }
  | { readonly kind: 'identity' }
  | { readonly kind: 'permission'; readonly permission: string }
  /** The client was granted too little; all of these together would do. */
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  /** Nothing that a client can be granted would do: it is for our own sign-in. */
  | { readonly kind: 'own-sign-in' }
  /** It is somebody else's: whether it is there at all is none of the caller's business. */
  | { readonly kind: 'ownership' }

/** Deny, until someone decides. */
export const undecided: Decision = { effect: 'deny', because: 'nobody decided', lacks: { kind: 'decision' } }

/** Pure and synchronous: the same question has the same answer, and asking costs no wait. */
export interface DecisionPoint {
  decide(request: AccessRequest): Decision
}
