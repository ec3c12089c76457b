import type { Field } from '../field.ts'
import { addBody } from './body.ts'
import { type FieldBounds, FieldList } from './field-list.ts'
import { addHeaders } from './headers.ts'
import { addPath } from './path.ts'
import { addQuery } from './query.ts'
import type { SchemaRole } from './schema-role.ts'

/** What of a request is looked at. */
export interface RequestParts {
  /** As the router matched it, decoded; and its parameters by name. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** Raw, without `?`. */
  readonly query: string
  /** name, value, name, value as on the wire. */
  readonly headers: readonly string[]
  readonly contentType: string | undefined
  /** Undefined where it is not read. */
  readonly body: Uint8Array | undefined
}

/**
 * Every text of a request as a field. What cannot be read in one way only, or is more than the bounds allow, is a problem, one
 * public sentence: the program behind might read what was not looked at.
 */
export function requestFields(
  { path, params, query, headers, contentType, body }: RequestParts,
  bounds: FieldBounds,
  roles?: SchemaRole,
): { readonly fields: readonly Field[] } | { readonly problem: string } {
  const list = new FieldList(bounds)
  addPath(list, path, params)
  addQuery(list, query)
  addHeaders(list, headers)
  if (body !== undefined && body.byteLength > 0) addBody(list, body, contentType, roles)
  return list.problem === undefined ? { fields: list.fields } : { problem: list.problem }
}

/** Bounds for bodies of so many bytes: what is read twice may count twice, and the head of a request has its own. */
export function fieldBounds(bodyBytesMax: number): FieldBounds {
  // Records of short members are one to some twenty bytes.
  return { fieldsMax: Math.max(20_000, Math.ceil(bodyBytesMax / 16)), textMax: bodyBytesMax * 4 + 65_536 }
}
