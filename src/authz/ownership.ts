import type { Principal } from '../authn/principal.ts'
import type { Decision } from './decision.ts'
import { covers } from './permissions.ts'

/** Who may, of what belongs to somebody. */
export interface OwnershipRule {
  /** What of the subject has to be the owner: `id`, or the name of an attribute of theirs, such as `organisation`. */
  readonly claim: string
  /** Holders of this permission may, whoever the owner is. */
  readonly override: string
  /** `owner`: nobody else may, and nobody else learns whether it exists. `policy`: the policies are told who it is, and decide. */
  readonly decidedBy: 'owner' | 'policy'
}

/** Whether it is theirs (OWASP API1:2023). Nobody owns what has no owner, and a stranger owns nothing. */
export function owns(principal: Principal, owner: string | undefined, { claim }: OwnershipRule): boolean {
  if (owner === undefined || owner === '' || principal.type === 'anonymous') return false
  if (claim === 'id') return principal.id === owner
  if (!Object.hasOwn(principal.attributes, claim)) return false
  const own = principal.attributes[claim]
  return Array.isArray(own) ? own.includes(owner) : typeof own !== 'boolean' && String(own) === owner
}

/** Whether they may though it is not theirs. */
export function overrides({ permissions }: Principal, { override }: OwnershipRule): boolean {
  return covers(permissions, override)
}

/** What the owner has to do with it: theirs, theirs to overrule, or not theirs to know of (AZ3). */
export function decideByOwner(principal: Principal, owner: string | undefined, rule: OwnershipRule): Decision {
  if (owns(principal, owner, rule)) return theirs
  if (overrides(principal, rule)) return { effect: 'permit', because: `they hold \`${rule.override}\` over any owner` }
  return owner === undefined ? nobodys : somebodyElses
}

const theirs: Decision = { effect: 'permit', because: 'it is theirs' }
const nobodys: Decision = { effect: 'deny', because: 'nobody said whose it is', lacks: { kind: 'ownership' } }
const somebodyElses: Decision = { effect: 'deny', because: 'it is somebody else’s', lacks: { kind: 'ownership' } }
