import type { Condition, Scalar } from './condition.ts'
import { actsOn } from './evaluate.ts'
import { type Guard, guardsOf, without } from './guard.ts'
import { arrangementOf, type Branch, enter, nothing, type Search } from './lookup.ts'
import { PlainConditions } from './plain-conditions.ts'
import type { Rule } from './read-document.ts'

/** A rule as it is searched for. */
export interface Entry {
  readonly number: number
  readonly rule: Rule
}

/** As many rules are asked in turn sooner than they are looked up. */
const leafSize = 4
/** Questions one behind the other on the way to a rule. */
const splitsMax = 32
const copiesMax = 250_000
/** How many guards are weighed before the rest of the rules are asked in turn: no document chooses how long it takes to load. */
const weighedMax = 1_000_000

/**
 * Sorts rules by what they demand of a request, so that it meets those alone that can act on it. A rule that denies stands
 * also where what it asks for is missing, since it acts there.
 */
export function searchOf(entries: readonly Entry[]): Search {
  const copies = Math.max(8, Math.floor(copiesMax / Math.max(1, entries.length)))
  const conditions = new PlainConditions()
  const places = entries.map((entry): Place => {
    const left = conditions.plain(entry.rule.condition)
    return { entry, guards: guardsOf(left), left, copies }
  })
  const whole = branch(places, new Set(), { left: weighedMax })
  return whole.search ?? ((request, before) => enter(whole, request, before))
}

interface Place {
  readonly entry: Entry
  readonly guards: readonly Guard[]
  /** What the way here has not answered yet; undefined where it has answered all. */
  readonly left: Condition | undefined
  /** In how many branches it may stand: what has many keys in several guards would fill the memory. */
  readonly copies: number
}

interface Budget {
  left: number
}

function branch(places: readonly Place[], used: ReadonlySet<Guard['id']>, budget: Budget): Branch {
  if (places.length <= leafSize || used.size >= splitsMax || budget.left <= 0) return leaf(places)
  const id = bestGuard(places, used, budget)
  return id === undefined ? leaf(places) : split(places, id, new Set([...used, id]), budget)
}

function leaf(places: readonly Place[]): Branch {
  const [only, second] = places
  if (only === undefined) return nothing
  const first = only.entry.number
  if (second === undefined) return { first, acts: actsOf(only), search: undefined }
  const [numbers, acts] = [places.map(({ entry }) => entry.number), places.map(actsOf)]
  const search: Search = (request, before) => {
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at] as number
      if (number >= before) return before
      const act = acts[at]
      if (act === undefined || act(request)) return number
    }
    return before
  }
  return { first, acts: undefined, search }
}

function actsOf({ entry, left }: Place) {
  return left === undefined ? undefined : actsOn(left, entry.rule.effect)
}

function split(places: readonly Place[], id: Guard['id'], used: ReadonlySet<Guard['id']>, budget: Budget): Branch {
  const guarded: Place[] = []
  const guards: Guard[] = []
  const rest: Place[] = []
  for (const place of places) {
    const guard = guardOf(place, id)
    if (guard === undefined) rest.push(place)
    else {
      guarded.push(place)
      guards.push(guard)
    }
  }
  const [first] = guards
  if (first === undefined) return leaf(places)
  const arrangement = arrangementOf(first.asks, guards)
  const keyed = new Map<Scalar, Place[]>()
  const absent: Place[] = []
  const tooWide: Place[] = []
  for (const [index, place] of guarded.entries()) {
    const { entry, guards: own, left } = place
    const guard = guards[index] as Guard
    const at = arrangement.placesOf(guard)
    const denies = entry.rule.effect === 'deny'
    const needed = at.length + (denies ? 1 : 0)
    if (needed > place.copies) {
      tooWide.push(place)
      continue
    }
    const copies = needed === 0 ? place.copies : Math.floor(place.copies / needed)
    const settled: Place = { entry, guards: own, left: left && without(left, guard.settles), copies }
    for (const key of at) {
      const list = keyed.get(key)
      if (list === undefined) keyed.set(key, [settled])
      // Behind one that acts on whatever comes here, nobody is asked.
      else if (list.at(-1)?.left !== undefined) list.push(settled)
    }
    if (denies) absent.push({ entry, guards: own, left, copies })
  }
  const children = new Map<Scalar, Branch>()
  for (const [key, list] of keyed) children.set(key, branch(list, used, budget))
  const search = arrangement.search(children, branch(absent, used, budget))
  const others = tooWide.length === 0 ? rest : [...rest, ...tooWide].sort((a, b) => a.entry.number - b.entry.number)
  const unguarded = branch(others, used, budget)
  return {
    first: places[0]?.entry.number ?? Number.POSITIVE_INFINITY,
    acts: undefined,
    search: others.length === 0 ? search : (request, before) => search(request, enter(unguarded, request, before)),
  }
}

/** The guard that leaves the fewest rules to be asked where it helps least; of equals, the one that keeps most of them away. */
function bestGuard(places: readonly Place[], used: ReadonlySet<Guard['id']>, budget: Budget): Guard['id'] | undefined {
  const counts = new Map<Guard['id'], { guarded: number; largest: number; readonly byKey: Map<Scalar, number> }>()
  for (const place of places) {
    budget.left -= 1 + place.guards.length
    for (const guard of place.guards) {
      if (used.has(guard.id) || !fits(place, guard)) continue
      let count = counts.get(guard.id)
      if (count === undefined) counts.set(guard.id, (count = { guarded: 0, largest: 0, byKey: new Map() }))
      count.guarded++
      for (const key of guard.keys) {
        // Of ranges all may hold the same number.
        if (typeof key === 'object') count.largest = count.guarded
        else {
          const size = (count.byKey.get(key) ?? 0) + 1
          count.byKey.set(key, size)
          if (size > count.largest) count.largest = size
        }
      }
    }
  }
  let best: { readonly id: Guard['id']; readonly left: number; readonly guarded: number } | undefined
  for (const [id, { guarded, largest }] of counts) {
    if (guarded <= leafSize) continue
    const left = places.length - guarded + largest
    if (best === undefined || left < best.left || (left === best.left && guarded > best.guarded))
      best = { id, left, guarded }
  }
  return best?.id
}

/** The guard of that name, where as many copies as it needs may be made. */
function guardOf(place: Place, id: Guard['id']): Guard | undefined {
  const guard = place.guards.find((one) => one.id === id)
  return guard !== undefined && fits(place, guard) ? guard : undefined
}

function fits({ copies, entry }: Place, { keys }: Guard): boolean {
  return keys.size + (entry.rule.effect === 'deny' ? 1 : 0) <= copies
}
