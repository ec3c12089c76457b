import { networkBits } from './address-bits.ts'
import type { Attribute } from './attribute.ts'
import type { Condition, Scalar } from './condition.ts'
import { above, below, overlap, type Range } from './range.ts'

/**
 * What a condition demands of one thing that a request says: where that is known and meets none of the keys, the condition
 * fails whatever else the request says.
 */
export interface Guard {
  /** The same for guards that one look at the request answers; a condition that rules share is its own. */
  readonly id: string | Condition
  readonly asks: Question
  readonly keys: ReadonlySet<Key>
  /** The conditions that hold wherever a key is met, so that they need not be asked again. */
  readonly settles: readonly Condition[]
}

/** What is looked at. A key is met by a value that is the same, by one that begins with it, or by one that lies in it. */
export type Question =
  | { readonly kind: 'value'; readonly attribute: Attribute; readonly type: 'string' | 'number' | 'boolean' }
  | { readonly kind: 'prefix'; readonly attribute: Attribute }
  /** By its bits, a network is the beginning of all its addresses. */
  | { readonly kind: 'network'; readonly attribute: Attribute }
  | { readonly kind: 'number'; readonly attribute: Attribute }
  | { readonly kind: 'clock'; readonly attribute: Attribute; readonly zone: string }
  /** Whether a condition holds or fails that several rules have in common. */
  | { readonly kind: 'truth'; readonly condition: Condition }

export type Key = Scalar | Range

/** Beyond this, ranges are not cut with each other: no rule chooses how long that takes. */
const overlapsMax = 64

/** At most one guard for each question. The condition is as `PlainConditions` leaves it. */
export function guardsOf(condition: Condition): readonly Guard[] {
  switch (condition.operator) {
    case 'all':
      return strictest(condition.conditions.flatMap(guardsOf))
    case 'any':
      return shared(condition)
    case 'not':
      return [rangeOf(condition, condition.condition) ?? truth(condition, condition.condition, false)]
    default:
      return [keyed(condition) ?? truth(condition, condition, true)]
  }
}

/** What is left to be asked once parts of the condition are known to hold; undefined where nothing is. */
export function without(condition: Condition, settled: readonly Condition[]): Condition | undefined {
  if (settled.includes(condition)) return undefined
  if (condition.operator !== 'all' || settled.length === 0) return condition
  const conditions = condition.conditions.map((one) => without(one, settled)).filter((one) => one !== undefined)
  return conditions.length > 1 ? { operator: 'all', conditions } : conditions[0]
}

function settlesAll(condition: Condition | undefined, settles: readonly Condition[]): boolean {
  if (condition === undefined || settles.includes(condition)) return true
  // Of a long list, most is left over: to see that, it need not be gone through.
  return condition.operator === 'all' && condition.conditions.length <= settles.length
    ? without(condition, settles) === undefined
    : false
}

/** What is asked by the value of one attribute alone, and can be looked up. */
export function keyed(condition: Condition): Guard | undefined {
  switch (condition.operator) {
    case 'equals':
      // Which lists are equal is no matter of one key.
      return condition.value.kind === 'literal' ? byValue(condition, [condition.value.value]) : undefined
    case 'in':
      return condition.value.kind === 'list' ? byValue(condition, condition.value.items) : undefined
    case 'contains':
      // Of an attribute that may be a text, a part may be meant.
      return condition.value.kind === 'literal' && condition.attribute.type === 'list'
        ? byValue(condition, [condition.value.value])
        : undefined
    case 'starts_with':
      return condition.value.kind === 'literal'
        ? guard(condition, { kind: 'prefix', attribute: condition.attribute }, [condition.value.value])
        : undefined
    case 'greater_than':
    case 'less_than':
      return rangeOf(condition, condition)
    case 'in_network': {
      const keys = condition.networks.flatMap((text) => networkBits(text) ?? [])
      return guard(condition, { kind: 'network', attribute: condition.attribute }, keys)
    }
    case 'between': {
      const { attribute, zone, span } = condition
      const [from, to] = [above(span.fromMinute, true), below(span.toMinute, false)]
      const within = overlap(from, to)
      return guard(condition, { kind: 'clock', attribute, zone }, within === undefined ? [from, to] : [within])
    }
    default:
      return undefined
  }
}

function byValue(settles: Condition & { readonly attribute: Attribute }, keys: readonly Scalar[]): Guard {
  const { attribute } = settles
  return guard(settles, { kind: 'value', attribute, type: typeof keys[0] as 'string' }, keys)
}

/** Numbers above or below another, or those that are not. */
function rangeOf(whole: Condition, condition: Condition): Guard | undefined {
  const { operator } = condition
  if ((operator !== 'greater_than' && operator !== 'less_than') || condition.value.kind !== 'literal') return undefined
  const { attribute, value } = condition
  if (typeof value.value !== 'number') return undefined
  const opposite = whole !== condition
  const range = ((operator === 'greater_than') !== opposite ? above : below)(value.value, opposite)
  return guard(whole, { kind: 'number', attribute }, [range])
}

function guard(settles: Condition, asks: Exclude<Question, { kind: 'truth' }>, keys: readonly Key[]): Guard {
  const detail = asks.kind === 'value' ? asks.type : asks.kind === 'clock' ? asks.zone : ''
  return { id: `${asks.kind} ${asks.attribute.path} ${detail}`, asks, keys: new Set(keys), settles: [settles] }
}

function truth(settles: Condition, condition: Condition, wanted: boolean): Guard {
  return { id: condition, asks: { kind: 'truth', condition }, keys: new Set([wanted]), settles: [settles] }
}

/** Each of them has to be met. */
function strictest(guards: readonly Guard[]): readonly Guard[] {
  const byId = new Map<Guard['id'], Guard>()
  for (const one of guards) {
    const other = byId.get(one.id)
    byId.set(one.id, other === undefined ? one : stricter(other, one))
  }
  return [...byId.values()]
}

/** Of two for one question: both together where it is about one number, else the one with fewer keys, as it says more. */
function stricter(one: Guard, other: Guard): Guard {
  const [some, others] = [[...one.keys].filter(isRange), [...other.keys].filter(isRange)]
  if (some.length > 0 && others.length > 0 && some.length * others.length <= overlapsMax) {
    const keys = some.flatMap((range) => others.flatMap((second) => overlap(range, second) ?? []))
    const settles = one.settles.length < overlapsMax ? [...one.settles, ...other.settles] : one.settles
    return { ...one, keys: new Set(keys), settles }
  }
  return other.keys.size < one.keys.size ? other : one
}

/** One of them has to be met: only what all of them ask about guards the whole. */
function shared(whole: Condition & { operator: 'any' | 'all' }): readonly Guard[] {
  const [first = [], ...others] = whole.conditions.map(guardsOf)
  const byId = others.map((guards) => new Map(guards.map((guard) => [guard.id, guard])))
  return first.flatMap((one) => {
    const alike = [one]
    for (const guards of byId) {
      const same = guards.get(one.id)
      if (same === undefined) return []
      alike.push(same)
    }
    const settled = alike.every(({ settles }, at) => settlesAll(whole.conditions[at], settles))
    const keys = new Set(alike.flatMap((guard) => [...guard.keys]))
    return [{ ...one, keys, settles: settled ? [whole] : [] }]
  })
}

function isRange(key: Key): key is Range {
  return typeof key === 'object'
}
