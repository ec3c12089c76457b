import { parseStrict } from '../../kernel/json.ts'
import type { Role } from '../field.ts'
import type { Place } from '../place.ts'
import { type FieldList, step } from './field-list.ts'
import type { SchemaRole } from './schema-role.ts'

/** Reads a JSON text strictly, and adds what it says to the list; `before` stands before each of its pointers. */
export function addJsonText(list: FieldList, text: string, roles?: SchemaRole, before = ''): void {
  const parsed = parseStrict(text)
  if ('error' in parsed) list.fail(parsed.error)
  else new Walk(list, 'body', before, 0).value(parsed.value, '', '', roles)
}

/** Adds a text, and what stands in it where it is JSON itself: the program behind may well parse it. */
export function addText(list: FieldList, part: Place['in'], at: string, name: string, text: string, level = 0): void {
  addWithin(list, part, at, name, text, level, undefined)
}

function addWithin(
  list: FieldList,
  part: Place['in'],
  at: string,
  name: string,
  text: string,
  level: number,
  role: Role | undefined,
): void {
  const parsed = level < levelsMax && mayBeJson(text) ? parseStrict(text) : undefined
  if (parsed === undefined || 'error' in parsed) {
    list.value(part, at, name, text, role)
    if (nearlyJson.test(text)) addStrings(list, part, `${at}#`, name, text)
    return
  }
  list.json(part, at, name, text, role)
  new Walk(list, part, `${at}#`, level + 1).value(parsed.value, '', name, undefined)
}

/**
 * Of what is JSON to lax parsers alone (a member twice, something behind it, too deep) each string by itself: in a document a value is
 * judged with the patience for documents.
 */
function addStrings(list: FieldList, part: Place['in'], before: string, above: string, text: string): void {
  let name = above
  for (let open = text.indexOf('"'); open >= 0 && list.problem === undefined; ) {
    let close = open + 1
    while (close < text.length && text.charCodeAt(close) !== quotationMark)
      close += text.charCodeAt(close) === backslash ? 2 : 1
    const said = meant(text.slice(open + 1, close))
    colon.lastIndex = close + 1
    if (colon.test(text)) list.name(part, step(before, (name = said)), said)
    else list.value(part, step(before, name), name, said)
    open = text.indexOf('"', close + 1)
  }
}

/** Of a string of JSON what it says; what is none stays as it was written. */
function meant(written: string): string {
  const parsed = written.includes('\\') ? parseStrict(`"${written}"`) : undefined
  return parsed !== undefined && 'value' in parsed ? String(parsed.value) : written
}

const nearlyJson = /^\s*(?:\{\s*"|\[\s*["[{])/
const colon = /\s*:/y
const quotationMark = 0x22
const backslash = 0x5c

/** How deep JSON is read within strings of JSON. What lies deeper is still looked at, as text. */
const levelsMax = 3

function mayBeJson(text: string): boolean {
  const trimmed = text.length > 1 ? text.trim() : ''
  const [open, close] = [trimmed.charCodeAt(0), trimmed.charCodeAt(trimmed.length - 1)]
  return (open === 0x7b && close === 0x7d) || (open === 0x5b && close === 0x5d)
}

/** One value from the top to its leaves: names and strings, since numbers and literals hold nothing. The parser has bounded its depth. */
class Walk {
  readonly #list: FieldList
  readonly #part: Place['in']
  /** What stands before every pointer. */
  readonly #before: string
  readonly #level: number

  constructor(list: FieldList, part: Place['in'], before: string, level: number) {
    this.#list = list
    this.#part = part
    this.#before = before
    this.#level = level
  }

  /** `name` is that of the nearest member above. */
  value(value: unknown, pointer: string, name: string, said: SchemaRole | undefined): void {
    if (typeof value === 'string') this.#text(value, pointer, name, said)
    else if (Array.isArray(value)) this.#items(value, pointer, name, said)
    else if (typeof value === 'object' && value !== null) this.#members(value, pointer, said)
  }

  #text(text: string, pointer: string, name: string, said: SchemaRole | undefined): void {
    addWithin(this.#list, this.#part, this.#before + pointer, name, text, this.#level, said?.role)
  }

  #items(items: readonly unknown[], pointer: string, name: string, said: SchemaRole | undefined): void {
    for (const [index, item] of items.entries()) {
      if (this.#list.problem !== undefined) return
      if (!isBare(item)) this.value(item, step(pointer, String(index)), name, said?.below(String(index)))
    }
  }

  #members(members: object, pointer: string, said: SchemaRole | undefined): void {
    for (const [name, member] of Object.entries(members)) {
      if (this.#list.problem !== undefined) return
      const inner = step(pointer, name)
      this.#list.name(this.#part, this.#before + inner, name)
      if (!isBare(member)) this.value(member, inner, name, said?.below(name))
    }
  }
}

function isBare(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null
}
