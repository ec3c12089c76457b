import { bitsOf, networkBits } from './address-bits.ts'
import { readerOf } from './attribute.ts'
import { anyText, contains, equal, greater, holds, isScalar, startsWith } from './compare.ts'
import type { Comparison, Condition, Operand, Scalar } from './condition.ts'
import type { AttributeRequest, Effect, Truth } from './policy.ts'
import { prefixList } from './prefix-list.ts'
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
export function actsOn(condition: Condition, effect: Effect): Check {
  if (effect === 'permit') return comesTo(condition, true)
  const fails = comesTo(condition, false)
  return (request) => !fails(request)
}

type Check = (request: AttributeRequest) => boolean

/** Whether it comes to one of the two: all that is asked is what that takes, and what is undefined comes to neither. */
function comesTo(condition: Condition, wanted: boolean): Check {
  switch (condition.operator) {
    case 'all':
    case 'any': {
      const checks = condition.conditions.map((one) => comesTo(one, wanted))
      return (condition.operator === 'all') === wanted ? everyOf(checks) : someOf(checks)
    }
    case 'not':
      return comesTo(condition.condition, !wanted)
    default: {
      const known = checks.get(condition) ?? new Map<boolean, Check>()
      const check = known.get(wanted) ?? (wanted ? sameness(condition) : undefined) ?? tested(testOf(condition), wanted)
      checks.set(condition, known.set(wanted, check))
      return check
    }
  }
}

const checks = new WeakMap<Condition, Map<boolean, Check>>()

function tested(test: Test, wanted: boolean): Check {
  return (request) => test(request) === wanted
}

/** Whether two values are the same, which is asked most: where nothing but that is wanted, their types need no look. */
function sameness(condition: Condition): Check | undefined {
  if (condition.operator !== 'equals') return undefined
  const { attribute, value } = condition
  if (attribute.type === 'role' || attribute.type === 'list' || value.kind === 'list') return undefined
  const read = readerOf(attribute)
  if (value.kind === 'literal') {
    const literal = value.value
    return (request) => read(request) === literal
  }
  const other = readerOf(value.attribute)
  return (request) => {
    const [one, two] = [read(request), other(request)]
    return typeof one === 'string' ? one === two : equal(one, two) === true
  }
}

function everyOf(checks: readonly Check[]): Check {
  const [first, second, third] = checks
  if (checks.length === 2 && first && second) return (request) => first(request) && second(request)
  if (checks.length === 3 && first && second && third)
    return (request) => first(request) && second(request) && third(request)
  return (request) => {
    for (const check of checks) if (!check(request)) return false
    return true
  }
}

function someOf(checks: readonly Check[]): Check {
  return (request) => {
    for (const check of checks) if (check(request)) return true
    return false
  }
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

/** By its bits, a network is the beginning of all its addresses. */
function networkTest(networks: readonly string[]): (address: unknown) => Truth {
  const list = prefixList(networks.flatMap((network) => networkBits(network) ?? []))
  return (address) => {
    const bits = bitsOf(address)
    return bits === undefined ? undefined : list.placeOf(bits) >= 0
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
