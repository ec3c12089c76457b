import { type Code, catalogue, type FieldErrors, type Refusal } from '../kernel/error.ts'

/** A refusal as the caller reads it (RFC 9457), with `error` for clients that look for one word. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: Code
  readonly request_id: string
  /** The same as `detail`. */
  readonly error: string
  readonly errors?: FieldErrors
}

/** Every problem's `type` leads to a page of the house itself. */
export const problemPages = '/.well-known/gatehouse/problems/'

export const problemMediaType = 'application/problem+json'

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, title } = catalogue[refusal.code]
  return {
    ...refusal.extensions,
    type: problemPages + refusal.code,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    request_id: requestId,
    error: refusal.detail,
    ...(refusal.errors === undefined ? {} : { errors: refusal.errors }),
  }
}
