import { z } from 'zod'
import { readJson, readText } from '../authz/policy/options.ts'
import type { AttributeRequest, ExplainedCondition, Policy, PolicyDecision } from '../authz/policy/policy.ts'
import { type PreparedPolicy, preparePolicy } from '../authz/policy/prepared.ts'
import { parseStrict } from '../kernel/json.ts'
import { attributeRequest } from '../wire/policies.ts'
import { type Terminal, Usage } from './command.ts'

/** Where the cases of a policy stand when nobody says: `documents.policy.json` has `documents.cases.json`. */
export function casesBeside(file: string): string {
  return `${file.replace(/(?:\.policy)?\.json$/, '')}.cases.json`
}

/** What can be done with the files alone, without a house. */
export const onPaper = {
  check(terminal: Terminal, file: string): boolean {
    policyIn(file)
    terminal.out(`${file}: in order`)
    return true
  },

  /** Which rule decides one request, and why; no for a deny. */
  explain(terminal: Terminal, file: string, requestFile: string): boolean {
    const { policy } = policyIn(file)
    const { decision, rules, unlisted } = policy.explain(read(requestFile, attributeRequest))
    terminal.out(`${decision.effect}: ${decision.because}`)
    for (const { rule, description, effect, outcome, condition } of rules) {
      terminal.out(`  rules[${rule}]${description === undefined ? '' : ` (${description})`}: ${effect} when`)
      for (const line of linesOf(condition, '    ')) terminal.out(line)
      terminal.out(`    → ${outcome}`)
    }
    if (unlisted > 0) terminal.out(`  and ${unlisted} more that are not listed`)
    return decision.effect === 'permit'
  },

  /** Decides cases, and tells those that come out otherwise. */
  test(terminal: Terminal, file: string, casesFile: string): boolean {
    const { policy } = policyIn(file)
    const cases = read(casesFile, casesShape)
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
  },

  /** Decides recorded requests: what each rule came to, or which requests another document had decided otherwise. */
  replay(terminal: Terminal, file: string, recording: string, against: string | undefined): boolean {
    const { policy } = policyIn(file)
    if (against === undefined) {
      for (const line of tally(policy, recordedIn(recording))) terminal.out(line)
      return true
    }
    const other = policyIn(against).policy
    const requests = recordedIn(recording)
    const differing = requests.filter(({ line, request }) => {
      const [before, after] = [other.decide(request), policy.decide(request)]
      if (before.effect === after.effect) return false
      terminal.out(`${recording}:${line}: ${got(before)} → ${got(after)}`)
      return true
    })
    terminal.out(`${differing.length} of ${requests.length} would be decided otherwise`)
    return differing.length === 0
  },
} as const

/** The document of a file. What is wrong with it is told at once, each with its place. */
export function policyIn(file: string): PreparedPolicy {
  const prepared = preparePolicy(json(file))
  if ('policy' in prepared) return prepared
  const lines = prepared.mistakes.map(({ path, message }) => `  ${path === '' ? '(policy)' : path}: ${message}`)
  const count = lines.length === 1 ? '1 mistake' : `${lines.length} mistakes`
  throw new Usage([`${file} has ${count}:`, ...lines].join('\n'))
}

const casesShape = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      request: attributeRequest,
      expect: z.enum(['permit', 'deny'], { error: 'expected `permit` or `deny`' }),
      /** The rule that has to have decided, counted from 0; `null`: none. */
      rule: z.int().min(0).nullable().optional(),
    }),
  )
  .min(1, 'expected a case at least: a test of nothing proves nothing')

function linesOf({ condition, outcome, values, conditions }: ExplainedCondition, indent: string): string[] {
  const said = Object.entries(values).map(([path, value]) => `${path} = ${JSON.stringify(value)}`)
  const line = `${indent}${condition}: ${outcome}${said.length === 0 ? '' : `   (${said.join(', ')})`}`
  return [line, ...conditions.flatMap((one) => linesOf(one, `${indent}  `))]
}

function wanted(expect: string, rule: number | null | undefined): string {
  if (rule === undefined) return expect
  return rule === null ? `${expect} by no rule` : `${expect} by rules[${rule}]`
}

function got({ effect, because }: PolicyDecision): string {
  return `${effect}: ${because}`
}

/** How many requests each rule decided, in the order of the document. */
function tally(policy: Policy, requests: readonly Recorded[]): string[] {
  const decided = Map.groupBy(
    requests.map(({ request }) => policy.decide(request)),
    got,
  )
  const rows = [...decided].toSorted(([, [a]], [, [b]]) => (a?.rule ?? Infinity) - (b?.rule ?? Infinity) || 0)
  return [...rows.map(([told, decisions]) => `${decisions.length}\t${told}`), `${requests.length}\tin all`]
}

interface Recorded {
  /** Counted from 1, as editors do. */
  readonly line: number
  readonly request: AttributeRequest
}

/** Requests as `GET /api/admin/policies/:name/recorded` gives them: each a line of JSON. */
function recordedIn(file: string): readonly Recorded[] {
  const found = readText(file)
  if ('problem' in found) throw new Usage(found.problem)
  const requests = found.text.split('\n').flatMap((text, index) => {
    if (text.trim() === '') return []
    const line = index + 1
    const parsed = parseStrict(text)
    if ('error' in parsed) throw new Usage(`${file}:${line}: is no JSON: ${parsed.error}`)
    return [{ line, request: shaped(parsed.value, attributeRequest, `${file}:${line}`) }]
  })
  if (requests.length === 0) throw new Usage(`${file}: expected a request at least: nothing was recorded`)
  return requests
}

function read<Shape extends z.ZodType>(file: string, shape: Shape): z.output<Shape> {
  return shaped(json(file), shape, file)
}

function shaped<Shape extends z.ZodType>(value: unknown, shape: Shape, from: string): z.output<Shape> {
  const outcome = shape.safeParse(value)
  if (outcome.success) return outcome.data
  const lines = outcome.error.issues.map(({ path, message }) => `  ${path.join('.') || '(file)'}: ${message}`)
  throw new Usage([`${from}:`, ...lines].join('\n'))
}

function json(file: string): unknown {
  const found = readJson(file)
  if ('problem' in found) throw new Usage(found.problem)
  return found.value
}
