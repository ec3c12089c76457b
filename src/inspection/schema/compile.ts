import { Ajv2020, MissingRefError, type ValidateFunction } from 'ajv/dist/2020.js'
import formatLimit from 'ajv-formats/dist/limit.js'
import { Effort, Overrun } from './effort.ts'
import { errorsBound } from './errors-bound.ts'
import { explain, explainFirst } from './explain.ts'
import { formats } from './formats.ts'
import { multipleOf } from './multiple-of.ts'
import { compilePattern, type Pattern, PatternProblem } from './pattern.ts'
import { unevaluatedProperties } from './unevaluated.ts'
import { unions } from './unions.ts'
import { uniqueItems } from './unique-items.ts'
import type { Broken, Violation } from './violation.ts'
import { escapeToken, isObject, SchemaMistake, subschemas, under } from './walk.ts'

/** A JSON Schema 2020-12, as it stands in a configuration. */
export type Schema = Readonly<Record<string, unknown>> | boolean

/** Holds a value against a schema: what it breaks, or undefined. `bytes` is how large it came, and bounds what the check may cost. */
export type Check = (value: unknown, bytes: number) => Broken | undefined

export interface Schemas {
  /** Throws a `SchemaMistake` for what is no schema, or uses what is not known here. */
  compile(schema: Schema): Check
  /** The schema that a reference leads to, where it leads to a shared one: `Task`, `Task#/properties/title`. */
  resolve(reference: string, within: Schema): Schema | undefined
}

export interface SchemaOptions {
  /** Schemas that others may refer to by name: `{ "$ref": "Task" }`. */
  readonly shared?: Readonly<Record<string, Schema>>
  /** Whether `properties` may stand without `type: 'object'`, and `minLength` without `type: 'string'`, as the standard has it. */
  readonly typesOptional?: boolean
}

/**
 * Compiles JSON Schemas (2020-12), all of them with one set-up. What is not known, a keyword or a format, is a mistake: a check
 * that does nothing is none. Beyond the standard, as Ajv has them: `formatMinimum` and its kin for dates and times, and
 * `{ "$data": "1/start_date" }` in the place of a value, for what another field of the value says.
 */
export function openSchemas({ shared = {}, typesOptional = false }: SchemaOptions = {}): Schemas {
  const effort = new Effort()
  const fast = ajvWith({ effort, typesOptional, telling: false })
  const telling = ajvWith({ effort, typesOptional, telling: true })
  for (const [name, schema] of Object.entries(shared)) {
    const own = within(name, () => prepare(schema, fast))
    fast.addSchema(own, name)
    telling.addSchema(bounded(own), name)
  }
  for (const name of Object.keys(shared))
    within(name, () => compileWith(fast, () => fast.getSchema(name), shared[name]))

  return {
    compile(schema) {
      const own = prepare(schema, fast)
      const fits = compiled(fast, own, schema)
      let tell: ValidateFunction | undefined // many schemas are never broken, and this is the larger half of the work
      return (value, bytes) =>
        check(fits, () => (tell ??= compiled(telling, bounded(own), schema)), effort, value, bytes)
    },
    resolve: (reference, schema) => resolve(reference, schema, shared),
  }
}

function compiled(ajv: Ajv2020, own: Schema, schema: Schema): ValidateFunction {
  const validate = compileWith(ajv, () => ajv.compile(own), schema)
  if (isObject(own)) ajv.removeSchema(own) // else it is remembered for as long as the shared ones
  return validate
}

/**
 * Most values fit, and the check that stops at the first mistake finds that out. Only of a value that does not, and that is small
 * enough for it, all that is wrong is asked for: an array of 100,000 wrong items is one mistake too.
 */
function check(
  fits: ValidateFunction,
  telling: () => ValidateFunction,
  effort: Effort,
  value: unknown,
  bytes: number,
): Broken | undefined {
  try {
    effort.begin(bytes)
    if (fits(value)) return undefined
    if (bytes <= toldWhole) {
      const tell = telling()
      effort.beginTelling(bytes)
      if (!tell(value)) return explained(tell)
    }
    return explainFirst(fits.errors ?? [])
  } catch (error) {
    if (!(error instanceof Overrun || error instanceof RangeError)) throw error // the stack ends where a schema asks itself for ever
    if (fits.errors === null || fits.errors === undefined) return tooLong
    return explainFirst(fits.errors)
  } finally {
    fits.errors = null // they hold on to the value, and are of this one alone
  }
}

function explained(tell: ValidateFunction): Broken {
  const broken = explain(tell.errors ?? [])
  tell.errors = null // they hold on to the value
  return broken
}

/** Of a larger value, in bytes, only the first mistake is told. */
const toldWhole = 16_384

const tooLong: Broken = {
  violations: [{ path: [], message: 'takes too long to check: send less, or less deep' }],
  more: 0,
}

function ajvWith({
  effort,
  typesOptional,
  telling,
}: {
  readonly effort: Effort
  readonly typesOptional: boolean
  readonly telling: boolean
}): Ajv2020 {
  const ajv = new Ajv2020({
    $data: true,
    allErrors: telling,
    verbose: true, // messages tell how long a text is, and which field a bound is left to
    messages: false,
    strict: true,
    strictRequired: false,
    strictTypes: !typesOptional,
    strictTuples: !typesOptional,
    allowUnionTypes: true,
    ownProperties: true, // `constructor` is there in every object, and in none that was sent
    logger: false,
    validateSchema: false, // that is done once, for our own copy
    code: { regExp: Object.assign((source: string) => metered(source, effort), { code: 'pattern' }) },
  })
  for (const [name, { ajv: format }] of Object.entries(formats)) ajv.addFormat(name, format)
  formatLimit.default(ajv)
  for (const name of ['$anchor', ...Object.keys(annotations)]) ajv.addKeyword(name)
  const ours = [uniqueItems(), multipleOf, unevaluatedProperties, ...(telling ? unions : [])]
  for (const definition of ours) {
    ajv.removeKeyword(definition.keyword as string)
    ajv.addKeyword(definition)
  }
  if (telling) ajv.addKeyword(errorsBound(errorsKeyword))
  ajv.addKeyword({
    keyword: effortKeyword,
    before: '$ref',
    validate: (_: unknown, value: unknown) => {
      effort.spend(256 + effort.sizeOf(value))
      return true
    },
  })
  return ajv
}

/** Stands beside each reference in our copy of a schema. */
const effortKeyword = 'x-effort'

/** Stands in each schema of the copy that all that is wrong is asked of. */
const errorsKeyword = 'x-errors'

function bounded(own: Schema): Schema {
  const copy = structuredClone(own)
  for (const { schema } of subschemas(copy)) schema[errorsKeyword] = true
  return copy
}

/** What a schema may say for other parts of the house, and which words it has for it; undefined: whichever it likes. */
export const annotations: Readonly<Record<string, readonly string[] | undefined>> = {
  'x-role': ['prose', 'identifier'],
  'x-sanitise': undefined,
  'x-style': ['repeated', 'comma', 'space', 'pipe', 'deep', 'json'],
}

/** A state costs some 20 ns a character, and no text is in more states than a few for each of its characters. */
function metered(source: string, effort: Effort): { test(text: string): boolean; exec(text: string): null } {
  const pattern: Pattern = compilePattern(source)
  return {
    test(text) {
      effort.spend(text.length * Math.min(pattern.size, 8 + 4 * text.length))
      return pattern.test(text)
    },
    exec: () => null,
    toString: () => `/${source}/u`, // Ajv tells patterns apart by it
  } as { test(text: string): boolean; exec(text: string): null }
}

/** Our own copy of a schema, once everything in it is known. */
function prepare(schema: Schema, ajv: Ajv2020): Schema {
  if (typeof schema === 'boolean') return schema
  if (!isObject(schema)) throw new SchemaMistake('', 'expected a schema')
  for (const { schema: sub, pointer } of subschemas(schema)) {
    for (const [keyword, value] of Object.entries(sub)) {
      const problem = problemOf(keyword, value, ajv)
      if (problem !== undefined)
        throw new SchemaMistake(`${pointer}/${escapeToken(keyword)}${problem.below}`, problem.text)
    }
  }
  const [first] = againstStandard(schema)
  if (first !== undefined) {
    throw new SchemaMistake(
      first.path.map((step) => `/${escapeToken(step)}`).join(''),
      `expected another value: it ${first.message}`,
    )
  }
  const own = structuredClone(schema) as Record<string, unknown>
  for (const { schema: sub } of subschemas(own)) if ('$ref' in sub || '$dynamicRef' in sub) sub[effortKeyword] = true
  return own
}

/** What breaks the standard's own schema, which takes long to compile and is the same for all. */
function againstStandard(schema: Readonly<Record<string, unknown>>): readonly Violation[] {
  standard ??= ajvWith({ effort: new Effort(Number.POSITIVE_INFINITY), typesOptional: true, telling: false })
  const valid = standard.validateSchema(schema) === true
  const { violations } = explain(standard.errors ?? [])
  standard.errors = null
  return valid ? [] : violations
}

let standard: Ajv2020 | undefined

interface Problem {
  readonly text: string
  /** Where below the keyword. */
  readonly below: string
}

/** What is wrong with one keyword of a schema, other than that its value is none that the standard knows. */
function problemOf(keyword: string, value: unknown, ajv: Ajv2020): Problem | undefined {
  if (keyword === '$async') return here('expected no `$async`: a check answers at once')
  if (keyword === effortKeyword || ajv.RULES.keywords[keyword] !== true)
    return here(`expected a keyword of JSON Schema, got \`${keyword.slice(0, 60)}\``)
  const words = annotations[keyword]
  if (words !== undefined && !words.includes(value as string))
    return here(`expected ${words.map((word) => `\`${word}\``).join(' or ')}`)
  switch (keyword) {
    case '$schema':
      return value === dialect || value === `${dialect}#` ? undefined : here(`expected \`${dialect}\``)
    case 'format':
      return typeof value === 'string' && Object.hasOwn(formats, value)
        ? undefined
        : here(
            `expected a format that is known here${typeof value === 'string' ? `, got \`${value.slice(0, 60)}\`` : ''}`,
          )
    case 'pattern':
      return isObject(value)
        ? here('expected a text: nobody but the schema says what is matched')
        : problemOfPattern(value)
    case 'patternProperties':
      for (const source of Object.keys(isObject(value) ? value : {})) {
        const problem = problemOfPattern(source)
        if (problem !== undefined) return { ...problem, below: `/${escapeToken(source)}` }
      }
      return undefined
    case 'properties':
      return isObject(value) && Object.hasOwn(value, '__proto__')
        ? { text: 'expected another name: this one is nowhere a field', below: '/__proto__' }
        : undefined
    default:
      return undefined
  }
}

const dialect = 'https://json-schema.org/draft/2020-12/schema'

function here(text: string): Problem {
  return { text, below: '' }
}

function problemOfPattern(source: unknown): Problem | undefined {
  if (typeof source !== 'string') return undefined // the standard's own schema says so
  try {
    compilePattern(source)
    return undefined
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error
    return here(`expected a pattern that is matched in linear time: ${error.message}`)
  }
}

/** Ajv's own complaints, at their place. */
function compileWith<T>(ajv: Ajv2020, compile: () => T, schema: Schema | undefined): T {
  try {
    return compile()
  } catch (error) {
    const message = (error as Error).message
    if (error instanceof MissingRefError) {
      const pointer = [...subschemas(schema)].find(({ schema: sub }) => {
        const reference = sub['$ref'] ?? sub['$dynamicRef']
        return typeof reference === 'string' && error.missingRef.endsWith(reference)
      })?.pointer
      throw new SchemaMistake(
        pointer === undefined ? '' : `${pointer}/$ref`,
        `expected a reference into this schema or to a shared one, got \`${error.missingRef.slice(0, 100)}\``,
        error,
      )
    }
    const [, place] = /at (?:path )?"#?([^"]*)"/.exec(message) ?? []
    throw new SchemaMistake(
      place ?? '',
      message.replace(/^strict mode: /, '').replace(/ (?:in schema )?at (?:path )?".*$/, ''),
      error,
    )
  } finally {
    ajv.errors = null
  }
}

/** A mistake within a shared schema, told with its name. */
function within<T>(name: string, act: () => T): T {
  const pointer = `/${escapeToken(name)}`
  if (!/^[A-Za-z][A-Za-z0-9._:/-]{0,199}$/.test(name))
    throw new SchemaMistake(pointer, 'expected a name of letters, digits, `.`, `_` and `-`')
  return under(pointer, act)
}

/** `#/$defs/x`, `Task`, `Task#/properties/title`. What else a reference may say, Ajv knows and we do not ask. */
function resolve(reference: string, schema: Schema, shared: Readonly<Record<string, Schema>>): Schema | undefined {
  const [name = '', fragment = ''] = reference.split('#', 2)
  let at: unknown = name === '' ? schema : Object.hasOwn(shared, name) ? shared[name] : undefined
  if (fragment !== '' && !fragment.startsWith('/')) return undefined
  for (const step of decodeURIComponent(fragment).split('/').slice(1)) {
    const token = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, token)) return undefined
    at = (at as Record<string, unknown>)[token]
  }
  return isObject(at) || typeof at === 'boolean' ? at : undefined
}
