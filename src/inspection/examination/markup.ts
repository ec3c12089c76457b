import type { Field } from '../field.ts'
import { readMediaType } from '../fields/media-type.ts'
import { type HtmlPlan, isSanitised, planSanitising } from '../html/fields.ts'
import type { HtmlOptions } from '../html/options.ts'

/** Fields in which some markup may stay: it is cut down there, and so it is no attack. */
export interface Markup {
  /** What is cut down: fields in which nothing may stay too. */
  readonly plan: HtmlPlan
  /** In a body of a type, whether a field may hold markup. */
  in(contentType: string | undefined): (field: Field) => boolean
}

/** Undefined where nothing is cut down. */
export function openMarkup(options: HtmlOptions | undefined): Markup | undefined {
  const places = Object.entries(options ?? {})
  if (places.length === 0) return undefined
  const staying = planSanitising(Object.fromEntries(places.filter(([, profile]) => profile !== 'none')))
  return {
    plan: planSanitising(Object.fromEntries(places)),
    in(contentType) {
      const of = isForm(contentType) ? 'form' : 'json'
      return ({ place, role }) => role !== 'name' && place.in === 'body' && isSanitised(staying, place.at, of)
    },
  }
}

function isForm(contentType: string | undefined): boolean {
  const media = contentType === undefined ? undefined : readMediaType(contentType)
  return (
    media !== undefined &&
    !('problem' in media) &&
    (media.type === 'application/x-www-form-urlencoded' || media.type === 'multipart/form-data')
  )
}
