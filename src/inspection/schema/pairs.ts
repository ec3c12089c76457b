import { parseStrict } from '../../kernel/json.ts'
import type { Check } from './compile.ts'
import { type Broken, type Violation, violationsMax } from './violation.ts'
import { ambiguous, type Preference, type Style, typed, type Wire } from './wire.ts'

/** Names and values, as they came, in order. */
export type Pairs = readonly (readonly [name: string, value: string])[]

/** Names and values that fit a schema together, as what they stand for there, or what they break. */
export type Judged = { readonly value: Readonly<Record<string, unknown>> } | { readonly broken: Broken }

/** Holds pairs against the schema of an object of them. A text that has two readings, `12`, fits where one of them does. */
export function judgePairs(pairs: Pairs, wire: Wire, check: Check, style: Style | 'header'): Judged {
  const bytes = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  const { value, violations } = assemble(pairs, wire, style, 'typed')
  if (violations.length > 0)
    return {
      broken: { violations: violations.slice(0, violationsMax), more: Math.max(0, violations.length - violationsMax) },
    }
  const broken = check(value, bytes)
  if (broken === undefined) return { value }
  if (!ambiguous(wire)) return { broken }
  const other = assemble(pairs, wire, style, 'text')
  return check(other.value, bytes) === undefined ? { value: other.value } : { broken }
}

/**
 * The object that pairs stand for, by what the schema expects under each name. A name that comes twice without being a list is
 * a violation: one reader takes the first, another the last.
 */
function assemble(
  pairs: Pairs,
  wire: Wire,
  usual: Style | 'header',
  preference: Preference,
): { readonly value: Readonly<Record<string, unknown>>; readonly violations: readonly Violation[] } {
  const values = new Map<string, string[]>()
  const deep = new Map<string, Map<string, string[]>>()
  for (const [name, value] of pairs) {
    const inner = /^([^[\]]{1,256})\[([^[\]]{1,256})\]$/.exec(name)
    const object = inner === null ? undefined : wire.properties.get(inner[1] as string)
    if (inner !== null && object?.style === 'deep') {
      const members = deep.get(inner[1] as string) ?? new Map<string, string[]>()
      deep.set(inner[1] as string, members)
      push(members, inner[2] as string, value)
    } else {
      push(values, name, value)
    }
  }
  const violations: Violation[] = []
  const value: Record<string, unknown> = Object.create(null) // `__proto__` is a name like any other
  for (const [name, texts] of values) value[name] = oneOf([name], texts, wireOf(wire, name))
  for (const [name, members] of deep) {
    const object: Record<string, unknown> = Object.create(null)
    for (const [member, texts] of members)
      object[member] = oneOf([name, member], texts, wireOf(wire.properties.get(name), member))
    value[name] = object
  }
  return { value, violations }

  function oneOf(path: readonly string[], texts: readonly string[], expected: Wire | undefined): unknown {
    if (expected === undefined) return texts.length === 1 ? texts[0] : texts
    const isHeader = usual === 'header'
    const style = expected.style ?? (isHeader ? 'comma' : usual)
    const list = expected.types.has('array')
    const [first = ''] = texts
    if (isHeader && list && style === 'comma')
      return listOf(texts).map((text) => typed(text, expected.items ?? anything, preference))
    if (list && style === 'repeated') return texts.map((text) => typed(text, expected.items ?? anything, preference))
    if (texts.length > 1) {
      violations.push({
        path,
        message: `is given ${texts.length} times, and is no list: two readers would take two values`,
      })
      return first
    }
    if (style === 'json') {
      const read = parseStrict(first)
      if ('value' in read) return read.value
      violations.push({ path, message: 'must be JSON' })
      return undefined
    }
    const separator = separators[style]
    if (list && separator !== undefined)
      return first.split(separator).map((text) => typed(text, expected.items ?? anything, preference))
    return typed(first, expected, preference)
  }
}

function wireOf(wire: Wire | undefined, name: string): Wire | undefined {
  return wire?.properties.get(name) ?? wire?.others
}

/** A list in fields of a header: several of them are one, and white space stands around its items as it likes (RFC 9110 §5.3, §5.6.1). */
function listOf(fields: readonly string[]): readonly string[] {
  return fields
    .flatMap((field) => field.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const separators: Readonly<Record<Style, string | undefined>> = {
  comma: ',',
  space: ' ',
  pipe: '|',
  repeated: undefined,
  deep: undefined,
  json: undefined,
}

const anything: Wire = {
  types: new Set(),
  items: undefined,
  properties: new Map(),
  others: undefined,
  style: undefined,
  file: false,
}

function push(map: Map<string, string[]>, name: string, value: string): void {
  const values = map.get(name)
  if (values === undefined) map.set(name, [value])
  else values.push(value)
}
