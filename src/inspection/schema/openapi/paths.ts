import { patternProblem } from '../../../http/router.ts'
import { isObject } from '../walk.ts'
import { type Document, OpenApiMistake } from './document.ts'

/** A path template as a pattern of ours, and what its parameters are called there. */
export interface Pattern {
  readonly path: string
  /** From the name in the document to ours: `pet-id` → `pet_id`. */
  readonly parameters: ReadonlyMap<string, string>
}

/** `/pets/{petId}` → `/pets/:petId`. Throws for what a pattern cannot say: a parameter is a whole segment. */
export function patternOf(template: string, prefix: string, at: string): Pattern {
  const parameters = new Map<string, string>()
  const segments = template.split('/').map((segment) => {
    const [, name] = /^\{([^{}]{1,100})\}$/.exec(segment) ?? []
    if (name === undefined) {
      if (/[{}]/.test(segment))
        throw new OpenApiMistake(
          at,
          `expected each parameter to be a whole segment of the path, got \`${segment.slice(0, 100)}\``,
        )
      if (segment.startsWith(':')) throw new OpenApiMistake(at, 'expected no segment of the path to begin with a colon')
      return segment
    }
    const ours = name.replace(/\W/g, '_').replace(/^(?=\d)/, '_')
    if (parameters.has(name) || [...parameters.values()].includes(ours))
      throw new OpenApiMistake(at, `expected the parameter \`${name}\` once in a path`)
    parameters.set(name, ours)
    return `:${ours}`
  })
  const path = `${prefix}${segments.join('/')}`
  const problem = patternProblem(path)
  if (problem !== undefined) throw new OpenApiMistake(at, `expected a path that can be a route: it ${problem}`)
  return { path, parameters }
}

/** The path of the first server, its variables at their defaults, without a slash at its end (3.1 §4.8.5). */
export function basePathOf(document: Document): string {
  const [server] = Array.isArray(document.root['servers']) ? (document.root['servers'] as readonly unknown[]) : []
  if (!isObject(server) || typeof server['url'] !== 'string') return ''
  const variables = isObject(server['variables']) ? server['variables'] : {}
  const url = server['url'].replace(/\{([^{}]{1,100})\}/g, (whole, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined
    return isObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : whole
  })
  if (!URL.canParse(url, 'http://localhost/') || /[{}]/.test(url))
    throw new OpenApiMistake('/servers/0/url', 'expected an address')
  return new URL(url, 'http://localhost/').pathname.replace(/\/+$/, '')
}
