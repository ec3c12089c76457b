import { type Actor, actorsMax, actorsOf, handedTo } from '../authn/actor.ts'
import { anonymous, type Principal } from '../authn/principal.ts'
import { Fault } from '../kernel/error.ts'
import { common } from './permissions.ts'
import { sharePerson } from './role/table.ts'

/**
 * The principal of an agent that acts for a person inside one process: it is the person, may what both of them may, and has
 * no roles, because whoever asks for roles would take the agent for the person (INVARIANTS A57). Where one of the two is
 * nobody, it is nobody. Throws where more than `actorsMax` would act one for another.
 */
export function onBehalf(person: Principal, agent: Principal): Principal {
  if (person.type === 'anonymous' || agent.type === 'anonymous') return anonymous
  const acting: Principal = {
    ...person,
    roles: [],
    permissions: common(person.permissions, agent.permissions),
    actor: chainOf(person, agent),
  }
  sharePerson(acting, person)
  return acting
}

/** Whoever acts for the agent comes before it, and it before those that had the errand until now. */
function chainOf(person: Principal, agent: Principal): Actor {
  let chain = person.actor
  for (const id of [...actorsOf(agent.actor), agent.id].toReversed()) {
    const longer = handedTo(id, chain)
    if (longer === undefined)
      throw new Fault('permission-required', `\`${agent.id}\` would be more than ${actorsMax} acting one for another`)
    chain = longer
  }
  return chain as Actor
}
