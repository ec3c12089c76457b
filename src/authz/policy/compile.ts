import { sourceOf } from './attribute.ts'
import { attributesOf } from './condition.ts'
import { actsOn, testOf } from './evaluate.ts'
import { explainRules } from './explain.ts'
import type { Mistake } from './mistakes.ts'
import type { AttributeRequest, Policy, PolicyDecision } from './policy.ts'
import { type Combining, type Rule, readDocument } from './read-document.ts'
import { type Entry, type Search, searchOf } from './rule-index.ts'

/**
 * Reads a policy and makes it ready to decide, or says everything that is wrong with it. Nothing is worked out a second time
 * when a request comes.
 */
export function compilePolicy(
  document: unknown,
): { readonly policy: Policy } | { readonly mistakes: readonly Mistake[] } {
  const read = readDocument(document)
  if ('mistakes' in read) return read
  const { rules, combining } = read.document
  const entries = rules.map(entryOf)
  const groups = inOrder(entries, combining)
  const searches = groups.map(searchOf)
  return {
    policy: {
      decide: (request) => entries[firstOf(searches, request, entries.length)]?.decision(request) ?? nobodyDecided,
      explain(request) {
        const order = groups.flat()
        const decider = order.findIndex(({ acts }) => acts(request))
        const asked = decider < 0 ? order : order.slice(0, decider + 1)
        return { decision: order[decider]?.decision(request) ?? nobodyDecided, ...explainRules(asked, request) }
      },
      attributes: new Set(rules.flatMap(({ condition }) => attributesOf(condition).map(sourceOf))),
    },
  }
}

/** No rule matched. */
export const nobodyDecided: PolicyDecision = {
  effect: 'deny',
  rule: undefined,
  description: undefined,
  because: 'no rule matches',
}

interface DecidingEntry extends Entry {
  /** What it comes to for a request on which it acts. */
  decision(request: AttributeRequest): PolicyDecision
}

function entryOf(rule: Rule, number: number): DecidingEntry {
  const { condition, effect, description } = rule
  const [test, acts] = [testOf(condition), actsOn(condition, effect)]
  const decided = (because: string): PolicyDecision => ({ effect, rule: number, description, because })
  const name = `rules[${number}]${description === undefined ? '' : ` (${description})`}`
  if (effect === 'permit') {
    const permitted = decided(`${name} allows it`)
    return { number, rule, acts, decision: () => permitted }
  }
  const denied = decided(`${name} denies it`)
  const untold = decided(`${name} denies it, since an attribute that it asks for is missing or of another type`)
  return {
    number,
    rule,
    acts,
    decision: (request) => (test(request) === undefined ? untold : denied),
  }
}

/** Groups of rules, each of which is asked only when the one before it has not decided. */
function inOrder(entries: readonly DecidingEntry[], combining: Combining): readonly (readonly DecidingEntry[])[] {
  switch (combining) {
    case 'first-match':
      return [entries]
    case 'deny-overrides':
      return [
        entries.filter(({ rule }) => rule.effect === 'deny'),
        entries.filter(({ rule }) => rule.effect === 'permit'),
      ]
    default:
      return combining satisfies never
  }
}

function firstOf(searches: readonly Search[], request: AttributeRequest, none: number): number {
  for (const search of searches) {
    const found = search(request, none)
    if (found < none) return found
  }
  return none
}
