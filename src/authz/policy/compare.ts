import type { Scalar } from './condition.ts'
import type { Truth } from './policy.ts'

/** The longest list of a request that is searched; a longer one says nothing. */
export const requestItemsMax = 10_000

/** Equal, by type and without conversion. Lists are equal when they hold the same items. */
export function equal(one: unknown, other: unknown): Truth {
  if (isScalar(one)) return typeof one === typeof other && isScalar(other) ? one === other : undefined
  const [some, others] = [itemsOf(one), itemsOf(other)]
  if (some === undefined || others === undefined) return undefined
  const [first, second] = [new Set(some), new Set(others)]
  return first.size === second.size && [...first].every((item) => second.has(item))
}

/** Whether the list holds the item. An item of another type in a list that does not hold it leaves it undefined. */
export function holds(list: unknown, item: unknown): Truth {
  if (!isScalar(item)) return undefined
  // The house's own lists of permissions and scopes are sets of texts.
  if (list instanceof Set)
    return list.has(item) ? true : typeof item === 'string' || list.size === 0 ? false : undefined
  if (!Array.isArray(list) || list.length > requestItemsMax) return undefined
  let clash = false
  for (const one of list) {
    if (one === item) return true
    clash ||= typeof one !== typeof item || !isScalar(one)
  }
  return clash ? undefined : false
}

/** Whether a text lies in a text, or an item in a list. An empty text would lie in all of them, and says nothing. */
export function contains(whole: unknown, part: unknown): Truth {
  if (typeof whole !== 'string') return holds(whole, part)
  return typeof part === 'string' && part !== '' ? whole.includes(part) : undefined
}

/** Whether a text begins with another; with an empty one every text would. */
export function startsWith(whole: unknown, beginning: unknown): Truth {
  return typeof whole === 'string' && typeof beginning === 'string' && beginning !== ''
    ? whole.startsWith(beginning)
    : undefined
}

export function greater(one: unknown, other: unknown): Truth {
  return isNumber(one) && isNumber(other) ? one > other : undefined
}

/** A text by itself, or any text of a list: a subject with several roles has each of them. */
export function anyText(value: unknown, test: (text: string) => Truth): Truth {
  if (typeof value === 'string') return test(value)
  if (!(value instanceof Set) && (!Array.isArray(value) || value.length > requestItemsMax)) return undefined
  let outcome: Truth = false
  for (const item of value) {
    const one = typeof item === 'string' ? test(item) : undefined
    if (one === true) return true
    if (one === undefined) outcome = undefined
  }
  return outcome
}

/** NaN is a number for JavaScript alone. */
export function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || isNumber(value)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value)
}

function itemsOf(value: unknown): readonly Scalar[] | ReadonlySet<Scalar> | undefined {
  if (value instanceof Set) return value
  return Array.isArray(value) && value.length <= requestItemsMax && value.every(isScalar) ? value : undefined
}
