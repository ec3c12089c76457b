import type { OwnershipRule } from './ownership.ts'
import type { NamedPolicy } from './policy/named.ts'

/** A kind of thing that is protected: what routes and functions that are about one ask beside a permission. */
export interface ResourceType {
  readonly name: string
  /** All of them have to permit. */
  readonly policies: readonly NamedPolicy[]
  readonly ownership: OwnershipRule | undefined
}
