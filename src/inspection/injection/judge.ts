import { viewsOfField } from '../decode/field-views.ts'
import type { Field } from '../field.ts'
import type { Finding } from '../finding.ts'
import type { View } from '../view.ts'
import type { Detector, Family, Sign } from './detector.ts'
import { FirstLook } from './first-look.ts'

/** What one field gives away, the surest sign of each rule, through every view of it. */
export function judge(field: Field, detectors: readonly Detector[]): readonly Finding[] {
  const { text, role, place, name, json } = field
  const hint = { role, in: place.in, name, at: place.at }
  let best: Map<string, Finding> | undefined
  const { views, exhausted } = viewsOfField(field)
  for (const view of views) {
    const look = new FirstLook(view.text)
    for (const { family, structure, scan } of detectors) {
      if (json === true && structure !== true) continue
      for (const sign of scan(view.text, hint, look)) {
        best ??= new Map()
        const before = best.get(sign.rule)
        if (before === undefined || before.confidence < sign.confidence)
          best.set(sign.rule, findingOf(family, sign, place, view))
      }
    }
  }
  if (!exhausted) return best === undefined ? none : [...best.values()]
  return [...(best?.values() ?? []), tooDeep(place, text)]
}

const none: readonly Finding[] = []

/** What was not looked at may be anything, and nobody honest writes so. */
function tooDeep(place: Field['place'], text: string): Finding {
  return {
    kind: 'injection',
    what: 'encoding' satisfies Family,
    rule: 'decoding/too-deep',
    place,
    confidence: 1,
    start: 0,
    end: text.length,
    decoded: [],
  }
}

/** What was hidden stands in the original where the whole of it was hidden. */
function findingOf(family: Family, sign: Sign, place: Field['place'], { by, start, end }: View): Finding {
  const hidden = by.length > 0
  return {
    kind: 'injection',
    what: family,
    rule: sign.rule,
    place,
    confidence: sign.confidence,
    start: hidden ? start : sign.start,
    end: hidden ? end : sign.end,
    decoded: by,
  }
}
