import type { Place } from '../place.ts'
import type { FieldList } from './field-list.ts'
import { type Pair, readPairs } from './form.ts'
import { addText } from './json.ts'

/** Adds the parameters of a query, as forms have them (URL §5.1). */
export function addQuery(list: FieldList, query: string): void {
  if (query !== '') addPairs(list, 'query', readPairs(query).pairs)
}

/**
 * Adds names and values. Values of one name are added together too: of several some programs take the first, some the last, and
 * some all of them with commas between, which puts an attack together that was sent in pieces.
 */
export function addPairs(list: FieldList, part: Place['in'], pairs: readonly Pair[]): void {
  const byName = new Map<string, string[]>()
  for (const { name, value } of pairs) {
    list.name(part, name, name)
    addText(list, part, name, ownName(name), value)
    const values = byName.get(name)
    if (values === undefined) byName.set(name, [value])
    else values.push(value)
  }
  for (const [name, values] of byName) {
    if (values.length > 1) list.value(part, name, ownName(name), values.join(','))
  }
}

/** Of `user[address][city]` the `city`, of `tags[]` the `tags`. */
function ownName(name: string): string {
  const open = name.lastIndexOf('[')
  if (open < 0 || !name.endsWith(']')) return name
  const inner = name.slice(open + 1, -1)
  if (inner !== '' && !/^\d+$/.test(inner)) return inner
  const outer = name.slice(0, open)
  const before = outer.lastIndexOf('[')
  return before >= 0 && outer.endsWith(']') ? outer.slice(before + 1, -1) : outer
}
