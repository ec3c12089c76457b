import { parseCidr } from '../../kernel/ip.ts'
import { type Attribute, type AttributeType, parseAttribute } from './attribute.ts'
import type { Comparison, Condition } from './condition.ts'
import { below, type Fields, type Mistakes, readFields, shown } from './mistakes.ts'
import { type OperandType, readOperand } from './read-operand.ts'
import { isZone, minuteOfDay } from './time-of-day.ts'

/** What each comparison may be asked of, and with what its attribute is compared then. */
// biome-ignore format: a table
const comparisons: Readonly<Record<Comparison, Partial<Record<AttributeType, readonly OperandType[]>>>> = {
  equals:       { text: ['text'], role: ['text'], number: ['number'], boolean: ['boolean'], list: ['list'], unknown: ['text', 'number', 'boolean', 'list'] },
  not_equals:   { text: ['text'], role: ['text'], number: ['number'], boolean: ['boolean'], list: ['list'], unknown: ['text', 'number', 'boolean', 'list'] },
  in:           { text: ['list'], role: ['list'], number: ['list'], boolean: ['list'], unknown: ['list'] },
  contains:     { text: ['text'], list: ['text'], unknown: ['text', 'number', 'boolean'] },
  greater_than: { number: ['number'], unknown: ['number'] },
  less_than:    { number: ['number'], unknown: ['number'] },
  starts_with:  { text: ['text'], role: ['text'], unknown: ['text'] },
}

/** What the items of a list have to be, where the attribute's type is known. */
const itemTypes: Partial<Record<AttributeType, 'text' | 'number' | 'boolean'>> = {
  text: 'text',
  role: 'text',
  list: 'text',
  number: 'number',
  boolean: 'boolean',
}

const operators = [...Object.keys(comparisons), 'exists', 'between', 'in_network']
const groups = ['all', 'any', 'not'] as const

const depthMax = 16
const conditionsMax = 100_000
const listItemsMax = 10_000
const itemsMax = 250_000
const searchesMax = 1_000

/** Reads the conditions of one document; what is bounded is bounded over all of them. */
export class ConditionReader {
  readonly #mistakes: Mistakes
  readonly #attributes = new Map<string, Attribute | string>()
  #conditions = 0
  #items = 0
  #searches = 0

  constructor(mistakes: Mistakes) {
    this.#mistakes = mistakes
  }

  read(value: unknown, path: string, depth = 1): Condition | undefined {
    if (depth > depthMax) return this.#mistakes.add(path, `expected at most ${depthMax} levels, got one more`)
    if (++this.#conditions === conditionsMax + 1)
      this.#mistakes.add(path, `expected at most ${conditionsMax} conditions in all rules, got one more`)
    if (this.#conditions > conditionsMax) return undefined
    const group = groups.find((name) => typeof value === 'object' && value !== null && Object.hasOwn(value, name))
    if (group !== undefined) return this.#group(value, group, path, depth)
    const allowed = ['operator', 'attribute', 'value', ...(isObject(value) && 'zone' in value ? ['zone'] : [])]
    const fields = readFields(value, allowed, path, this.#mistakes)
    return fields === undefined ? undefined : this.#plain(fields, path)
  }

  #group(value: unknown, group: (typeof groups)[number], path: string, depth: number): Condition | undefined {
    const fields = readFields(value, [group], path, this.#mistakes)
    if (fields === undefined) return undefined
    const [inner, at] = [fields[group], below(path, group)]
    if (group === 'not') {
      const condition = this.read(inner, at, depth + 1)
      return condition === undefined ? undefined : { operator: 'not', condition }
    }
    // All of nothing would hold for everybody.
    if (!Array.isArray(inner) || inner.length === 0)
      return this.#mistakes.add(
        at,
        `expected a list of conditions, got ${Array.isArray(inner) ? 'none' : shown(inner)}`,
      )
    const conditions: (Condition | undefined)[] = []
    for (let index = 0; index < inner.length && this.#conditions <= conditionsMax; index++)
      conditions.push(this.read(inner[index], `${at}[${index}]`, depth + 1))
    return { operator: group, conditions: conditions.filter((condition) => condition !== undefined) }
  }

  #plain(fields: Fields, path: string): Condition | undefined {
    const { operator } = fields
    if (typeof operator !== 'string' || !operators.includes(operator))
      this.#mistakes.add(
        below(path, 'operator'),
        `expected ${operators.map((name) => `\`${name}\``).join(', ')}, or \`all\`, \`any\`, \`not\` in place of the condition, got ${shown(operator)}`,
      )
    const attribute = this.#attribute(fields['attribute'], below(path, 'attribute'))
    if (fields['zone'] !== undefined && operator !== 'between')
      this.#mistakes.add(below(path, 'zone'), 'expected a zone beside `between` alone')
    if (attribute === undefined || typeof operator !== 'string') return undefined
    if (operator === 'exists') return this.#exists(attribute, fields['value'], path)
    if (operator === 'between') return this.#between(attribute, fields, path)
    if (operator === 'in_network') return this.#inNetwork(attribute, fields['value'], path)
    return isComparison(operator) ? this.#comparison(operator, attribute, fields['value'], path) : undefined
  }

  #attribute(value: unknown, path: string): Attribute | undefined {
    if (typeof value !== 'string') return this.#mistakes.add(path, `expected an attribute, got ${shown(value)}`)
    const attribute = this.#attributes.get(value) ?? parseAttribute(value)
    this.#attributes.set(value, attribute)
    return typeof attribute === 'string' ? this.#mistakes.add(path, attribute) : attribute
  }

  #exists(attribute: Attribute, value: unknown, path: string): Condition | undefined {
    if (attribute.type === 'time-of-day') return this.#unfit('exists', attribute, path)
    if (value !== undefined && typeof value !== 'boolean')
      return this.#mistakes.add(below(path, 'value'), `expected \`true\`, \`false\` or nothing, got ${shown(value)}`)
    return { operator: 'exists', attribute, expected: value ?? true }
  }

  #comparison(operator: Comparison, attribute: Attribute, value: unknown, path: string): Condition | undefined {
    const fitting = comparisons[operator][attribute.type]
    if (fitting === undefined) return this.#unfit(operator, attribute, path)
    const at = below(path, 'value')
    const operand = readOperand(value, fitting, itemTypes[attribute.type], at, this.#mistakes, listItemsMax)
    if (operand === undefined) return undefined
    if (operand.kind === 'reference' && operand.attribute.path === attribute.path)
      return this.#mistakes.add(at, `expected another attribute, got \`${attribute.path}\` itself`)
    if ((operator === 'contains' || operator === 'starts_with') && operand.kind === 'literal' && operand.value === '')
      return this.#mistakes.add(at, 'expected a text, got an empty one')
    if (operand.kind === 'list' && !this.#counted(operand.items.length, at)) return undefined
    // Where a text is looked through, the caller chooses how long it is: a header has 16 KB.
    if (operator === 'contains' && attribute.type === 'text' && ++this.#searches > searchesMax)
      return this.#searches === searchesMax + 1
        ? this.#mistakes.add(path, `expected at most ${searchesMax} conditions that look through a text, got one more`)
        : undefined
    return { operator, attribute, value: operand }
  }

  #between(attribute: Attribute, { value, zone = 'UTC' }: Fields, path: string): Condition | undefined {
    if (attribute.type !== 'time-of-day') return this.#unfit('between', attribute, path)
    if (typeof zone !== 'string' || !isZone(zone))
      this.#mistakes.add(below(path, 'zone'), `expected a time zone such as \`Europe/Berlin\`, got ${shown(zone)}`)
    const at = below(path, 'value')
    const [from, to] = Array.isArray(value) && value.length === 2 ? value.map(minuteOf) : []
    if (from === undefined || to === undefined || from === minutesOfDay)
      return this.#mistakes.add(at, 'expected two times of day such as `["09:00", "17:00"]`')
    if (from === to) return this.#mistakes.add(at, 'expected two times that differ')
    return { operator: 'between', attribute, span: { fromMinute: from, toMinute: to }, zone: String(zone) }
  }

  #inNetwork(attribute: Attribute, value: unknown, path: string): Condition | undefined {
    if (attribute.type !== 'text' && attribute.type !== 'unknown') return this.#unfit('in_network', attribute, path)
    const at = below(path, 'value')
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (list.length === 0 || list.length > listItemsMax)
      return this.#mistakes.add(at, `expected 1 to ${listItemsMax} networks, got ${list.length}`)
    if (!this.#counted(list.length, at)) return undefined
    for (const [index, network] of list.entries()) {
      if (typeof network !== 'string' || parseCidr(network) === undefined)
        this.#mistakes.add(
          Array.isArray(value) ? `${at}[${index}]` : at,
          `expected a network such as \`10.0.0.0/8\`, got ${shown(network)}`,
        )
    }
    return { operator: 'in_network', attribute, networks: list.filter((network) => typeof network === 'string') }
  }

  #unfit(operator: string, { path: name, type }: Attribute, path: string): undefined {
    const advice = type === 'time-of-day' ? '`between`' : operatorsOf(type)
    return this.#mistakes.add(
      below(path, 'operator'),
      `expected ${advice} for \`${name}\`, which is a ${typeNames[type]}, got \`${operator}\``,
    )
  }

  #counted(items: number, path: string): boolean {
    this.#items += items
    if (this.#items <= itemsMax) return true
    if (this.#items - items <= itemsMax)
      this.#mistakes.add(path, `expected at most ${itemsMax} items in all lists, got more`)
    return false
  }
}

const minutesOfDay = 24 * 60

function minuteOf(value: unknown): number | undefined {
  return typeof value === 'string' ? minuteOfDay(value) : undefined
}

function operatorsOf(type: AttributeType): string {
  const fitting = Object.entries(comparisons).flatMap(([operator, row]) => (row[type] === undefined ? [] : [operator]))
  return [...fitting, 'exists', ...(type === 'text' ? ['in_network'] : [])].map((name) => `\`${name}\``).join(', ')
}

const typeNames: Readonly<Record<AttributeType, string>> = {
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  list: 'list',
  role: 'role',
  'time-of-day': 'time of day',
  unknown: 'value of any type',
}

function isComparison(operator: string): operator is Comparison {
  return Object.hasOwn(comparisons, operator)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
