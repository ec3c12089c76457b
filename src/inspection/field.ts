import type { Place } from './place.ts'

/** One text of a message, as the program behind will read it: a member of JSON, a parameter, a header. */
export interface Field {
  readonly place: Place
  /** Its own name in lower case: the last member of a pointer that is no index, a parameter, a header. */
  readonly name: string
  readonly text: string
  readonly role: Role
  /** It is JSON itself, and all that it says follows in fields of their own. */
  readonly json?: true
}

/**
 * What a field is for. A `name` is that of a member or a parameter; an `identifier` is short and written by programs; `prose` is
 * written by people, and may hold anything that people write about: code, SQL, markup. Where nothing tells, `unknown`.
 */
export type Role = 'name' | 'identifier' | 'prose' | 'unknown'
