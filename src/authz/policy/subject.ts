import { actorsOf } from '../../authn/actor.ts'
import type { Principal } from '../../authn/principal.ts'
import type { AttributeGroup } from './policy.ts'

/**
 * What a policy may know of a principal. What the house itself says comes before what a token or a provider adds: no claim
 * can make a subject another one, and none fills a name of ours that is empty.
 */
export function subjectOf(principal: Principal): AttributeGroup {
  let subject = subjects.get(principal)
  if (subject === undefined) {
    const { type, id, roles, permissions, scopes, client, actor, credential } = principal
    subject = {
      ...principal.attributes,
      type,
      // Nobody is the owner of what belongs to somebody called so.
      id: type === 'anonymous' ? undefined : id,
      role: roles,
      roles,
      permissions,
      scopes,
      client,
      actor: actor?.id,
      actors: actorsOf(actor),
      credential: credential.kind,
    }
    subjects.set(principal, subject)
  }
  return subject
}

const subjects = new WeakMap<Principal, AttributeGroup>()
