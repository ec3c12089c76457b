import type { Stage } from './exchange.ts'
import { releaseOf } from './owner/release.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * Looks at the answer before it leaves: what is not the caller's is not released, and fields that the house speaks for, or
 * that nobody should read, are withheld.
 */
export function screen(route: Route, rooms: Rooms): Stage | undefined {
  const { withheld } = route
  const release = releaseOf(route, rooms)
  return (exchange) => {
    const { answer } = exchange
    if (answer === undefined) return undefined
    const refusal = release?.(exchange, answer)
    if (refusal !== undefined) return refusal
    const { headers } = answer
    let kept = 0
    for (let at = 0; at < headers.length; at += 2) {
      const lower = (headers[at] as string).toLowerCase()
      if (withheld.has(lower) || lower.startsWith('x-gatehouse-') || lower.startsWith('x-ratelimit-')) continue
      headers[kept++] = headers[at] as string
      headers[kept++] = headers[at + 1] as string
    }
    headers.length = kept
    return undefined
  }
}
