import { type Refusal, refuse } from '../../kernel/error.ts'

/** A part of a list, as somebody asks for it: so many, after a place that the page before named as `next`. */
export interface Page<Cursor> {
  readonly limit: number
  readonly after: Cursor | undefined
}

/**
 * Reads `limit` and `after`. `cursorOf` answers undefined for a text that can be no place; `others` are further parameters,
 * each with what is wrong with its value, if anything is.
 */
export function readPage<Cursor>(
  query: URLSearchParams,
  cursorOf: (text: string) => Cursor | undefined,
  others: Readonly<Record<string, (value: string) => string | undefined>> = {},
): Page<Cursor> | Refusal {
  const errors: Record<string, string[]> = Object.create(null) // a parameter may be called `__proto__`
  for (const name of query.keys())
    if (name !== 'limit' && name !== 'after' && !Object.hasOwn(others, name))
      errors[name] = ['is not a known parameter']
  const limit = query.get('limit') ?? '50'
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > 200) errors['limit'] = ['must be 1 to 200']
  const after = query.get('after')
  const cursor = after === null ? undefined : cursorOf(after)
  if (after !== null && cursor === undefined) errors['after'] = ['must be the `next` of the page before']
  for (const [name, problemOf] of Object.entries(others)) {
    const value = query.get(name)
    const problem = value === null ? undefined : problemOf(value)
    if (problem !== undefined) errors[name] = [problem]
  }
  return Object.keys(errors).length > 0 ? wrongParameter(errors) : { limit: Number(limit), after: cursor }
}

/** A place in a list by age: the moment and the id of the last one shown. */
export function momentAndId(
  id: RegExp,
): (text: string) => { readonly createdAt: number; readonly id: string } | undefined {
  return (text) => {
    const dot = text.indexOf('.')
    const [moment, rest] = [text.slice(0, dot), text.slice(dot + 1)]
    return dot > 0 && /^\d{1,15}$/.test(moment) && id.test(rest) ? { createdAt: Number(moment), id: rest } : undefined
  }
}

export function wrongParameter(errors: Record<string, string[]>): Refusal {
  return refuse('body-invalid', { detail: 'A parameter is wrong', errors })
}
