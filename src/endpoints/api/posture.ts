import type { Answerer } from '../../gate/exchange.ts'
import { type Area, areas } from '../../posture/check.ts'
import { postureOf } from '../../posture/posture.ts'
import { isReviewFormat, reviewFormats } from '../../posture/review/formats.ts'
import { periodNames, readDay } from '../../posture/review/period.ts'
import type * as wire from '../../wire/posture.ts'
import { isRefusal } from '../desk/guard.ts'
import type { PostureReading } from '../desk/posture.ts'
import { visitorOf } from '../desk/visitor.ts'
import { wrongParameter } from './page.ts'
import { json, text } from './reply.ts'

type Describes = keyof typeof wire.posture

/** Reviews and the checklist, for security officers. */
export function postureEndpoints({ posture }: { readonly posture: PostureReading }): Record<Describes, Answerer> {
  return {
    async makeReview(exchange) {
      const query = new URLSearchParams(exchange.request.target.query)
      const errors = strangersIn(query, ['period', 'end', 'format'])
      const asked = query.get('period') ?? 'weekly'
      const period = periodNames.find((name) => name === asked)
      if (period === undefined) errors['period'] = ['must be `weekly` or `monthly`']
      const end = query.get('end')
      const day = end === null ? undefined : readDay(end)
      if (end !== null && day === undefined) errors['end'] = ['must be a day such as `2026-11-22`']
      const format = query.get('format') ?? 'json'
      const isKnown = isReviewFormat(format)
      if (!isKnown) errors['format'] = ['must be `json`, `md` or `html`']
      if (period === undefined || !isKnown || Object.keys(errors).length > 0) return wrongParameter(errors)
      const review = await posture.review(visitorOf(exchange), period, day)
      if (isRefusal(review)) return review
      const { mediaType, text: tell } = reviewFormats[format]
      const { headers, ...answer } = text(200, mediaType, tell(review))
      // A file, and never a page of ours: what strangers called themselves stands in it.
      const name = `review-${review.period.label}.${format}`
      return {
        ...answer,
        headers: [...headers, 'Content-Disposition', `attachment; filename="${name}"`, 'Cache-Control', 'no-store'],
      }
    },

    async readPosture(exchange) {
      const query = new URLSearchParams(exchange.request.target.query)
      const errors = strangersIn(query, ['area'])
      const asked = query.get('area')
      const area = areas.find((name) => name === asked)
      if (asked !== null && area === undefined) errors['area'] = [`must be one of ${areas.join(', ')}`]
      if (Object.keys(errors).length > 0) return wrongParameter(errors)
      return json(200, postureOf(await posture.posture(visitorOf(exchange), area satisfies Area | undefined)))
    },
  }
}

function strangersIn(query: URLSearchParams, known: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    [...query.keys()].flatMap((name) => {
      if (!known.includes(name)) return [[name, ['is not a known parameter']]]
      return query.getAll(name).length > 1 ? [[name, ['is there twice']]] : []
    }),
  )
}
