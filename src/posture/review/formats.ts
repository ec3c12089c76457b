import { type Review, reviewJson } from './document.ts'
import { reviewHtml } from './html.ts'
import { reviewMarkdown } from './markdown.ts'

/** The forms in which a review is told. */
export const reviewFormats = {
  md: { mediaType: 'text/markdown; charset=utf-8', text: reviewMarkdown },
  html: { mediaType: 'text/html; charset=utf-8', text: reviewHtml },
  json: { mediaType: 'application/json', text: (review: Review) => `${JSON.stringify(reviewJson(review), null, 2)}\n` },
} as const

export type ReviewFormat = keyof typeof reviewFormats

export function isReviewFormat(text: string): text is ReviewFormat {
  return Object.hasOwn(reviewFormats, text)
}
