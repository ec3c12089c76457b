import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv'

/** `uniqueItems` (validation §6.4.3) in one pass: Ajv's own compares each object with each other. */
export function uniqueItems(): FuncKeywordDefinition {
  const validate: SchemaValidateFunction = (wanted: unknown, items: readonly unknown[]) => {
    if (wanted !== true) return true
    const seen = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const spelling = spellingOf(item)
      const before = seen.get(spelling)
      if (before !== undefined) {
        validate.errors = [{ keyword: 'uniqueItems', message: 'is there twice', params: { i: before, j: index } }]
        return false
      }
      seen.set(spelling, index)
    }
    return true
  }
  return { keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate, errors: true }
}

/** One text for all JSON that is equal, whatever the order of members (core §4.2.2). A lone surrogate is written as an escape. */
function spellingOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value === 0 ? 0 : value)
  if (Array.isArray(value)) return `[${value.map(spellingOf).join()}]`
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${spellingOf((value as Record<string, unknown>)[name])}`)
  return `{${members.join()}}`
}
