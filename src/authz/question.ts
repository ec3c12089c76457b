import type { Principal } from '../authn/principal.ts'
import type { ClientTerms, Decision, DecisionPoint, Lack } from './decision.ts'
import { decideByOwner } from './ownership.ts'
import { judge, type NamedPolicy } from './policy/named.ts'
import type { AttributeGroup, AttributeRequest, PolicyDecision } from './policy/policy.ts'
import { subjectOf } from './policy/subject.ts'
import type { Circumstances } from './policy/trial.ts'
import type { ResourceType } from './resource-type.ts'

/** May this principal do this, to that? What a function asks, or another service. */
export interface Question {
  readonly principal: Principal
  /** The permission that it takes: it is the name of the action, too. */
  readonly action: string
  /** What it is about; undefined: nothing in particular, `null`: something that was looked for and is not there. */
  readonly resource?: AskedResource | null | undefined
  /** What the asker says of the subject, the action and the surroundings, for policies. */
  readonly said?: Said | undefined
  /** On which terms a client of other people comes; where it is left out, only the permission can let it in. */
  readonly ofClients?: ClientTerms | undefined
  readonly circumstances: Circumstances
}

/** A thing that belongs to somebody, or is told to policies: `resource.tags` is its `tags`. */
export interface AskedResource {
  /** The resource type by its name in the configuration. */
  readonly type: string
  readonly id?: string | number | bigint | undefined
  /** The subject that owns it, or what of the subject has to be the same. */
  readonly owner_id?: string | number | bigint | undefined
  readonly [attribute: string]: unknown
}

export interface Said {
  /** `subject.properties.department`; and `subject.department`, where the house itself says nothing by that name. */
  readonly subject?: AttributeGroup | undefined
  readonly action?: AttributeGroup | undefined
  /** `time` in milliseconds since the epoch; the time of the circumstances, where it is left out. */
  readonly environment?: AttributeGroup | undefined
}

/** What a question is decided by. */
export interface Grounds {
  readonly decisions: DecisionPoint
  /** The resource types that are declared. Where some are, what is of no declared type is nobody's. */
  readonly types: ReadonlyMap<string, ResourceType>
}

/** How a policy is asked. */
export type Ask = (policy: NamedPolicy, request: AttributeRequest, circumstances: Circumstances) => PolicyDecision

/**
 * Decides as a route does: by the permission, by the owner, by each policy of the resource's type; the first no ends it. It
 * waits for nothing and never throws, whatever a resource consists of.
 */
export function decideOn(question: Question, { decisions, types }: Grounds, ask: Ask = judge): Decision {
  const { principal, action, resource, ofClients, circumstances } = question
  if (!isAction(action)) return deny('no permission is called so')
  const held = decisions.decide({ principal, permission: action, ofClients })
  if (held.effect === 'deny' || resource === undefined) return held
  if (resource === null || typeof resource !== 'object') return deny('there is no such thing', { kind: 'ownership' })
  const request = attributesOf(question)
  if (request === undefined) return deny('its attributes cannot be read')
  const type = types.get(request.resource['type'] as string)
  if (type === undefined) return types.size === 0 ? held : deny('its type is none that is declared')
  const owned = ownedBy(principal, request, type)
  if (owned?.effect === 'deny') return owned
  let because = owned === undefined ? held.because : `${held.because}; ${owned.because}`
  for (const policy of type.policies) {
    const { effect, because: told } = answerOf(ask, policy, request, circumstances)
    if (effect === 'deny') return deny(`policy \`${policy.name}\`: ${told}`)
    because += `; policy \`${policy.name}\`: ${told}`
  }
  return { effect: 'permit', because }
}

/** Whether a text can be the name of a permission. A longer one costs more than it can be worth. */
export function isAction(action: unknown): action is string {
  return typeof action === 'string' && action !== '' && action.length <= actionLengthMax
}

/** What policies are told of a question about a thing; undefined where it cannot be read: a getter threw. */
export function attributesOf({
  principal,
  action,
  resource,
  said,
  circumstances,
}: Question): AttributeRequest | undefined {
  try {
    const own: AttributeGroup = { ...resource } // nothing is a thing's own because every object has it by birth
    return {
      subject: said?.subject === undefined ? subjectOf(principal) : spokenOf(principal, said.subject),
      resource: {
        ...own,
        type: ownOf(own, 'type'),
        id: textOf(ownOf(own, 'id')),
        owner_id: textOf(ownOf(own, 'owner_id')),
      },
      action: { ...said?.action, name: action },
      environment: { ...said?.environment, time: said?.environment?.['time'] ?? circumstances.at },
    }
  } catch {
    return undefined
  }
}

/** What the owner has to do with it; undefined where the type leaves that to its policies, or knows no owners (AZ3). */
export function ownedBy(
  principal: Principal,
  { resource }: AttributeRequest,
  { ownership }: ResourceType,
): Decision | undefined {
  if (ownership?.decidedBy !== 'owner') return undefined
  return decideByOwner(principal, resource['owner_id'] as string | undefined, ownership)
}

/** Of what the asker says of a subject, nothing takes the place of what the house says, or fills what it leaves empty. */
function spokenOf(principal: Principal, said: AttributeGroup): AttributeGroup {
  return { ...said, ...subjectOf(principal), properties: said }
}

function ownOf(group: AttributeGroup, name: string): unknown {
  return Object.hasOwn(group, name) ? group[name] : undefined
}

/** An id is a text here, however a database spells it. */
function textOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id
  return typeof id === 'bigint' || Number.isSafeInteger(id) ? String(id) : undefined
}

/** A value of a host's may be anything: one that cannot be read permits nothing. */
function answerOf(ask: Ask, policy: NamedPolicy, request: AttributeRequest, at: Circumstances): PolicyDecision {
  try {
    return ask(policy, request, at)
  } catch {
    return { effect: 'deny', rule: undefined, description: undefined, because: 'an attribute cannot be read' }
  }
}

function deny(because: string, lacks: Lack = { kind: 'decision' }): Decision {
  return { effect: 'deny', because, lacks }
}

const actionLengthMax = 200
