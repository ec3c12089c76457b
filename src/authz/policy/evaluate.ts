import { networkList, parseAddress } from '../../kernel/ip.ts'
import { readerOf } from './attribute.ts'
import { anyText, contains, equal, greater, holds, isScalar, startsWith } from './compare.ts'
import type { Comparison, Condition, Operand, Scalar } from './condition.ts'
import type { AttributeRequest, Effect, Truth } from './policy.ts'
import { timeOfDayTest } from './time-of-day.ts'

export type Test = (request: AttributeRequest) => Truth

/**
 * Makes a condition into a function, once. Three-valued as Kleene's logic: what is missing decides nothing, and `not` of it
 * is as undefined as itself.
 */
export function testOf(condition: Condition): Test {
  let test = tests.get(condition)
  if (test === undefined) {
    test = made(condition)
    tests.set(condition, test)
  }
  return test
}

/** Whether a rule decides: one that allows has to hold, one that denies has to fail in order not to. */
export function actsOn(condition: Condition, effect: Effect): (request: AttributeRequest) => boolean {
  const test = testOf(condition)
  return effect === 'permit' ? (request) => test(request) === true : (request) => test(request) !== false
}

/** A condition stands in several places of an index, and is one function there. */
const tests = new WeakMap<Condition, Test>()

function made(condition: Condition): Test {
  switch (condition.operator) {
    case 'all':
      return allOf(condition.conditions.map(testOf))
    case 'any':
      return anyOf(condition.conditions.map(testOf))
    case 'not':
      return negated(testOf(condition.condition))
    case 'exists': {
      const read = readerOf(condition.attribute)
      const { expected } = condition
      return (request) => (read(request) !== undefined) === expected
    }
    case 'between': {
      const read = readerOf(condition.attribute)
      const test = timeOfDayTest(condition.span, condition.zone)
      return (request) => test(read(request))
    }
    case 'in_network': {
      const read = readerOf(condition.attribute)
      const test = networkTest(condition.networks)
      return (request) => test(read(request))
    }
    case 'not_equals':
      return negated(testOf({ ...condition, operator: 'equals' }))
    case 'equals':
    case 'in':
    case 'contains':
    case 'greater_than':
    case 'less_than':
    case 'starts_with':
      return comparison(condition)
    default:
      return condition satisfies never
  }
}

function comparison({ operator, attribute, value }: Extract<Condition, { readonly operator: Comparison }>): Test {
  const read = readerOf(attribute)
  if (value.kind === 'reference') {
    const [compare, other] = [comparisons[operator], readerOf(value.attribute)]
    if (attribute.type === 'role')
      return (request) => {
        const compared = other(request)
        return anyText(read(request), (role) => compare(role, compared))
      }
    if (attribute.type === 'list') return (request) => ofList(read(request), (list) => compare(list, other(request)))
    return (request) => compare(read(request), other(request))
  }
  const test = literalTest(operator, value)
  if (attribute.type === 'role') return (request) => anyText(read(request), test)
  if (attribute.type === 'list') return (request) => ofList(read(request), test)
  return (request) => test(read(request))
}

/** What is said to be a list is taken for nothing else: a text that contains a name is no list that holds it. */
function ofList(list: unknown, test: (list: unknown) => Truth): Truth {
  return typeof list === 'string' ? undefined : test(list)
}

const comparisons: Readonly<Record<Comparison, (one: unknown, other: unknown) => Truth>> = {
  equals: equal,
  not_equals: (one, other) => not(equal(one, other)),
  in: (one, list) => holds(list, one),
  contains,
  greater_than: greater,
  less_than: (one, other) => greater(other, one),
  starts_with: startsWith,
}

/** The comparisons that are asked for most, with what can be known beforehand left out. */
function literalTest(operator: Comparison, value: Exclude<Operand, { readonly kind: 'reference' }>) {
  if (value.kind === 'list') {
    const items: readonly Scalar[] = value.items
    if (operator !== 'in') return (found: unknown) => comparisons[operator](found, items)
    const [set, type] = [new Set<unknown>(items), typeof value.items[0]]
    return (found: unknown): Truth => (typeof found === type && isScalar(found) ? set.has(found) : undefined)
  }
  const literal = value.value
  if (operator === 'equals' && typeof literal !== 'number') {
    const type = typeof literal
    return (found: unknown): Truth => (typeof found === type ? found === literal : undefined)
  }
  const compare = comparisons[operator]
  return (found: unknown) => compare(found, literal)
}

function networkTest(networks: readonly string[]): (address: unknown) => Truth {
  const list = networkList(networks)
  return (address) => {
    if (typeof address !== 'string') return undefined
    const [bare = ''] = address.split('%', 1) // the zone of a link-local address says nothing about its network
    return parseAddress(bare) === undefined ? undefined : list(bare)
  }
}

function allOf(tests: readonly Test[]): Test {
  return (request) => {
    let outcome: Truth = true
    for (const test of tests) {
      const one = test(request)
      if (one === false) return false
      if (one === undefined) outcome = undefined
    }
    return outcome
  }
}

function anyOf(tests: readonly Test[]): Test {
  return (request) => {
    let outcome: Truth = false
    for (const test of tests) {
      const one = test(request)
      if (one === true) return true
      if (one === undefined) outcome = undefined
    }
    return outcome
  }
}

function negated(test: Test): Test {
  return (request) => not(test(request))
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth
}
