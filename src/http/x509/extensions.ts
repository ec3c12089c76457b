import { boolean, DerError, DerReader, objectIdentifier, tags } from './der.ts'

/** What a certificate or a revocation list says beside its fields (RFC 5280 §4.2, §5.2). */
export interface Extension {
  readonly critical: boolean
  readonly value: Uint8Array
}

/** By object identifier. One that stands there twice is an error (RFC 5280 §4.2), and so is what stands beside them. */
export type Extensions = ReadonlyMap<string, Extension>

/** Reads `Extensions`, which is what the tagged field around it holds. */
export function readExtensions(content: Uint8Array): Extensions {
  const found = new Map<string, Extension>()
  const whole = new DerReader(content)
  const list = whole.enter(tags.sequence)
  if (!whole.done) throw new DerError('something follows the extensions')
  while (!list.done) {
    const extension = list.enter(tags.sequence)
    const id = objectIdentifier(extension.take(tags.objectIdentifier).content)
    const critical = boolean(extension.optional(tags.boolean)?.content ?? absent)
    if (found.has(id)) throw new DerError(`the extension ${id} stands there twice`)
    found.set(id, { critical, value: extension.take(tags.octetString).content })
    if (!extension.done) throw new DerError(`something follows the extension ${id}`)
  }
  return found
}

/** Where it is not said, it is not so (RFC 5280 §4.1). */
const absent = new Uint8Array([0])
