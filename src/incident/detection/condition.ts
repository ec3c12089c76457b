import { z } from 'zod'
import { type Actor, type AuditEvent, type AuditType, actions, resourceTypes, results } from '../../audit/event.ts'

const value = z.union([z.string().max(256), z.number(), z.boolean()])

const pattern = z
  .string()
  .min(1)
  .max(256)
  .transform((text, context) => {
    try {
      return new RegExp(text, 'u')
    } catch (error) {
      context.addIssue({ code: 'custom', message: `expected a regular expression: ${(error as Error).message}` })
      return z.NEVER
    }
  })

/** What is asked of one text or number: to be it, to be one of them, none of them, to match, or to be so much. */
const question = z.union(
  [
    value,
    z.array(value).min(1).max(64),
    z.strictObject({ not: z.union([value, z.array(value).min(1).max(64)]) }),
    z.strictObject({ matches: pattern }),
    z.strictObject({ atLeast: z.number() }),
    z.strictObject({ atMost: z.number() }),
  ],
  {
    error:
      'expected a value, a list of values, `{ not }`, `{ matches }` with a regular expression, `{ atLeast }` or `{ atMost }`',
  },
)

const auditType = z.enum(Object.keys(actions) as [AuditType, ...AuditType[]])

/** An event as a rule asks for it: everything that is said has to hold. */
const condition = z
  .strictObject({
    /** Always said: what clients report is never taken for what the house saw. */
    type: z.union([auditType, z.array(auditType).min(1)], { error: 'expected a type of event, or a list of them' }),
    action: question.optional(),
    result: question.superRefine(isOneOf('a result', results)).optional(),
    /** The type and the id of what it is about. */
    resource: question.superRefine(isOneOf('a type of resource', resourceTypes)).optional(),
    id: question.optional(),
    /** The type of whoever did it. */
    actor: z
      .enum(['user', 'service', 'agent', 'anonymous', 'system'] satisfies [Actor['type'], ...Actor['type'][]])
      .optional(),
    address: question.optional(),
    agent: question.optional(),
    details: z.record(z.string().min(1).max(64), question).optional(),
  })
  .superRefine(({ type, action }, context) => {
    if (action === undefined) return
    const known = [type].flat().flatMap((one): readonly string[] => actions[one])
    isOneOf(`an action of \`${[type].flat().join('`, `')}\``, known)(action, {
      addIssue: (issue) => context.addIssue({ ...issue, path: ['action'] }),
    })
  })

interface Context {
  addIssue(issue: { readonly code: 'custom'; readonly message: string }): void
}

/** What is misspelt would find nothing, and nobody would notice. */
function isOneOf(what: string, known: readonly string[]) {
  return (asked: z.output<typeof question>, context: Context): void => {
    for (const one of namedIn(asked))
      if (!known.some((name) => (one instanceof RegExp ? one.test(name) : one === name)))
        context.addIssue({
          code: 'custom',
          message: `expected ${what}, got \`${one instanceof RegExp ? one.source : one}\``,
        })
  }
}

function namedIn(asked: z.output<typeof question>): readonly (Value | RegExp)[] {
  if (typeof asked !== 'object' || Array.isArray(asked)) return [asked].flat()
  if ('not' in asked) return [asked.not].flat()
  if ('matches' in asked) return [asked.matches]
  return Object.values(asked)
}

/** One of these. What is wrong with one is told with its own path, which a union would swallow. */
export const conditions = z
  .custom<ConditionInput | readonly ConditionInput[]>(
    (written) => typeof written === 'object' && written !== null,
    'expected what an event has to say, such as `{ type: "authentication", result: "failure" }`, or a list of those',
  )
  .transform((written, context) => {
    const isList = Array.isArray(written)
    const parsed = (isList ? list : one).safeParse(written)
    if (parsed.success) return parsed.data
    for (const { path, message } of parsed.error.issues)
      context.addIssue({ code: 'custom', path: isList ? path : path.slice(1), message })
    return z.NEVER
  })

const list = z.array(condition).min(1).max(16)
const one = z.preprocess((written) => [written], list)

export type Condition = z.output<typeof condition>
export type ConditionInput = z.input<typeof condition>
export type Matches = (event: AuditEvent) => boolean

type Value = z.output<typeof value>

/** The types of event that can meet one of the conditions. */
export function typesOf(conditions: readonly Condition[]): ReadonlySet<AuditType> {
  return new Set(conditions.flatMap(({ type }) => type))
}

export function compileConditions(conditions: readonly Condition[]): Matches {
  const matchers = conditions.map(compile)
  const [only] = matchers
  if (only !== undefined && matchers.length === 1) return only
  return (event) => matchers.some((matches) => matches(event))
}

function compile({ type, action, result, resource, id, actor, address, agent, details = {} }: Condition): Matches {
  const wanted: ReadonlySet<string> = new Set([type].flat())
  const tests: Matches[] = [({ type }) => wanted.has(type)]
  const ask = (asked: z.output<typeof question> | undefined, read: (event: AuditEvent) => Value | undefined): void => {
    if (asked === undefined) return
    const answers = compileQuestion(asked)
    tests.push((event) => answers(read(event)))
  }
  ask(action, (event) => event.action)
  ask(result, (event) => event.result)
  ask(resource, (event) => event.resource.type)
  ask(id, (event) => event.resource.id)
  ask(actor, (event) => event.actor.type)
  ask(address, (event) => event.address)
  ask(agent, (event) => event.user_agent)
  for (const [name, asked] of Object.entries(details))
    ask(asked, ({ details }) => (Object.hasOwn(details, name) ? details[name] : undefined))
  return (event) => {
    for (const test of tests) if (!test(event)) return false
    return true
  }
}

function compileQuestion(asked: z.output<typeof question>): (value: Value | undefined) => boolean {
  if (Array.isArray(asked)) {
    const values = new Set<Value | undefined>(asked)
    return (value) => values.has(value)
  }
  if (typeof asked !== 'object') return (value) => value === asked
  if ('not' in asked) {
    const values = new Set<Value | undefined>([asked.not].flat())
    return (value) => !values.has(value)
  }
  if ('matches' in asked) {
    const { matches } = asked
    return (value) => value !== undefined && matches.test(String(value))
  }
  if ('atLeast' in asked) {
    const { atLeast } = asked
    return (value) => typeof value === 'number' && value >= atLeast
  }
  const { atMost } = asked
  return (value) => typeof value === 'number' && value <= atMost
}
