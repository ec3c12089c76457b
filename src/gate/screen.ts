import type { Outbound } from '../http/message.ts'
import type { Refusal } from '../kernel/error.ts'
import type { Exchange, Stage } from './exchange.ts'
import { releaseOf } from './owner/release.ts'
import { remember } from './remember.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Looks at the answer before it leaves: what is not the caller's is not released, what nobody should read is struck out of it,
 * and fields that the house speaks for are withheld.
 */
export function screen(route: Route, rooms: Rooms): Stage | undefined {
  const { withheld } = route
  const { answers } = route.inspection
  const release = releaseOf(route, rooms)
  return (exchange) => {
    const { answer } = exchange
    if (answer === undefined) return undefined
    const refusal = release?.(exchange, answer)
    if (refusal !== undefined) return refusal
    withhold(answer.headers, withheld)
    if (answers === undefined || answer.tunnel !== undefined) return undefined
    return screenBody(exchange, exchange.answer ?? answer) // as it was released: without a trailer that names its owner
  }

  function screenBody(exchange: Exchange, answer: Outbound): Refusal | undefined | Promise<Refusal | undefined> {
    const { status, headers, body } = answer
    const bodiless = exchange.request.method === 'HEAD' || status < 200 || bodilessStatus.has(status)
    const screened = answers?.screen(
      {
        status,
        headers,
        body,
        bodiless,
        take: (bytes) => exchange.bodyAccount.take(bytes),
        give: (bytes) => exchange.bodyAccount.give(bytes),
        looking: () => exchange.look(),
      },
      (finding) => remember(exchange, { findings: [finding], score: 0 }),
    )
    return screened instanceof Promise ? screened.then(settle) : settle(screened)

    function settle(outcome: Awaited<typeof screened>): Refusal | undefined {
      if (outcome === undefined || 'code' in outcome) return outcome
      exchange.answer = { ...answer, body: outcome.body }
      return undefined
    }
  }
}

/** RFC 9110 §6.4.1. */
const bodilessStatus: ReadonlySet<number> = new Set([204, 205, 304])

function withhold(headers: string[], withheld: ReadonlySet<string>): void {
  let kept = 0
  for (let at = 0; at < headers.length; at += 2) {
    const lower = (headers[at] as string).toLowerCase()
    if (withheld.has(lower) || lower.startsWith('x-gatehouse-') || lower.startsWith('x-ratelimit-')) continue
    headers[kept++] = headers[at] as string
    headers[kept++] = headers[at + 1] as string
  }
  headers.length = kept
}
