import { z } from 'zod'
import { compilePolicy } from '../authz/policy/compile.ts'
import { readJson } from '../authz/policy/options.ts'
import type { AttributeRequest, ExplainedCondition, Policy, PolicyDecision } from '../authz/policy/policy.ts'
import { type Command, readArgs, type Terminal, Usage } from './command.ts'

const usage = `usage: gatehouse policy check FILE
       gatehouse policy explain FILE REQUEST
       gatehouse policy test FILE CASES

FILE is a policy in JSON, as docs/policies.md describes it. \`explain\` decides the request in the JSON file REQUEST
({ "subject": {…}, "resource": {…}, "action": {…}, "environment": {…} }) and says which rule decided and why; exit 1
for a deny. \`test\` decides each of the CASES, a JSON list of { "name", "request", "expect": "permit" | "deny", "rule"? },
and tells those that come out otherwise; exit 1 where there are any.`

const group = z.record(z.string(), z.unknown()).default({})
const requestShape = z.strictObject({ subject: group, resource: group, action: group, environment: group })
const casesShape = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      request: requestShape,
      expect: z.enum(['permit', 'deny'], { error: 'expected `permit` or `deny`' }),
      /** The rule that has to have decided, counted from 0; `null`: none. */
      rule: z.int().min(0).nullable().optional(),
    }),
  )
  .min(1, 'expected a case at least: a test of nothing proves nothing')

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, { help: { type: 'boolean', short: 'h' } }, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, file, other, ...rest] = positionals
  if (verb === 'check' && file !== undefined && other === undefined) {
    policyIn(file)
    terminal.out(`${file}: in order`)
    return true
  }
  if (file === undefined || other === undefined || rest.length > 0) throw new Usage(usage)
  if (verb === 'explain') return explain(policyIn(file), read(other, requestShape), terminal)
  if (verb === 'test') return test(policyIn(file), read(other, casesShape), terminal)
  throw new Usage(usage)
}

function explain(policy: Policy, request: AttributeRequest, terminal: Terminal): boolean {
  const { decision, rules, unlisted } = policy.explain(request)
  terminal.out(`${decision.effect}: ${decision.because}`)
  for (const { rule, description, effect, outcome, condition } of rules) {
    terminal.out(`  rules[${rule}]${description === undefined ? '' : ` (${description})`}: ${effect} when`)
    for (const line of linesOf(condition, '    ')) terminal.out(line)
    terminal.out(`    → ${outcome}`)
  }
  if (unlisted > 0) terminal.out(`  and ${unlisted} more that are not listed`)
  return decision.effect === 'permit'
}

function linesOf({ condition, outcome, values, conditions }: ExplainedCondition, indent: string): string[] {
  const said = Object.entries(values).map(([path, value]) => `${path} = ${JSON.stringify(value)}`)
  const line = `${indent}${condition}: ${outcome}${said.length === 0 ? '' : `   (${said.join(', ')})`}`
  return [line, ...conditions.flatMap((one) => linesOf(one, `${indent}  `))]
}

function test(policy: Policy, cases: z.output<typeof casesShape>, terminal: Terminal): boolean {
  const wrong = cases.flatMap(({ name, request, expect, rule }) => {
    const decision = policy.decide(request)
    const ruleFits = rule === undefined || (rule ?? undefined) === decision.rule
    return decision.effect === expect && ruleFits
      ? []
      : [`${name}: expected ${wanted(expect, rule)}, got ${got(decision)}`]
  })
  for (const line of wrong) terminal.err(line)
  terminal.out(`${cases.length - wrong.length} of ${cases.length} as expected`)
  return wrong.length === 0
}

function wanted(expect: string, rule: number | null | undefined): string {
  if (rule === undefined) return expect
  return rule === null ? `${expect} by no rule` : `${expect} by rules[${rule}]`
}

function got({ effect, because }: PolicyDecision): string {
  return `${effect}: ${because}`
}

function policyIn(file: string): Policy {
  const compiled = compilePolicy(json(file))
  if ('policy' in compiled) return compiled.policy
  const lines = compiled.mistakes.map(({ path, message }) => `  ${path === '' ? '(policy)' : path}: ${message}`)
  const count = lines.length === 1 ? '1 mistake' : `${lines.length} mistakes`
  throw new Usage([`${file} has ${count}:`, ...lines].join('\n'))
}

function read<Shape extends z.ZodType>(file: string, shape: Shape): z.output<Shape> {
  const outcome = shape.safeParse(json(file))
  if (outcome.success) return outcome.data
  const lines = outcome.error.issues.map(({ path, message }) => `  ${path.join('.') || '(file)'}: ${message}`)
  throw new Usage([`${file}:`, ...lines].join('\n'))
}

function json(file: string): unknown {
  const read = readJson(file)
  if ('problem' in read) throw new Usage(read.problem)
  return read.value
}
