import type { FieldErrors } from '../../kernel/error.ts'

/** One way in which a value breaks its schema. It holds no value of the caller's, and of names what can be printed. */
export interface Violation {
  /** Members and indexes that lead to it. */
  readonly path: readonly string[]
  readonly message: string
}

/** What a value breaks, up to a bound. */
export interface Broken {
  readonly violations: readonly Violation[]
  /** How many there are beyond those. */
  readonly more: number
}

/** One entry of `invalid` in a problem document: what RFC 9457 §3 shows as an example of an extension. */
export type Invalid =
  | { readonly in: 'body' | 'answer'; readonly pointer: string; readonly detail: string }
  | { readonly in: PartName; readonly name: string; readonly pointer?: string; readonly detail: string }

/** A part of a request that has names and values. */
export type PartName = 'query' | 'path' | 'header' | 'cookie'

/** What came of holding a body against its schema. */
export type Verdict = { readonly value: unknown } | { readonly malformed: string } | BodyErrors

/** What a body breaks, in the forms in which it is told. */
export interface BodyErrors {
  readonly errors: FieldErrors
  /** The same, each with its JSON Pointer. */
  readonly invalid: readonly Invalid[]
  /** How many there are beyond those that are told. */
  readonly more: number
}

/** At most so many are told. */
export const violationsMax = 100

/** Both forms at once. */
export function bodyErrors({ violations, more }: Broken): BodyErrors {
  return { errors: fieldErrors(violations), invalid: invalidInBody(violations), more }
}

/** Field → messages: `tags.2`, and `whole` for the value itself. */
export function fieldErrors(violations: Iterable<Violation>, whole = 'body', prefix = ''): FieldErrors {
  const fields = new Map<string, string[]>()
  for (const { path, message } of violations) {
    const name = path.length === 0 ? whole : prefix + path.map(shownName).join('.')
    const messages = fields.get(name)
    if (messages === undefined) fields.set(name, [message])
    else if (!messages.includes(message)) messages.push(message)
  }
  return Object.fromEntries(fields)
}

/** The same with JSON Pointers (RFC 6901). */
export function invalidInBody(violations: readonly Violation[], part: 'body' | 'answer' = 'body'): readonly Invalid[] {
  return violations.map(({ path, message }) => ({ in: part, pointer: pointerOf(path), detail: message }))
}

/** Of a part whose members have names: the first step is the name. */
export function invalidInPart(violations: readonly Violation[], part: PartName): readonly Invalid[] {
  return violations.map(({ path: [name = '', ...within], message }) => ({
    in: part,
    name: shownName(name),
    ...(within.length === 0 ? {} : { pointer: pointerOf(within) }),
    detail: message,
  }))
}

function pointerOf(path: readonly string[]): string {
  return path.map((step) => `/${shownName(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A name that a stranger chose, short and printable. */
export function shownName(name: string): string {
  const short = name.length > nameMax ? `${name.slice(0, nameMax).toWellFormed()}…` : name
  return short.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '�')
}

const nameMax = 64
