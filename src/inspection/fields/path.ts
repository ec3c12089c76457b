import { decodeUrl } from '../decode/url.ts'
import type { FieldList } from './field-list.ts'

/** Adds the path as a whole, its parameters, and each segment that neither is one nor plain. */
export function addPath(list: FieldList, path: string, params: Readonly<Record<string, string>>): void {
  if (!plainPath.test(path)) list.value('path', '', 'path', path, 'unknown')
  const known = new Set<string>()
  for (const [name, value] of Object.entries(params)) {
    known.add(value)
    list.value('path', name, name, value)
  }
  for (const [index, segment] of path.split('/').entries()) {
    if (!plainSegment.test(segment) && !known.has(decodeUrl(segment) ?? segment))
      list.value('path', String(index), 'path', segment, 'unknown')
  }
}

/** Without a dot behind a slash: nothing climbs in it, nothing in it is encoded, and its words are too short to hide anything. */
const plainPath = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9_.~-]{0,14})*\/?$/
const plainSegment = /^[A-Za-z0-9_.~-]{0,15}$/
