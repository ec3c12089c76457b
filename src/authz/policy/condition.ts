import type { Attribute } from './attribute.ts'

export type Scalar = string | number | boolean

/** What an attribute is compared with. The items of a list are of one type. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly [Scalar, ...Scalar[]] }
  | { readonly kind: 'reference'; readonly attribute: Attribute }

export type Comparison = 'equals' | 'not_equals' | 'in' | 'contains' | 'greater_than' | 'less_than' | 'starts_with'

/** What a rule asks, once read: whatever can be wrong with it has been found. */
export type Condition =
  | { readonly operator: 'all' | 'any'; readonly conditions: readonly Condition[] }
  | { readonly operator: 'not'; readonly condition: Condition }
  | { readonly operator: 'exists'; readonly attribute: Attribute; readonly expected: boolean }
  | { readonly operator: Comparison; readonly attribute: Attribute; readonly value: Operand }
  | { readonly operator: 'between'; readonly attribute: Attribute; readonly span: Span; readonly zone: string }
  | { readonly operator: 'in_network'; readonly attribute: Attribute; readonly networks: readonly string[] }

/** From one minute of the day up to another, which is not in it; past midnight where the second is the smaller. */
export interface Span {
  readonly fromMinute: number
  readonly toMinute: number
}

/** What a condition is made of; undefined where it asks by itself. */
export function innerOf(condition: Condition): readonly Condition[] | undefined {
  if (condition.operator === 'not') return [condition.condition]
  return condition.operator === 'all' || condition.operator === 'any' ? condition.conditions : undefined
}

/** The attributes that it reads, those that lie within it included. */
export function attributesOf(condition: Condition): readonly Attribute[] {
  if (!('attribute' in condition)) return (innerOf(condition) ?? []).flatMap(attributesOf)
  const { attribute } = condition
  const other = 'value' in condition && condition.value.kind === 'reference' ? [condition.value.attribute] : []
  return [attribute, ...other]
}
