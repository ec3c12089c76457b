import { redact, redacted, redactText } from '../../kernel/redact.ts'
import { type Attribute, readerOf, sourceOf } from './attribute.ts'
import { attributesOf, type Condition, innerOf, type Operand } from './condition.ts'
import { testOf } from './evaluate.ts'
import type { AttributeRequest, ExplainedCondition, ExplainedRule, Outcome, Truth } from './policy.ts'
import type { Rule } from './read-document.ts'

const rulesMax = 200
const conditionsMax = 2_000
const textLengthMax = 200
const listItemsMax = 20

/** Rules in the order in which they were asked, each with why it held or not; the last of them always, as it decided. */
export function explainRules(
  asked: readonly { readonly number: number; readonly rule: Rule }[],
  request: AttributeRequest,
): { readonly rules: readonly ExplainedRule[]; readonly unlisted: number } {
  const rules: ExplainedRule[] = []
  const budget = { left: conditionsMax }
  for (const [at, { number, rule }] of asked.entries()) {
    const last = at === asked.length - 1
    if ((rules.length >= rulesMax - 1 || budget.left <= 0) && !last) continue
    if (last) budget.left = Math.max(budget.left, conditionsMax / 4)
    const condition = explain(rule.condition, request, budget)
    const { description, effect } = rule
    rules.push({ rule: number, description, effect, outcome: condition.outcome, condition })
  }
  return { rules, unlisted: asked.length - rules.length }
}

function explain(condition: Condition, request: AttributeRequest, budget: { left: number }): ExplainedCondition {
  budget.left--
  const inner = innerOf(condition)
  return {
    condition: conditionText(condition),
    outcome: outcomeOf(testOf(condition)(request)),
    values: inner === undefined ? valuesOf(condition, request) : {},
    conditions: (inner ?? []).flatMap((one) => (budget.left > 0 ? [explain(one, request, budget)] : [])),
  }
}

/** A line such as `subject.role equals "admin"`. */
function conditionText(condition: Condition): string {
  switch (condition.operator) {
    case 'all':
    case 'any':
    case 'not':
      return condition.operator
    case 'exists':
      return `${condition.attribute.path} exists ${condition.expected}`
    case 'between': {
      const { fromMinute, toMinute } = condition.span
      return `${condition.attribute.path} between ${clockText(fromMinute)} and ${clockText(toMinute)} ${condition.zone}`
    }
    case 'in_network':
      return `${condition.attribute.path} in_network ${JSON.stringify(redactedCopy(condition.networks))}`
    default:
      return `${condition.attribute.path} ${condition.operator} ${operandText(condition.value, condition.attribute)}`
  }
}

function operandText(operand: Operand, { path }: Attribute): string {
  if (operand.kind === 'reference') return operand.attribute.path
  return JSON.stringify(clean([path], operand.kind === 'list' ? operand.items : operand.value))
}

function valuesOf(condition: Condition, request: AttributeRequest): Readonly<Record<string, unknown>> {
  const attributes = attributesOf(condition)
  // Two values that were found equal tell each other: one secret name hides both.
  const paths = attributes.map(({ path }) => path)
  return Object.fromEntries(
    attributes.flatMap((attribute) => {
      const value = readerOf(attribute)(request)
      return value === undefined ? [] : [[sourceOf(attribute), clean(paths, value)]]
    }),
  )
}

/** A value to show to operators: nothing whose path says that it is a secret, nothing that looks like one, and not too much. */
export function clean(paths: readonly string[], value: unknown): unknown {
  const names = paths.flatMap((path) => path.split('.'))
  const secret = names.some((name) => JSON.stringify(redact({ [name]: 'x' })).includes(redacted))
  return secret ? redacted : redactedCopy(value)
}

function redactedCopy(value: unknown): unknown {
  if (typeof value === 'string') {
    const clean = redactText(value.slice(0, textLengthMax * 10))
    return clean.length > textLengthMax ? `${clean.slice(0, textLengthMax)}…` : clean
  }
  if (Array.isArray(value) || value instanceof Set) {
    const [all, size] = Array.isArray(value) ? [value, value.length] : [value, value.size]
    const items = all.values().take(listItemsMax).map(redactedCopy).toArray()
    return size > listItemsMax ? [...items, `and ${size - listItemsMax} more`] : items
  }
  return typeof value === 'object' ? 'an object' : value
}

function outcomeOf(truth: Truth): Outcome {
  return truth === undefined ? 'undefined' : truth ? 'holds' : 'fails'
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
