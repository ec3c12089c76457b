import type { Field } from '../field.ts'
import { type Views, viewsOf } from './views.ts'

/** What the text of a field may be read as: decoded once, however many look at it. */
export function viewsOfField(field: Field): Views {
  if (field.text.length < unitsMin) return viewsOf(field.text)
  let views = known.get(field)
  if (views === undefined) known.set(field, (views = viewsOf(field.text)))
  return views
}

/** A shorter text is read again in less time than it takes to look it up. */
const unitsMin = 48

/** They go with the message that they are of. */
const known = new WeakMap<Field, Views>()
