import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

const text = z.string().min(1).max(1_000)
const properties = z.record(z.string(), z.unknown()).optional()
const area = z.string().min(1).max(64).optional()
/** An instant as the Authorization API writes it, with its offset; seconds may be left out. */
const instant = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/,
    'expected a time such as `2026-08-22T18:03:00Z`',
  )
  .refine((time) => !Number.isNaN(Date.parse(time)), 'expected a time that there is')
  .transform((time) => Date.parse(time))

const subject = { type: text, id: text, properties }
const action = { name: z.string().min(1).max(200), properties }
const resource = { type: text, id: text, properties }

/**
 * One question (AuthZEN Authorization API 1.0, Access Evaluation). A member that nobody knows is passed over, as the
 * standard asks: the next version may have it.
 */
export const evaluationShape = z.object({
  subject: z.object(subject),
  action: z.object(action),
  resource: z.object(resource),
  /** `time` and what else surrounds the question; `area`: where roles of one area count. */
  context: z.looseObject({ time: z.union([instant, z.number()]).optional(), area }).optional(),
})

export type Evaluation = z.output<typeof evaluationShape>

/** How many questions may come at once. */
export const evaluationsMax = 100

/** Many of them (Access Evaluations): what one does not say is said for all. Each is held against its shape by itself. */
export const evaluationsShape = z.object({
  subject: z.unknown().optional(),
  action: z.unknown().optional(),
  resource: z.unknown().optional(),
  context: z.unknown().optional(),
  evaluations: z.array(z.unknown()).max(evaluationsMax, `expected at most ${evaluationsMax} evaluations`).optional(),
  options: z
    .object({
      evaluations_semantic: z.enum(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit']).optional(),
    })
    .optional(),
})

export type Evaluations = z.output<typeof evaluationsShape>

/** A question to be explained: the same, to the letter. */
export const explanationBody = z.strictObject({
  subject: z.strictObject(subject),
  action: z.strictObject(action),
  resource: z.strictObject(resource).optional(),
  context: z.looseObject({ time: z.union([instant, z.number()]).optional(), area }).optional(),
})

const evaluate = { permission: 'policies:evaluate' } as const

/**
 * Decisions for other services. The first three are the standard's, with its bodies and its status codes, so that they read
 * theirs themselves.
 */
// biome-ignore format: a table, one line to an endpoint
export const decisions = {
  evaluate: { method: 'POST', path: '/access/v1/evaluation', summary: 'Whether a subject may do something (AuthZEN Authorization API 1.0)', access: evaluate, limit: 'decisions', wholeBody: true },
  evaluateMany: { method: 'POST', path: '/access/v1/evaluations', summary: 'The same, for up to 100 questions at once', access: evaluate, limit: 'decisions', wholeBody: true },
  decisionPoint: { method: 'GET', path: '/.well-known/authzen-configuration', summary: 'Where decisions are asked for (AuthZEN Authorization API 1.0)', access: 'public', limit: 'health', cors: 'open' },
  explainDecision: { method: 'POST', path: '/api/admin/decisions/explain', summary: 'How a decision comes about: roles, owner, policies', access: { permission: 'policies:manage' }, limit: 'general', body: explanationBody },
} as const satisfies Record<string, Endpoint>
