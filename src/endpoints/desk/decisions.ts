import type { AuditEvent } from '../../audit/event.ts'
import type { Holder } from '../../authn/holder.ts'
import { anonymous, type Principal } from '../../authn/principal.ts'
import type { Decision, DecisionPoint } from '../../authz/decision.ts'
import { type Explanation, explainOn } from '../../authz/explanation.ts'
import { covers } from '../../authz/permissions.ts'
import { decideOn, type Grounds, type Question } from '../../authz/question.ts'
import type { ResourceType } from '../../authz/resource-type.ts'
import { evaluatedEvent } from '../embedded/evaluated.ts'
import type { DeskRooms } from './rooms.ts'
import type { Visitor } from './visitor.ts'

export type DecisionRooms = Pick<
  DeskRooms,
  'clock' | 'random' | 'store' | 'audit' | 'accounts' | 'serviceBook' | 'roles'
> & {
  readonly decisions: DecisionPoint
  readonly resourceTypes: ReadonlyMap<string, ResourceType>
}

/** A question about somebody by name, as another service asks it. */
export interface NamedQuestion {
  readonly subject: Named
  readonly action: { readonly name: string; readonly properties?: Properties | undefined }
  readonly resource?: Named | undefined
  /** `time` in milliseconds since the epoch; `area`: the area of the system whose roles count. */
  readonly context?:
    | (Properties & { readonly time?: number | undefined; readonly area?: string | undefined })
    | undefined
}

interface Named {
  readonly type: string
  readonly id: string
  readonly properties?: Properties | undefined
}

type Properties = Readonly<Record<string, unknown>>

/** An explanation, and what the subject holds. */
export interface ExplainedDecision extends Explanation {
  readonly known: boolean
  /** The roles that count there, those of the account that do not, and which of the first give what is asked for. */
  readonly roles: readonly string[]
  readonly without: readonly string[]
  readonly by: readonly string[]
  readonly permissions: readonly string[]
}

/**
 * Decides for other services, about people and services of this house. Whom a question is about is read when it is asked:
 * what an administrator changed holds for the next one.
 */
export class Decisions {
  readonly #rooms: DecisionRooms
  readonly #grounds: Grounds

  constructor(rooms: DecisionRooms) {
    this.#rooms = rooms
    this.#grounds = { decisions: rooms.decisions, types: rooms.resourceTypes }
  }

  /** Counter of one request: of many questions about one subject, the first reads who that is. */
  asking(visitor: Visitor, place: string): (asked: NamedQuestion) => Promise<Decision> {
    const subjects = new Map<string, Promise<Subject>>()
    return async (asked) => {
      const { type, id } = asked.subject
      const key = JSON.stringify([type, id])
      const reading = subjects.get(key) ?? this.#subject(asked.subject)
      subjects.set(key, reading)
      const subject = await reading
      const decision =
        subject.problem === undefined
          ? decideOn(this.#question(asked, subject, visitor, place), this.#grounds)
          : unknown(subject.problem, asked)
      this.#note(asked, subject, decision, visitor, place)
      return decision
    }
  }

  /** The same decision with everything that led to it. Nobody is told of it but who asks. */
  async explain(visitor: Visitor, asked: NamedQuestion, place: string): Promise<ExplainedDecision> {
    const { roles } = this.#rooms
    const subject = await this.#subject(asked.subject)
    const area = asked.context?.area
    const question = this.#question(asked, subject, visitor, place)
    const { principal } = question
    const explained = explainOn(question, this.#grounds)
    return {
      ...explained,
      decision: subject.problem === undefined ? explained.decision : unknown(subject.problem, asked),
      known: subject.problem === undefined,
      roles: principal.roles,
      without: (subject.holder?.roles ?? []).filter((role) => !principal.roles.includes(role)),
      by: principal.roles.filter((role) => covers(roles.permissionsIn(area, [role]), asked.action.name)),
      permissions: [...principal.permissions].toSorted(),
    }
  }

  #question(asked: NamedQuestion, subject: Subject, { requestId }: Visitor, place: string): Question {
    const { area, ...surroundings } = asked.context ?? {}
    const { resource } = asked
    return {
      principal: this.#principal(subject, area),
      action: asked.action.name,
      resource: resource && { ...resource.properties, type: resource.type, id: resource.id },
      said: {
        subject: asked.subject.properties,
        action: asked.action.properties,
        environment: surroundings,
      },
      circumstances: { at: this.#rooms.clock.now(), requestId, asker: place },
    }
  }

  /** Who it is, with the roles that count in an area. Nothing proved them here: policies are told no credential. */
  #principal({ holder, attributes, principals }: Subject, area: string | undefined): Principal {
    if (holder === undefined) return anonymous
    let principal = principals.get(area)
    if (principal === undefined) {
      const known = this.#rooms.roles.principalOfHolder(holder, area)
      principal = { ...known, credential: { kind: 'none' }, attributes }
      principals.set(area, principal)
    }
    return principal
  }

  async #subject({ type, id }: Named): Promise<Subject> {
    const { accounts, serviceBook, store } = this.#rooms
    switch (type) {
      case 'user': {
        const account = uuidForm.test(id) ? await accounts.byId(store.db, id) : undefined
        if (account === undefined) return nobody('no account has this id')
        const actor = { id: account.id, type: 'user' } as const
        if (account.status !== 'active') return { ...nobody('the account is locked'), actor }
        const { email, name, roles } = account
        return { ...somebody(personOf(account.id, roles), actor), attributes: { email, name } }
      }
      case 'service': {
        const holder = serviceBook.find(id)?.holder
        if (holder === undefined) return nobody('no service of this name is known, or it is disabled')
        return somebody(holder, { id: holder.id, type: 'service' })
      }
      case 'anonymous':
        return { ...nobody('the subject is nobody in particular'), actor: { id: 'anonymous', type: 'anonymous' } }
      default:
        return nobody('subjects of this type are not known here')
    }
  }

  #note(asked: NamedQuestion, { actor }: Subject, decision: Decision, visitor: Visitor, place: string): void {
    const { audit, random } = this.#rooms
    const { subject, action, resource } = asked
    audit.note(
      evaluatedEvent(
        {
          decision,
          actor: actor ?? { id: 'anonymous', type: 'anonymous' },
          subject: actor === undefined ? `${subject.type} ${subject.id}` : undefined,
          action: action.name,
          resource,
          askedBy: visitor.principal.id,
        },
        { ...visitor, random, place: { id: place, type: 'route' } },
      ),
    )
  }
}

/** Somebody who was asked about. */
interface Subject {
  /** Why nothing is decided for them; undefined where they are known. */
  readonly problem: string | undefined
  readonly holder: Holder | undefined
  readonly attributes: Principal['attributes']
  readonly actor: AuditEvent['actor'] | undefined
  /** Who they are, by area. */
  readonly principals: Map<string | undefined, Principal>
}

function somebody(holder: Holder, actor: AuditEvent['actor']): Subject {
  return { problem: undefined, holder, attributes: {}, actor, principals: new Map() }
}

function nobody(problem: string): Subject {
  return { problem, holder: undefined, attributes: {}, actor: undefined, principals: new Map() }
}

/** A person by what they hold, without anything that proves them. */
function personOf(id: string, roles: readonly string[]): Holder {
  return {
    type: 'user',
    id,
    credential: { kind: 'api-key', id: '' },
    roles,
    permissions: [],
    lent: undefined,
    scopes: undefined,
    organisation: undefined,
    limit: undefined,
    from: undefined,
  }
}

/** Whoever asks learns no more of somebody unknown than of somebody who holds nothing. */
function unknown(because: string, { action }: NamedQuestion): Decision {
  return { effect: 'deny', because, lacks: { kind: 'permission', permission: action.name } }
}

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
