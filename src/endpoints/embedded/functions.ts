import type { AuditLog } from '../../audit/log.ts'
import { anonymous, type Principal } from '../../authn/principal.ts'
import type { Decision } from '../../authz/decision.ts'
import { onBehalf } from '../../authz/on-behalf.ts'
import type { AttributeGroup } from '../../authz/policy/policy.ts'
import { type AskedResource, decideOn, type Grounds } from '../../authz/question.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/id.ts'
import type { CodeRuns } from '../code-runs.ts'
import type { ContentParts } from './content-functions.ts'
import { evaluatedEvent } from './evaluated.ts'
import { NotAllowed } from './not-allowed.ts'

/** What functions of the host's ask: they take the principal that a request came with, `house.visit(request).principal`. */
export interface Functions {
  /**
   * Whether somebody may: `house.can(principal, 'document:write', { type: 'document', id, owner_id })`. `context` is told to
   * policies as `environment.*`. It waits for nothing, never throws, and is written down nowhere: ask it as often as you like.
   */
  can(
    principal: Principal | undefined,
    action: string,
    resource?: AskedResource | null,
    context?: AttributeGroup,
  ): boolean
  /** The same with its reason, which is for the host's log and not for the caller. */
  decide(
    principal: Principal | undefined,
    action: string,
    resource?: AskedResource | null,
    context?: AttributeGroup,
  ): Decision
  /** The guard of a function: throws `NotAllowed` where they may not, and writes that down. */
  authorize(
    principal: Principal | undefined,
    action: string,
    resource?: AskedResource | null,
    context?: AttributeGroup,
  ): void
  /**
   * An agent that acts for a person inside this process: it is the person, and may what both of them may. Throws where too
   * many would act one for another.
   */
  onBehalf(person: Principal, agent: Principal): Principal
}

export interface FunctionParts {
  /** Those of the day: a changed role, policy or resource type holds for the next question. */
  readonly grounds: () => Grounds
  readonly clock: Clock
  readonly random: Random
  readonly audit: AuditLog
  readonly content: ContentParts
  /** Undefined where no code is run. */
  readonly codeRuns: CodeRuns | undefined
}

export function functionsOf({ grounds, clock, random, audit }: FunctionParts): Functions {
  return {
    can: (principal, action, resource, context) => decide(principal, action, resource, context).effect === 'permit',
    decide,
    onBehalf,
    authorize(principal, action, resource, context) {
      const decision = decide(principal, action, resource, context)
      if (decision.effect === 'permit') return
      const { id, type } = principal ?? anonymous
      const event = evaluatedEvent(
        {
          decision,
          actor: { id, type },
          action: typeof action === 'string' ? action : '',
          resource: namedIn(resource),
        },
        {
          at: clock.now(),
          random,
          requestId: '',
          address: '',
          userAgent: '',
          place: { id: 'house', type: 'house' },
        },
      )
      audit.note(event)
      throw new NotAllowed(decision)
    },
  }

  function decide(
    principal: Principal | undefined,
    action: string,
    resource?: AskedResource | null,
    context?: AttributeGroup,
  ): Decision {
    return decideOn(
      {
        principal: principal ?? anonymous,
        action,
        resource,
        said: context === undefined ? undefined : { environment: context },
        circumstances: { at: clock.now(), requestId: '', asker: 'function' },
      },
      grounds(),
    )
  }
}

/** What a thing is called in the record. A host's own object may be anything, and its getters are not asked twice. */
function namedIn(
  resource: AskedResource | null | undefined,
): { readonly type: string; readonly id: string } | undefined {
  if (resource === undefined || resource === null) return undefined
  try {
    const { type, id } = resource
    return { type: String(type), id: id === undefined ? '' : String(id) }
  } catch {
    return undefined
  }
}
