import type { z } from 'zod'
import type { Decision } from '../../authz/decision.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type BodyCheck, checkByShape } from '../../inspection/schema/body.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import * as wire from '../../wire/decisions.ts'
import type { ExplainedDecision } from '../desk/decisions.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { json, kept } from './reply.ts'

type Keeps = keyof typeof wire.decisions

/** The AuthZEN Authorization API 1.0, for enforcement points that are other services; and explanations, for administrators. */
export function decisionEndpoints({ decisions, rooms }: Desk): Record<Keeps, Answerer> {
  return {
    async evaluate(exchange) {
      const body = jsonOf(exchange)
      const asked = isRefusal(body) ? body : fitting<typeof wire.evaluationShape>(oneOf(body))
      if (isRefusal(asked)) return asked
      return json(200, answerOf(await decisions.asking(visitorOf(exchange), exchange.route.name)(asked)))
    },

    async evaluateMany(exchange) {
      const body = jsonOf(exchange)
      const many = isRefusal(body) ? body : fitting<typeof wire.evaluationsShape>(manyOf(body))
      if (isRefusal(many)) return many
      const decide = decisions.asking(visitorOf(exchange), exchange.route.name)
      const { evaluations = [], options, ...shared } = many
      if (evaluations.length === 0) {
        // Asked like this it is one question, and answered like one.
        const asked = fitting<typeof wire.evaluationShape>(oneOf(body as Uint8Array))
        return isRefusal(asked) ? asked : json(200, answerOf(await decide(asked)))
      }
      const last = lastOf[options?.evaluations_semantic ?? 'execute_all']
      const answers: Answer[] = []
      for (const one of evaluations) {
        const asked = wire.evaluationShape.safeParse(merged(shared, one), { reportInput: true })
        // What is wrong with one question is the answer to it, and to no other.
        const answer = asked.success ? answerOf(await decide(asked.data)) : errorOf(asked.error.issues)
        answers.push(answer)
        if (answer.decision === last) break
      }
      return json(200, { evaluations: answers })
    },

    decisionPoint() {
      const { publicUrl } = rooms
      if (publicUrl === undefined) return refuse('not-found', { detail: 'no public address is configured' })
      const { evaluate, evaluateMany } = wire.decisions
      return kept(
        {
          policy_decision_point: publicUrl,
          access_evaluation_endpoint: publicUrl + evaluate.path,
          access_evaluations_endpoint: publicUrl + evaluateMany.path,
        },
        300,
      )
    },

    async explainDecision(exchange) {
      const asked = input<typeof wire.explanationBody>(exchange)
      return json(200, explanationOf(await decisions.explain(visitorOf(exchange), asked, exchange.route.name)))
    },
  }
}

interface Answer {
  readonly decision: boolean
  readonly context?: Readonly<Record<string, unknown>>
}

/** Which answer is the last. */
const lastOf = { execute_all: undefined, deny_on_first_deny: false, permit_on_first_permit: true } as const

/** A denial says what would have to be otherwise, where that is a permission; and nothing of owners, rules and accounts. */
function answerOf(decision: Decision): Answer {
  if (decision.effect === 'permit') return { decision: true }
  const { lacks } = decision
  const reason = lacks.kind === 'permission' ? `Permission '${lacks.permission}' required` : 'Not allowed'
  return { decision: false, context: { reason } }
}

function errorOf(issues: readonly z.core.$ZodIssue[]): Answer {
  const [first] = issues
  const path = first?.path.map(String).join('.') ?? ''
  const missing = first?.code === 'invalid_type' && first.input === undefined
  const message = missing
    ? `\`${path}\` is required`
    : `\`${path}\`: ${first?.message.replace(/^Invalid input: /, '') ?? 'is invalid'}`
  return { decision: false, context: { error: { status: 400, message } } }
}

/** A member of one takes the place of the shared one, whole; what names a thing is taken from there where it says nothing. */
function merged(shared: Readonly<Record<string, unknown>>, one: unknown): unknown {
  if (!isObject(one)) return one
  const entities = (['subject', 'action', 'resource'] as const).map((name) => {
    const [usual, own] = [shared[name], Object.hasOwn(one, name) ? one[name] : undefined]
    if (!isObject(own) || !isObject(usual)) return [name, own ?? usual] as const
    const { properties: _, ...names } = usual
    return [name, { ...names, ...own }] as const
  })
  return {
    ...Object.fromEntries(entities),
    context: Object.hasOwn(one, 'context') ? one['context'] : shared['context'],
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const oneOf = checkByShape(wire.evaluationShape)
const manyOf = checkByShape(wire.evaluationsShape)

/** The body, which the standard answers with 400 whatever is wrong with it (§10.1.9). */
function jsonOf(exchange: Exchange): Uint8Array | Refusal {
  const { contentType } = exchange.request.head
  if (contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json')
    return refuse('question-invalid', { detail: 'expected a body of `application/json`' })
  return exchange.payload as Uint8Array
}

function fitting<Shape extends z.ZodType>(verdict: ReturnType<BodyCheck>): z.output<Shape> | Refusal {
  if ('malformed' in verdict) return refuse('invalid-json', { detail: verdict.malformed })
  if ('value' in verdict) return verdict.value as z.output<Shape>
  const fields = Object.keys(verdict.errors)
  return refuse('question-invalid', { detail: `look at ${fields.slice(0, 5).join(', ')}`, errors: verdict.errors })
}

function explanationOf(explained: ExplainedDecision): Readonly<Record<string, unknown>> {
  const { decision, permission, ownership, policies } = explained
  return {
    decision: decision.effect === 'permit',
    because: decision.because,
    subject: {
      known: explained.known,
      roles: explained.roles,
      roles_without_effect: explained.without,
      permissions: explained.permissions,
    },
    permission: { ...told(permission), by_roles: explained.by },
    ...(ownership === undefined ? {} : { ownership: told(ownership) }),
    policies: policies.map(({ name, explanation: { decision: its, rules, unlisted } }) => ({
      name,
      decision: its.effect === 'permit',
      because: its.because,
      rules,
      unlisted,
    })),
  }
}

function told({ effect, because }: Decision): Readonly<Record<string, unknown>> {
  return { decision: effect === 'permit', because }
}
