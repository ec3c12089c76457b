import { type AttributeType, looksLikePath, parseAttribute } from './attribute.ts'
import { isScalar } from './compare.ts'
import type { Operand, Scalar } from './condition.ts'
import { below, type Mistakes, readFields, shown } from './mistakes.ts'

export type OperandType = 'text' | 'number' | 'boolean' | 'list'

const textLengthMax = 1_000

/**
 * Reads what an attribute is compared with. `{ "ref": "resource.owner_id" }` is that attribute, and so is a text that begins
 * with the name of a group and a dot, as the rules of AI Assistant have it; `{ "text": "resource.owner_id" }` is the text.
 */
export function readOperand(
  value: unknown,
  fitting: readonly OperandType[],
  itemType: OperandType | undefined,
  path: string,
  mistakes: Mistakes,
  listItemsMax: number,
): Operand | undefined {
  if (typeof value === 'string' && looksLikePath(value)) return reference(value, path)
  if (isObject(value) && 'ref' in value) {
    const ref = readFields(value, ['ref'], path, mistakes)?.['ref']
    return typeof ref === 'string'
      ? reference(ref, below(path, 'ref'))
      : mistakes.add(below(path, 'ref'), `expected an attribute, got ${shown(ref)}`)
  }
  if (Array.isArray(value)) return fitting.includes('list') ? list(value) : unfit(value)
  const literal = scalar(value, path, mistakes)
  if (literal === undefined) return undefined
  return fitting.includes(typeOf(literal)) ? { kind: 'literal', value: literal } : unfit(value)

  function reference(text: string, at: string): Operand | undefined {
    const attribute = parseAttribute(text)
    if (typeof attribute === 'string')
      return mistakes.add(at, `${attribute}; the text itself is written { "text": "…" }`)
    if (attribute.type === 'unknown' || fitting.some((type) => type === attribute.type))
      return { kind: 'reference', attribute }
    const instead = attribute.type === 'role' ? 'the list `subject.roles`, with `in`' : phrase(fitting)
    return mistakes.add(at, `expected ${instead}, got \`${text}\`, which is a ${typeName(attribute.type)}`)
  }

  function list(items: readonly unknown[]): Operand | undefined {
    if (items.length === 0 || items.length > listItemsMax)
      return mistakes.add(path, `expected a list of 1 to ${listItemsMax} items, got ${items.length}`)
    const read: Scalar[] = []
    for (let at = 0; at < items.length; at++) {
      const [item, where] = [items[at], `${path}[${at}]`]
      if (Array.isArray(item) || (isObject(item) && 'ref' in item) || (typeof item === 'string' && looksLikePath(item)))
        mistakes.add(where, `expected a value, got ${shown(item)}: ask for an attribute beside the list, with \`any\``)
      else {
        const literal = scalar(item, where, mistakes)
        if (literal === undefined) continue
        const type = itemType ?? typeOf(read[0] ?? literal)
        if (typeOf(literal) === type) read.push(literal)
        else mistakes.add(where, `expected a ${type} like the rest of the list, got ${shown(item)}`)
      }
    }
    const [first, ...rest] = read
    return first === undefined ? undefined : { kind: 'list', items: [first, ...rest] }
  }

  function unfit(got: unknown): undefined {
    return mistakes.add(path, `expected ${phrase(fitting)} or a reference, got ${shown(got)}`)
  }
}

/** A text, a number, a boolean, or `{ "text": … }`. */
function scalar(value: unknown, path: string, mistakes: Mistakes): Scalar | undefined {
  if (isObject(value) && 'text' in value && !Array.isArray(value)) {
    const text = readFields(value, ['text'], path, mistakes)?.['text']
    return typeof text === 'string'
      ? bounded(text, below(path, 'text'))
      : mistakes.add(below(path, 'text'), `expected a text, got ${shown(text)}`)
  }
  if (typeof value === 'string') return bounded(value, path)
  if (isScalar(value) && value !== Number.POSITIVE_INFINITY && value !== Number.NEGATIVE_INFINITY) return value
  return mistakes.add(path, `expected a text, a number, a boolean, a list or a reference, got ${shown(value)}`)

  function bounded(text: string, at: string): string | undefined {
    if (text.length <= textLengthMax) return text
    return mistakes.add(at, `expected at most ${textLengthMax} characters, got ${text.length}`)
  }
}

function typeOf(value: Scalar): OperandType {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean'
}

function phrase(fitting: readonly OperandType[]): string {
  return fitting.map((type) => `a ${type}`).join(' or ')
}

function typeName(type: AttributeType): string {
  return type === 'time-of-day' ? 'time of day' : type
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
