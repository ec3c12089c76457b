import { parse } from 'yaml'
import { isObject, tokensOf } from '../walk.ts'

/** A document of OpenAPI, looked at for what would be too much of it, and what it can be asked. */
export interface Document {
  readonly version: '3.0' | '3.1'
  readonly root: Readonly<Record<string, unknown>>
  /** What a local reference leads to, through further ones. Throws for one that leads nowhere, elsewhere, or back to itself. */
  follow(value: unknown, at: string): { readonly value: Readonly<Record<string, unknown>>; readonly at: string }
  /** What stands at a JSON Pointer. */
  at(pointer: string, from: string): unknown
}

/** What keeps a document from becoming routes, and where in it: a JSON Pointer. */
export class OpenApiMistake extends Error {
  override readonly name = 'OpenApiMistake'
  readonly pointer: string

  constructor(pointer: string, problem: string) {
    super(`${problem} at \`${pointer === '' ? '#' : `#${pointer}`}\``)
    this.pointer = pointer
  }
}

/** Reads a document from JSON or YAML. */
export function parseOpenApi(text: string): unknown {
  if (text.length > charactersMax)
    throw new OpenApiMistake('', `expected a document of at most ${charactersMax} characters`)
  try {
    return parse(text, { uniqueKeys: true, strict: true, maxAliasCount: 1000, logLevel: 'error' }) as unknown // JSON is YAML 1.2
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n')
    throw new OpenApiMistake('', `expected JSON or YAML: ${reason}`)
  }
}

export function openDocument(given: unknown): Document {
  if (!isObject(given)) throw new OpenApiMistake('', 'expected a document of OpenAPI')
  const [, version] = /^(3\.[01])\.\d+$/.exec(String(given['openapi'])) ?? []
  if (version === undefined) throw new OpenApiMistake('/openapi', 'expected version 3.0 or 3.1 of OpenAPI')
  bound(given)
  const at = (pointer: string, from: string): unknown => {
    let found: unknown = given
    for (const token of tokensOf(pointer)) {
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, token))
        throw new OpenApiMistake(
          from,
          `expected a reference to what is in the document, got \`#${pointer.slice(0, 100)}\``,
        )
      found = (found as Readonly<Record<string, unknown>>)[token]
    }
    return found
  }
  return {
    version: version as Document['version'],
    root: given,
    at,
    follow(value, from) {
      let [found, place] = [value, from]
      for (let steps = 0; isObject(found) && typeof found['$ref'] === 'string'; steps++) {
        if (steps > 20) throw new OpenApiMistake(from, 'expected a reference that does not lead back to itself')
        place = localPointer(found['$ref'], place)
        found = at(place, from)
      }
      if (!isObject(found)) throw new OpenApiMistake(place, 'expected an object')
      return { value: found, at: place }
    },
  }
}

/** The JSON Pointer of a reference into the same document (RFC 3986 §3.5, RFC 6901 §6). */
export function localPointer(reference: string, from: string): string {
  if (reference !== '#' && !reference.startsWith('#/'))
    throw new OpenApiMistake(from, `expected a reference into the same document, got \`${reference.slice(0, 100)}\``)
  try {
    return decodeURIComponent(reference.slice(1))
  } catch {
    throw new OpenApiMistake(from, 'expected a reference with whole escapes')
  }
}

/** YAML lets a part stand in many places at once: what is counted is what is read. */
function bound(document: unknown): void {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: document, depth: 0 }]
  let count = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next
    if (++count > valuesMax) throw new OpenApiMistake('', `expected at most ${valuesMax} values in a document`)
    if (depth > depthMax) throw new OpenApiMistake('', `expected at most ${depthMax} levels in a document`)
    if (typeof value !== 'object' || value === null) continue
    for (const member of Object.values(value)) open.push({ value: member, depth: depth + 1 })
  }
}

const charactersMax = 16_000_000
const valuesMax = 2_000_000
const depthMax = 100
