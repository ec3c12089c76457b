import type { Attribute } from './attribute.ts'
import type { Condition, Scalar } from './condition.ts'

/**
 * What a condition demands of one attribute: where its value is of the type, and none of the keys, the condition fails
 * whatever else the request says.
 */
export interface Guard {
  /** The same for guards that one look at the request answers. */
  readonly id: string
  readonly attribute: Attribute
  readonly type: 'string' | 'number' | 'boolean'
  readonly keys: ReadonlySet<Scalar>
  /** The condition that holds wherever the value is one of the keys, so that it need not be asked again. */
  readonly settles: Condition | undefined
}

/** At most one guard for each attribute and type. */
export function guardsOf(condition: Condition): readonly Guard[] {
  switch (condition.operator) {
    case 'equals':
      // Which lists are equal is no matter of one key.
      return condition.value.kind === 'literal' ? [guard(condition, condition.value.value)] : []
    case 'in':
      return condition.value.kind === 'list' ? [guard(condition, ...condition.value.items)] : []
    case 'contains':
      // Of an attribute that may be a text, a part may be meant.
      return condition.value.kind === 'literal' && condition.attribute.type === 'list'
        ? [guard(condition, condition.value.value)]
        : []
    case 'all':
      return strictest(condition.conditions.flatMap(guardsOf))
    case 'any':
      return shared(condition.conditions.map(guardsOf))
    default:
      return []
  }
}

/** What is left to be asked once a part of the condition is known to hold; undefined where nothing is. */
export function without(condition: Condition, settled: Condition): Condition | undefined {
  if (condition === settled) return undefined
  if (condition.operator !== 'all') return condition
  const conditions = condition.conditions.map((one) => without(one, settled)).filter((one) => one !== undefined)
  return conditions.length > 1 ? { operator: 'all', conditions } : conditions[0]
}

function guard(settles: Condition & { attribute: Attribute }, ...keys: readonly [Scalar, ...Scalar[]]): Guard {
  const { attribute } = settles
  const type = typeof keys[0] as Guard['type']
  return { id: `${attribute.path} ${type}`, attribute, type, keys: new Set(keys), settles }
}

/** Each of them has to be met: of two for one attribute, the one with fewer keys says more. */
function strictest(guards: readonly Guard[]): readonly Guard[] {
  const byId = new Map<string, Guard>()
  for (const one of guards) {
    const other = byId.get(one.id)
    if (other === undefined || one.keys.size < other.keys.size) byId.set(one.id, one)
  }
  return [...byId.values()]
}

/** One of them has to be met: only what all of them ask about guards the whole. */
function shared([first = [], ...others]: readonly (readonly Guard[])[]): readonly Guard[] {
  return first.flatMap((one) => {
    const keys = new Set(one.keys)
    for (const guards of others) {
      const same = guards.find(({ id }) => id === one.id)
      if (same === undefined) return []
      for (const key of same.keys) keys.add(key)
    }
    return [{ ...one, keys, settles: undefined }]
  })
}
