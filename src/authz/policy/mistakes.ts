/** One thing that is wrong with a document, and where: `rules[2].condition.operator`. */
export interface Mistake {
  readonly path: string
  readonly message: string
}

const mistakesMax = 1_000

/** Gathers what is wrong, so that all of it is said at once. */
export class Mistakes {
  readonly list: Mistake[] = []

  /** Answers undefined, for a reader to pass on. */
  add(path: string, message: string): undefined {
    if (this.list.length < mistakesMax) this.list.push({ path, message })
    else if (this.list.length === mistakesMax)
      this.list.push({ path: '', message: `more than ${mistakesMax} mistakes` })
    return undefined
  }
}

/** What came instead, for a message. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return `\`${shortened(value)}\``
    case 'number':
    case 'boolean':
      return `\`${value}\``
    case 'object':
      return value === null ? '`null`' : Array.isArray(value) ? 'a list' : 'an object'
    default:
      return `a ${typeof value}`
  }
}

const shownMax = 60

export type Fields = Readonly<Record<string, unknown>>

/** An object with no other keys than these; what it inherits is no part of it. */
export function readFields(value: unknown, allowed: readonly string[], path: string, mistakes: Mistakes) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return mistakes.add(path, `expected an object, got ${shown(value)}`)
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key))
      mistakes.add(below(path, key), `expected ${allowed.map((name) => `\`${name}\``).join(', ')}, got ${shown(key)}`)
  }
  const fields: Fields = { __proto__: null, ...value }
  return fields
}

/** The path of a member. */
export function below(path: string, key: string): string {
  const name = shortened(key)
  return path === '' ? name : `${path}.${name}`
}

/** On one line, whatever it holds. */
function shortened(text: string): string {
  const escaped = JSON.stringify(text.slice(0, shownMax)).slice(1, -1)
  return text.length > shownMax ? `${escaped}…` : escaped
}
