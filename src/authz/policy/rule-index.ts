import { readerOf } from './attribute.ts'
import { isScalar, requestItemsMax } from './compare.ts'
import type { Condition, Scalar } from './condition.ts'
import { actsOn } from './evaluate.ts'
import { type Guard, guardsOf, without } from './guard.ts'
import type { AttributeRequest } from './policy.ts'
import type { Rule } from './read-document.ts'

/** Finds the first rule, by its number, that acts on the request and comes before `before`; else it answers `before`. */
export type Search = (request: AttributeRequest, before: number) => number

/** A rule as it is searched for. */
export interface Entry {
  readonly number: number
  readonly rule: Rule
  /** Whether it decides: one that allows has to hold, one that denies has to fail in order not to. */
  readonly acts: (request: AttributeRequest) => boolean
}

/** As many rules are asked in turn sooner than they are looked up. */
const leafSize = 4
const splitsMax = 6
const copiesMax = 250_000

/**
 * Sorts rules by what they demand an attribute to be, so that a request meets those alone that can act on it. A rule that
 * denies stands also where the attribute is missing, since it acts there.
 */
export function searchOf(entries: readonly Entry[]): Search {
  const copies = Math.max(8, Math.floor(copiesMax / Math.max(1, entries.length)))
  const places = entries.map((entry) => ({
    entry,
    guards: guardsOf(entry.rule.condition),
    left: entry.rule.condition,
    copies,
  }))
  return branch(places, new Set())
}

interface Place {
  readonly entry: Entry
  readonly guards: readonly Guard[]
  /** What the way here has not answered yet; undefined where it has answered all. */
  readonly left: Condition | undefined
  /** In how many branches it may stand: what has many keys in several guards would fill the memory. */
  readonly copies: number
}

function branch(places: readonly Place[], used: ReadonlySet<string>): Search {
  const id = places.length <= leafSize || used.size === splitsMax ? undefined : bestGuard(places, used)
  return id === undefined ? leaf(places) : split(places, id, new Set([...used, id]))
}

function leaf(places: readonly Place[]): Search {
  const [only, second] = places
  if (only === undefined) return (_, before) => before
  if (second === undefined) {
    const [{ number }, act] = [only.entry, actsOf(only)]
    return (request, before) => (number < before && act(request) ? number : before)
  }
  const [numbers, acts] = [places.map(({ entry }) => entry.number), places.map(actsOf)]
  return (request, before) => {
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] as number
      if (number >= before) return before
      if (acts[at]?.(request)) return number
    }
    return before
  }
}

function actsOf({ entry, left }: Place): Entry['acts'] {
  if (left === entry.rule.condition) return entry.acts
  if (left === undefined) return () => true
  return actsOn(left, entry.rule.effect)
}

function split(places: readonly Place[], id: string, used: ReadonlySet<string>): Search {
  const keyed = new Map<Scalar, Place[]>()
  const absent: Place[] = []
  const rest: Place[] = []
  let guard: Guard | undefined
  for (const place of places) {
    const own = usable(place, id)
    if (own === undefined) {
      rest.push(place)
      continue
    }
    guard = own
    const { needed } = own
    const copy = { ...place, copies: Math.floor(place.copies / needed) }
    const settled =
      own.settles === undefined || place.left === undefined ? copy : { ...copy, left: without(place.left, own.settles) }
    for (const key of own.keys) {
      const list = keyed.get(key)
      if (list === undefined) keyed.set(key, [settled])
      else list.push(settled)
    }
    if (needed > own.keys.size) absent.push(copy)
  }
  const children = new Map([...keyed].map(([key, list]) => [key, branch(list, used)]))
  const [unguarded, unsettled] = [branch(rest, used), branch(absent, used)]
  const guarded = guard === undefined ? unsettled : lookup(guard, children, unsettled)
  if (rest.length === 0) return guarded
  return (request, before) => guarded(request, unguarded(request, before))
}

/** Goes where the value of the attribute leads; to what is unsettled where it has none, or one of another type. */
function lookup({ attribute, type }: Guard, children: ReadonlyMap<Scalar, Search>, unsettled: Search): Search {
  const read = readerOf(attribute)
  const ofOne = (value: Scalar, request: AttributeRequest, before: number) =>
    children.get(value)?.(request, before) ?? before
  if (attribute.type !== 'list' && attribute.type !== 'role')
    return (request, before) => {
      const value = read(request)
      return typeof value === type && isScalar(value) ? ofOne(value, request, before) : unsettled(request, before)
    }

  const single = attribute.type === 'role'
  return (request, before) => {
    const value = read(request)
    if (typeof value === 'string' && single) return ofOne(value, request, before)
    if (value instanceof Set) {
      let first = before
      // A role that is no text leaves the rest undefined: there every item has to be seen.
      if (!single && value.size > children.size) {
        for (const [key, child] of children) if (value.has(key)) first = child(request, first)
        return first
      }
      for (const item of value)
        first = typeof item === 'string' ? ofOne(item, request, first) : unsettled(request, first)
      return first
    }
    if (!Array.isArray(value) || value.length > requestItemsMax) return unsettled(request, before)
    let first = before
    for (const item of value) first = typeof item === 'string' ? ofOne(item, request, first) : unsettled(request, first)
    return first
  }
}

/** The guard that leaves the fewest rules to be asked in turn where it helps least. */
function bestGuard(places: readonly Place[], used: ReadonlySet<string>): string | undefined {
  const counts = new Map<string, { guarded: number; readonly byKey: Map<Scalar, number> }>()
  for (const place of places) {
    for (const { id } of place.guards) {
      const guard = used.has(id) ? undefined : usable(place, id)
      if (guard === undefined) continue
      const count = counts.get(id) ?? { guarded: 0, byKey: new Map<Scalar, number>() }
      counts.set(id, count)
      count.guarded++
      for (const key of guard.keys) count.byKey.set(key, (count.byKey.get(key) ?? 0) + 1)
    }
  }
  let best: { readonly id: string; readonly left: number } | undefined
  for (const [id, { guarded, byKey }] of counts) {
    let largest = 0
    for (const size of byKey.values()) largest = Math.max(largest, size)
    const left = places.length - guarded + largest
    if (best === undefined || left < best.left) best = { id, left }
  }
  return best?.id
}

/** The guard of that name, where as many copies as it needs may be made. */
function usable({ guards, copies, entry }: Place, id: string): (Guard & { readonly needed: number }) | undefined {
  const guard = guards.find((one) => one.id === id)
  if (guard === undefined) return undefined
  const needed = guard.keys.size + (entry.rule.effect === 'deny' ? 1 : 0)
  return needed <= copies ? { ...guard, needed } : undefined
}
