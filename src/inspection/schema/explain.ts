import type { ErrorObject } from 'ajv'
import { formats } from './formats.ts'
import type { UnionParams } from './unions.ts'
import { type Broken, shownName, type Violation, violationsMax } from './violation.ts'
import { isObject, tokensOf } from './walk.ts'

/** What Ajv found, in plain words, each where it stands. Of several forms that a value might have had, the closest speaks. */
export function explain(errors: readonly ErrorObject[]): Broken {
  const found = explainRange(errors, 0, errors.length)
  const violations = found.slice(0, violationsMax).map(({ path, message }) => ({ path, message }))
  return { violations, more: found.length - violations.length }
}

/** The mistake at which a check stopped: its errors say one thing, but for those that the branches of a union left behind. */
export function explainFirst(errors: readonly ErrorObject[]): Broken {
  const last = errors.at(-1)
  return explain(last !== undefined && isUnion(last) ? [last] : errors)
}

function isUnion({ keyword }: ErrorObject): boolean {
  return keyword === 'anyOf' || keyword === 'oneOf'
}

/** A violation, and what would have been right in its place, where that is a short list. */
interface Told extends Violation {
  readonly wanted?: { readonly what: 'type' | 'value'; readonly one: readonly string[] }
}

/** From the last to the first: an error of a union stands after those of its branches, and knows how many they are. */
function explainRange(errors: readonly ErrorObject[], from: number, to: number): Told[] {
  const backwards: Told[] = []
  for (let at = to - 1; at >= from; at--) {
    const error = errors[at] as ErrorObject
    const { keyword } = error
    if (isUnion(error)) {
      const { spans: counts = [], passing = [] } = error.params as Partial<UnionParams>
      let start = at - counts.reduce((sum, count) => sum + count, 0)
      const branches = counts.map((count) => explainRange(errors, start, (start += count)))
      at -= counts.reduce((sum, count) => sum + count, 0)
      backwards.push(...closest(error, branches, passing).reverse())
    } else if (keyword === 'contains') {
      while (at > from && isOfContains(errors[at - 1] as ErrorObject, error)) at--
      backwards.push(tell(error))
    } else if ((keyword === 'if' || keyword === 'propertyNames') && at > from) {
      // what it says has been said by the errors before it
    } else {
      backwards.push(tell(error))
    }
  }
  return backwards.reverse()
}

function isOfContains(error: ErrorObject, contains: ErrorObject): boolean {
  if (!error.instancePath.startsWith(`${contains.instancePath}/`)) return false
  const reference = isObject(contains.schema) ? contains.schema['$ref'] : undefined
  return (
    error.schemaPath.startsWith(`${contains.schemaPath}/`) ||
    (typeof reference === 'string' && error.schemaPath.startsWith(`${reference}/`))
  )
}

/** The branch that a value was most likely meant for, in what it says; where all of them want another type or value, those. */
function closest(error: ErrorObject, branches: readonly Told[][], passing: readonly number[]): Told[] {
  const path = pathOf(error)
  if (passing.length > 1)
    return [{ path, message: `must fit one form only, and fits ${passing.map((index) => index + 1).join(' and ')}` }]
  const told = branches.filter((branch) => branch.length > 0)
  if (told.length === 0)
    return [{ path, message: `must fit one of ${(error.schema as readonly unknown[]).length} forms` }]
  const merged = sameQuestion(told)
  if (merged !== undefined) return [merged]
  return told.reduce((best, branch) => (distance(path, branch) < distance(path, best) ? branch : best))
}

/** Where every branch is wrong first about one thing, its type or a fixed value: all that would have been right. */
function sameQuestion(branches: readonly Told[][]): Told | undefined {
  const firsts = branches.map((branch) => branch.find(({ wanted }) => wanted !== undefined))
  const [first] = firsts
  if (first?.wanted === undefined) return undefined
  const { path, wanted } = first
  const where = path.join('/')
  if (!firsts.every((one) => one?.wanted?.what === wanted.what && one.path.join('/') === where)) return undefined
  const one = [...new Set(firsts.flatMap((told) => told?.wanted?.one ?? []))]
  return { path, message: wanted.what === 'type' ? mustBe(one) : mustBeOneOf(one), wanted: { what: wanted.what, one } }
}

/** A value of another type is far; one with another fixed value, such as that of `kind`, less; else each violation counts. */
function distance(path: readonly string[], branch: readonly Told[]): number {
  let far = branch.length
  for (const { path: at, wanted } of branch) {
    if (wanted?.what === 'type' && at.length === path.length) far += 10_000
    else if (wanted?.what === 'value' && at.length <= path.length + 1) far += 1_000
  }
  return far
}

function tell(error: ErrorObject): Told {
  const path = pathOf(error)
  const { keyword, params } = error as ErrorObject<string, Record<string, unknown>>
  switch (keyword) {
    case 'required':
      return { path: [...path, String(params['missingProperty'])], message: 'is required' }
    case 'dependentRequired':
    case 'dependencies':
      return {
        path: [...path, String(params['missingProperty'])],
        message: `is required where \`${shownName(String(params['property']))}\` is given`,
      }
    case 'additionalProperties':
      return { path: [...path, String(params['additionalProperty'])], message: 'is not a known field' }
    case 'unevaluatedProperties':
      return { path: [...path, String(params['unevaluatedProperty'])], message: 'is not a known field' }
    case 'type': {
      const types = [params['type'] as string | readonly string[]].flat()
      return { path, message: mustBe(types), wanted: { what: 'type', one: types } }
    }
    case 'const':
    case 'enum': {
      const other = referenceOf(error)
      if (other !== undefined)
        return { path, message: keyword === 'const' ? `must be the same as ${other}` : `must be one of ${other}` }
      const one =
        keyword === 'const' ? [written(params['allowedValue'])] : (params['allowedValues'] as unknown[]).map(written)
      return { path, message: mustBeOneOf(one), wanted: { what: 'value', one } }
    }
    default: {
      const message = (words[keyword] ?? (() => 'does not fit'))(error)
      return error.propertyName === undefined
        ? { path, message }
        : { path: [...path, error.propertyName], message: `has a name that ${message}` }
    }
  }
}

function pathOf({ instancePath }: ErrorObject): readonly string[] {
  return tokensOf(instancePath)
}

type Words = (error: ErrorObject<string, Record<string, unknown>>) => string

/** Each keyword that bounds a value, in plain words. */
const words: Readonly<Record<string, Words>> = {
  minLength: (error) => `must have at least ${characters(error)}`,
  maxLength: (error) => `must have at most ${characters(error)}`,
  pattern: ({ params }) => `must match \`${cut(String(params['pattern']))}\``,
  format: ({ params }) =>
    `must be ${formats[String(params['format'])]?.words ?? `of the format \`${cut(String(params['format']))}\``}`,
  formatMinimum: (error) => `must be no earlier than ${limit(error)}`,
  formatExclusiveMinimum: (error) => `must be later than ${limit(error)}`,
  formatMaximum: (error) => `must be no later than ${limit(error)}`,
  formatExclusiveMaximum: (error) => `must be earlier than ${limit(error)}`,
  minimum: (error) => `must be at least ${limit(error)}`,
  exclusiveMinimum: (error) => `must be more than ${limit(error)}`,
  maximum: (error) => `must be at most ${limit(error)}`,
  exclusiveMaximum: (error) => `must be less than ${limit(error)}`,
  multipleOf: (error) => `must be a multiple of ${referenceOf(error) ?? String(error.params['multipleOf'])}`,
  minItems: (error) => `must have at least ${counted(error, 'item')}`,
  maxItems: (error) => `must have at most ${counted(error, 'item')}`,
  items: (error) => `must have at most ${counted(error, 'item')}`,
  additionalItems: (error) => `must have at most ${counted(error, 'item')}`,
  unevaluatedItems: (error) =>
    `must have at most ${counted({ ...error, params: { limit: error.params['len'] } }, 'item')}`,
  minProperties: (error) => `must have at least ${counted(error, 'field')}`,
  maxProperties: (error) => `must have at most ${counted(error, 'field')}`,
  uniqueItems: ({ params }) => `must not hold the same item twice (${String(params['i'])} and ${String(params['j'])})`,
  contains: ({ params }) =>
    params['maxContains'] === undefined
      ? `must have at least ${many(Number(params['minContains']), 'item')} of the form that is asked for`
      : `must have from ${String(params['minContains'])} to ${String(params['maxContains'])} items of the form that is asked for`,
  not: () => 'must not be of the form that is excluded',
  'false schema': () => 'is not allowed here',
  if: () => 'does not fit what its other fields ask for',
  propertyNames: () => 'has a name that does not fit',
}

function characters(error: ErrorObject<string, Record<string, unknown>>): string {
  const other = referenceOf(error)
  let got = 0
  if (typeof error.data === 'string') for (const _ of error.data) got++
  return `${other === undefined ? many(Number(error.params['limit']), 'character') : `as many characters as ${other} says`}, got ${got}`
}

function counted(error: ErrorObject<string, Record<string, unknown>>, what: string): string {
  const other = referenceOf(error)
  const got = Array.isArray(error.data) ? error.data.length : isObject(error.data) ? Object.keys(error.data).length : 0
  return `${other === undefined ? many(Number(error.params['limit']), what) : `as many ${what}s as ${other} says`}, got ${got}`
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** What bounds it: what the schema says, or the field that says it, by name. What the caller wrote there is not repeated. */
function limit(error: ErrorObject<string, Record<string, unknown>>): string {
  return referenceOf(error) ?? cut(String(error.params['limit']))
}

/** The field that a keyword leaves its value to: `{ "$data": "1/start_date" }`. */
function referenceOf({ keyword, parentSchema }: ErrorObject): string | undefined {
  const said: unknown = parentSchema?.[keyword]
  if (!isObject(said) || typeof said['$data'] !== 'string') return undefined
  const name = tokensOf(said['$data'].replace(/^\d{1,9}#?/, '')).join('.')
  return name === '' ? 'its own name' : `\`${cut(name)}\``
}

function mustBe(types: readonly string[]): string {
  const named = types.map((type) => typeWords[type] ?? type)
  const last = named.at(-1) ?? 'of another type'
  return named.length > 1 ? `must be ${named.slice(0, -1).join(', ')} or ${last}` : `must be ${last}`
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  null: 'null',
}

function mustBeOneOf(values: readonly string[]): string {
  if (values.length === 1) return `must be ${values[0]}`
  const more = values.length - valuesTold
  return `must be one of ${values.slice(0, valuesTold).join(', ')}${more > 0 ? `, and ${more} more` : ''}`
}

const valuesTold = 20

/** A value of the schema. */
function written(value: unknown): string {
  return cut(typeof value === 'string' ? value : JSON.stringify(value))
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200).toWellFormed()}…` : text
}
