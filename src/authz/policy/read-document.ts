import type { Condition } from './condition.ts'
import { below, type Mistake, Mistakes, readFields, shown } from './mistakes.ts'
import type { Effect } from './policy.ts'
import { ConditionReader } from './read-condition.ts'

/** A document that can be decided by. */
export interface PolicyDocument {
  readonly combining: Combining
  readonly rules: readonly Rule[]
}

/** Whether the first rule that matches decides, or any rule that denies before all that allow. */
export type Combining = 'first-match' | 'deny-overrides'

export interface Rule {
  readonly description: string | undefined
  readonly condition: Condition
  readonly effect: Effect
}

const rulesMax = 10_000
const descriptionLengthMax = 1_000

/** Reads a document, or says everything that is wrong with it. */
export function readDocument(
  document: unknown,
): { readonly document: PolicyDocument } | { readonly mistakes: readonly Mistake[] } {
  const mistakes = new Mistakes()
  const read = readPolicy(document, mistakes)
  return read === undefined || mistakes.list.length > 0 ? { mistakes: mistakes.list } : { document: read }
}

function readPolicy(document: unknown, mistakes: Mistakes): PolicyDocument | undefined {
  const fields = readFields(document, ['version', 'combining', 'rules'], '', mistakes)
  if (fields === undefined) return undefined
  const { version, combining = 'first-match', rules } = fields
  if (version !== '1.0') mistakes.add('version', `expected the version \`1.0\`, got ${shown(version)}`)
  if (combining !== 'first-match' && combining !== 'deny-overrides')
    return mistakes.add('combining', `expected \`first-match\` or \`deny-overrides\`, got ${shown(combining)}`)
  if (!Array.isArray(rules)) return mistakes.add('rules', `expected a list of rules, got ${shown(rules)}`)
  if (rules.length > rulesMax) return mistakes.add('rules', `expected at most ${rulesMax} rules, got ${rules.length}`)
  const conditions = new ConditionReader(mistakes)
  // Array.from, since a hole is a rule too, and a wrong one.
  const read = Array.from(rules, (rule: unknown, at) => readRule(rule, `rules[${at}]`, conditions, mistakes))
  return { combining, rules: read.filter((rule) => rule !== undefined) }
}

function readRule(rule: unknown, path: string, conditions: ConditionReader, mistakes: Mistakes): Rule | undefined {
  const fields = readFields(rule, ['description', 'condition', 'effect'], path, mistakes)
  if (fields === undefined) return undefined
  const { description, effect } = fields
  if (description !== undefined && (typeof description !== 'string' || description.length > descriptionLengthMax))
    mistakes.add(
      below(path, 'description'),
      `expected a text of at most ${descriptionLengthMax} characters, got ${shown(description)}`,
    )
  const condition = conditions.read(fields['condition'], below(path, 'condition'))
  if (effect !== 'allow' && effect !== 'deny')
    return mistakes.add(below(path, 'effect'), `expected \`allow\` or \`deny\`, got ${shown(effect)}`)
  if (condition === undefined) return undefined
  return {
    description: typeof description === 'string' ? description : undefined,
    condition,
    effect: effect === 'allow' ? 'permit' : 'deny',
  }
}
