/** What a path leads to, and what its parameters are. */
export interface Match<T> {
  readonly value: T
  readonly params: Params
}

export type Params = Readonly<Record<string, string>>

/** A path with a route, but none for the method: the methods that there are. */
export interface WrongMethod {
  readonly allow: readonly string[]
}

export function isRouterMatch<T>(found: Match<T> | WrongMethod): found is Match<T> {
  return 'value' in found
}

export interface RouterEntry<T> {
  /** `/api/tasks`, `/api/tasks/:id`, `/static/*` (the rest, however deep). */
  readonly pattern: string
  /** Undefined: every method. */
  readonly methods: readonly string[] | undefined
  readonly value: T
}

export interface Router<T> {
  find(method: string, path: string): Match<T> | WrongMethod | undefined
}

/** What is wrong with a pattern, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'must begin with a slash'
  if (pattern.includes('//')) return 'must not hold an empty segment'
  const segments = pattern.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '*' && index === segments.length - 1) continue
    if (segment.includes('*')) return '`*` must be a segment of its own, and the last'
    if (segment.startsWith(':') && !/^:[A-Za-z_]\w*$/.test(segment)) return `\`${segment}\` must be a colon and a name`
    if (segment === '.' || segment === '..') return 'must not hold a dot segment'
    if (!segment.startsWith(':') && !/^[A-Za-z0-9\-._~!$&'()+,;=:@%]*$/.test(segment))
      return `\`${segment}\` must be percent-encoded`
  }
  return undefined
}

/**
 * How paths are read: character by character, or as Express reads them, where letters have no case and a slash at the end is
 * none. Who asks must read as who answers: of two readings, one is somebody's way around a rule.
 */
export type PathReading = 'exact' | 'loose'

/**
 * Compiles patterns into a lookup: a literal segment wins over a parameter, a parameter over the rest. A path without
 * parameters costs one Map lookup and no allocation. Of patterns that are one when they are read loosely, the last counts.
 */
export function compileRouter<T>(entries: readonly RouterEntry<T>[], reading: PathReading = 'exact'): Router<T> {
  const loose = reading === 'loose'
  const keyOf = loose ? (text: string): string => text.toLowerCase() : (text: string): string => text
  const exact = new Map<string, Methods<T>>()
  const root = node<T>()
  for (const { pattern, methods, value } of entries) {
    const names: string[] = []
    let at = root
    for (const segment of pattern.slice(1).split('/')) {
      if (segment === '*') {
        at = at.rest ??= node()
        names.push('*')
      } else if (segment.startsWith(':')) {
        at = at.parameter ??= node()
        names.push(segment.slice(1))
      } else {
        const key = keyOf(segment)
        let next = at.literal.get(key)
        if (next === undefined) at.literal.set(key, (next = node()))
        at = next
      }
    }
    const leaf = { match: { value, params: none }, names, value }
    for (const method of methods ?? ['*']) at.methods.set(method, leaf)
    if (names.length === 0) exact.set(keyOf(pattern), at.methods)
  }
  return {
    find(method, path) {
      const methods = exact.get(keyOf(path))
      if (methods !== undefined) {
        const leaf = choose(methods, method)
        if (leaf !== undefined) return leaf.match
      }
      return search(root, method, path, loose, keyOf)
    },
  }
}

interface Leaf<T> {
  readonly match: Match<T>
  readonly names: readonly string[]
  readonly value: T
}

type Methods<T> = Map<string, Leaf<T>>

interface Node<T> {
  readonly literal: Map<string, Node<T>>
  parameter: Node<T> | undefined
  rest: Node<T> | undefined
  readonly methods: Methods<T>
}

const none: Params = Object.freeze({})

function node<T>(): Node<T> {
  return { literal: new Map(), parameter: undefined, rest: undefined, methods: new Map() }
}

function choose<T>(methods: Methods<T>, method: string): Leaf<T> | undefined {
  return methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined) ?? methods.get('*')
}

function search<T>(
  root: Node<T>,
  method: string,
  path: string,
  loose: boolean,
  keyOf: (segment: string) => string,
): Match<T> | WrongMethod | undefined {
  const segments = path.slice(1).split('/')
  const captured: string[] = []
  const allow = new Set<string>()
  const leaf = descend(root, 0)
  if (leaf !== undefined) {
    const params: Record<string, string> = {}
    for (const [index, name] of leaf.names.entries()) params[name] = decode(captured[index] ?? '')
    return { value: leaf.value, params }
  }
  return allow.size > 0 ? { allow: [...allow].sort() } : undefined

  function descend(at: Node<T>, depth: number): Leaf<T> | undefined {
    if (depth === segments.length) {
      const slashed = loose ? at.literal.get('') : undefined
      return choosing(at.methods) ?? (slashed && choosing(slashed.methods))
    }
    const segment = segments[depth] as string
    const next = at.literal.get(keyOf(segment))
    if (next !== undefined) {
      const found = descend(next, depth + 1)
      if (found !== undefined) return found
    }
    if (at.parameter !== undefined && segment !== '') {
      captured.push(segment)
      const found = descend(at.parameter, depth + 1)
      if (found !== undefined) return found
      captured.pop()
    }
    if (loose && segment === '' && depth > 0 && depth === segments.length - 1) {
      const found = choosing(at.methods)
      if (found !== undefined) return found
    }
    if (at.rest !== undefined) {
      captured.push(segments.slice(depth).join('/'))
      const found = choosing(at.rest.methods)
      if (found !== undefined) return found
      captured.pop()
    }
    return undefined
  }

  function choosing(methods: Methods<T>): Leaf<T> | undefined {
    const leaf = choose(methods, method)
    if (leaf === undefined) for (const known of methods.keys()) allow.add(known)
    return leaf
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // percent-encoding that is no UTF-8: the written form is the value
  }
}
