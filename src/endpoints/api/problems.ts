import type { Answerer } from '../../gate/exchange.ts'
import { type Code, catalogue, refuse } from '../../kernel/error.ts'
import { text } from './reply.ts'

/** The page that a problem's `type` leads to. */
export const problemPage: Answerer = ({ params }) => {
  const code = params['code'] ?? ''
  if (!Object.hasOwn(catalogue, code)) return refuse('not-found', { detail: 'no problem has this code' })
  const { status, title, means, mend } = catalogue[code as Code]
  return text(200, 'text/plain; charset=utf-8', `${code} (${status} ${title})\n\n${means}\n\nWhat to do: ${mend}\n`)
}
