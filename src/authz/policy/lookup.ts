import { bitsOf } from './address-bits.ts'
import { type Attribute, readerOf } from './attribute.ts'
import { isScalar, requestItemsMax } from './compare.ts'
import type { Scalar } from './condition.ts'
import { testOf } from './evaluate.ts'
import type { Guard, Key, Question } from './guard.ts'
import { intervalTree } from './interval-tree.ts'
import type { AttributeRequest } from './policy.ts'
import { prefixList } from './prefix-list.ts'
import { clockOf } from './time-of-day.ts'

/** Finds the first rule, by its number, that acts on the request and comes before `before`; else it answers `before`. */
export type Search = (request: AttributeRequest, before: number) => number

/** A place of the index: one rule, or a search over several. */
export interface Branch {
  /** The lowest number that is found here. */
  readonly first: number
  /** Whether the only rule acts; undefined where there are more, or where it acts on whatever comes here. */
  readonly acts: ((request: AttributeRequest) => boolean) | undefined
  /** Undefined where there is no more than one rule. */
  readonly search: Search | undefined
}

export const nothing: Branch = { first: Number.POSITIVE_INFINITY, acts: undefined, search: undefined }

export function enter({ first, acts, search }: Branch, request: AttributeRequest, before: number): number {
  if (first >= before) return before
  if (search !== undefined) return search(request, before)
  return acts === undefined || acts(request) ? first : before
}

/** How rules are put apart by one question, and found again. */
export interface Arrangement {
  /** The places at which a rule of that guard stands, without repetition. */
  placesOf(guard: Guard): readonly Scalar[]
  /** Goes to each place that the request leads to; to what is unsettled where it does not say what is asked for. */
  search(at: ReadonlyMap<Scalar, Branch>, unsettled: Branch): Search
}

/** The guards are of one question. */
export function arrangementOf(asks: Question, guards: readonly Guard[]): Arrangement {
  switch (asks.kind) {
    case 'value':
      return { placesOf: keysOf, search: (at, unsettled) => valueSearch(asks.attribute, asks.type, at, unsettled) }
    case 'prefix':
      return {
        placesOf: keysOf,
        search: (at, unsettled) => {
          const find = prefixSearch(at)
          if (asks.attribute.type === 'role') return overTexts(asks.attribute, find, unsettled)
          return ofText(readerOf(asks.attribute), find, unsettled)
        },
      }
    case 'network': {
      const read = readerOf(asks.attribute)
      return {
        placesOf: keysOf,
        search: (at, unsettled) => ofText((request) => bitsOf(read(request)), prefixSearch(at), unsettled),
      }
    }
    case 'number':
      return rangeArrangement(numberOf(readerOf(asks.attribute)), guards)
    case 'clock': {
      const [read, clock] = [readerOf(asks.attribute), clockOf(asks.zone)]
      return rangeArrangement((request) => clock(read(request)), guards)
    }
    case 'truth': {
      const test = testOf(asks.condition)
      return {
        placesOf: keysOf,
        search: (at, unsettled) => {
          const [holding, failing] = [at.get(true) ?? nothing, at.get(false) ?? nothing]
          return (request, before) => {
            const truth = test(request)
            return enter(truth === undefined ? unsettled : truth ? holding : failing, request, before)
          }
        },
      }
    }
    default:
      return asks satisfies never
  }
}

function keysOf({ keys }: Guard): readonly Scalar[] {
  return [...keys].filter(isScalar)
}

/** Searches what one value leads to. */
type Find<T> = (value: T, request: AttributeRequest, before: number) => number

function valueSearch(attribute: Attribute, type: string, at: ReadonlyMap<Scalar, Branch>, unsettled: Branch): Search {
  const read = readerOf(attribute)
  if (attribute.type !== 'role' && attribute.type !== 'list')
    return (request, before) => {
      const value = read(request)
      // NaN, which is a number for JavaScript alone, says nothing.
      const branch = typeof value === type && !Number.isNaN(value) ? at.get(value as Scalar) : unsettled
      return branch === undefined ? before : enter(branch, request, before)
    }
  const find: Find<string> = (value, request, before) => enter(at.get(value) ?? nothing, request, before)
  if (attribute.type === 'role') return overTexts(attribute, find, unsettled)
  const each = overTexts(attribute, find, unsettled)
  return (request, before) => {
    const value = read(request)
    if (!(value instanceof Set) || value.size <= at.size) return each(request, before)
    let first = before
    for (const [key, branch] of at) if (value.has(key)) first = enter(branch, request, first)
    return first
  }
}

function ofText(read: (request: AttributeRequest) => unknown, find: Find<string>, unsettled: Branch): Search {
  return (request, before) => {
    const value = read(request)
    return typeof value === 'string' ? find(value, request, before) : enter(unsettled, request, before)
  }
}

/** Each text of a list, and for a role one by itself. One that is no text leaves the rest undefined: every item is seen. */
function overTexts(attribute: Attribute, find: Find<string>, unsettled: Branch): Search {
  const [read, single] = [readerOf(attribute), attribute.type === 'role']
  return (request, before) => {
    const value = read(request)
    if (typeof value === 'string' && single) return find(value, request, before)
    if (!(value instanceof Set) && (!Array.isArray(value) || value.length > requestItemsMax))
      return enter(unsettled, request, before)
    let first = before
    for (const item of value)
      first = typeof item === 'string' ? find(item, request, first) : enter(unsettled, request, first)
    return first
  }
}

function prefixSearch(at: ReadonlyMap<Scalar, Branch>): Find<string> {
  const list = prefixList([...at.keys()].map(String))
  const branches = list.prefixes.map((prefix) => at.get(prefix) ?? nothing)
  return (text, request, before) => {
    let first = before
    for (let place = list.placeOf(text); place >= 0; place = list.shorter(place))
      first = enter(branches[place] ?? nothing, request, first)
    return first
  }
}

function numberOf(read: (request: AttributeRequest) => unknown) {
  return (request: AttributeRequest): number | undefined => {
    const value = read(request)
    return typeof value === 'number' && !Number.isNaN(value) ? value : undefined
  }
}

function rangeArrangement(
  read: (request: AttributeRequest) => number | undefined,
  guards: readonly Guard[],
): Arrangement {
  const rangesOf = (keys: Iterable<Key>) => [...keys].filter((key) => typeof key === 'object')
  const tree = intervalTree(guards.flatMap(({ keys }) => rangesOf(keys)))
  return {
    placesOf: ({ keys }) => [...new Set(rangesOf(keys).flatMap(tree.nodesOf))],
    search: (at, unsettled) => {
      const branches = Array.from({ length: tree.size }, (_, node) => at.get(node) ?? nothing)
      return (request, before) => {
        const number = read(request)
        if (number === undefined) return enter(unsettled, request, before)
        let first = before
        for (let node = tree.nodeOf(number); node > 0; node >>= 1)
          first = enter(branches[node] ?? nothing, request, first)
        return first
      }
    },
  }
}
