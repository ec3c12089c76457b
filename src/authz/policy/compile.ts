import { sourceOf } from './attribute.ts'
import { attributesOf } from './condition.ts'
import { actsOn, testOf } from './evaluate.ts'
import { explainRules } from './explain.ts'
import type { Search } from './lookup.ts'
import type { Mistake } from './mistakes.ts'
import type { AttributeRequest, Policy, PolicyDecision } from './policy.ts'
import { type Combining, type Rule, readDocument } from './read-document.ts'
import { type Entry, searchOf } from './rule-index.ts'

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
  const groups = inOrder(
    rules.map((rule, number) => ({ rule, number })),
    combining,
  )
  const search = inTurn(groups.map(searchOf), rules.length)
  const decision = decisionsOf(rules)
  return {
    policy: {
      decide: (request) => decision(search(request, rules.length), request),
      explain(request) {
        const order = groups.flat()
        const decider = order.findIndex(({ rule }) => actsOn(rule.condition, rule.effect)(request))
        const asked = decider < 0 ? order : order.slice(0, decider + 1)
        return { decision: decision(order[decider]?.number ?? rules.length, request), ...explainRules(asked, request) }
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

/** What a rule comes to, by its number, for a request on which it acts. Most rules are never asked for it. */
function decisionsOf(rules: readonly Rule[]): (number: number, request: AttributeRequest) => PolicyDecision {
  const known: (Decide | PolicyDecision | undefined)[] = [...rules.map(() => undefined), nobodyDecided]
  return (number, request) => {
    const decision = known[number] ?? (known[number] = decisionOf(rules[number] as Rule, number))
    return typeof decision === 'function' ? decision(request) : decision
  }
}

type Decide = (request: AttributeRequest) => PolicyDecision

function decisionOf({ condition, effect, description }: Rule, number: number): Decide | PolicyDecision {
  const decided = (because: string): PolicyDecision => ({ effect, rule: number, description, because })
  const name = `rules[${number}]${description === undefined ? '' : ` (${description})`}`
  if (effect === 'permit') return decided(`${name} allows it`)
  const test = testOf(condition)
  const denied = decided(`${name} denies it`)
  const untold = decided(`${name} denies it, since an attribute that it asks for is missing or of another type`)
  return (request) => (test(request) === undefined ? untold : denied)
}

/** Groups of rules, each of which is asked only when the one before it has not decided. */
function inOrder(entries: readonly Entry[], combining: Combining): readonly (readonly Entry[])[] {
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

/** Whatever a search finds is the answer: the next is asked when it finds none. */
function inTurn([first, ...others]: readonly Search[], none: number): Search {
  if (first === undefined) return () => none
  if (others.length === 0) return first
  const next = inTurn(others, none)
  return (request, before) => {
    const found = first(request, before)
    return found < none ? found : next(request, before)
  }
}
