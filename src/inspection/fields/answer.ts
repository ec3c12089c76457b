import type { Field } from '../field.ts'
import { addBody } from './body.ts'
import { textOf } from './charset.ts'
import { addEvents } from './events.ts'
import { FieldList } from './field-list.ts'
import { fieldBounds } from './request.ts'

/** Every text of an answer that is there whole, as a field. */
export function answerFields(
  bytes: Uint8Array,
  contentType: string | undefined,
  bytesMax: number,
): { readonly fields: readonly Field[] } | { readonly problem: string } {
  const list = new FieldList(fieldBounds(bytesMax))
  if (bytes.byteLength > 0) {
    if (contentType !== undefined && /^\s*text\/event-stream\s*(?:;|$)/i.test(contentType)) {
      const read = textOf(bytes, 'utf-8') // whatever it says (WHATWG HTML §9.2.4)
      if ('problem' in read) list.fail(read.problem)
      else addEvents(list, read.text)
    } else addBody(list, bytes, contentType)
  }
  if (list.problem !== undefined) return { problem: list.problem }
  return { fields: list.fields.map((field) => ({ ...field, place: { in: 'answer', at: field.place.at } })) }
}
