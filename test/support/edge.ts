import assert from 'node:assert/strict'
import type { TestClock } from './clock.ts'

/** A limit as a system states it. */
export interface Edge {
  /** Its name, as `X-RateLimit-Type` tells it. */
  readonly type: string
  readonly limit: number
  /** Requests that it lets through back to back. */
  readonly admits: number
}

/** Drives a limit to its edge: the last request that it lets through, the first that it refuses, and the one after the wait. */
export async function toTheEdge(
  clock: TestClock,
  { type, limit, admits }: Edge,
  ask: () => Promise<Response>,
): Promise<void> {
  let last: Response | undefined
  for (let asked = 1; asked <= admits; asked++) {
    last = await ask()
    assert.ok(![429, 503].includes(last.status), `${type}: request ${asked} of ${admits} answered ${last.status}`)
  }
  assert.deepEqual(
    ['type', 'limit', 'remaining'].map((name) => last?.headers.get(`x-ratelimit-${name}`)),
    [type, String(limit), '0'],
  )
  const refused = await ask()
  assert.equal(refused.status, 429, `${type}: request ${admits + 1}`)
  assert.deepEqual(
    [refused.headers.get('x-ratelimit-type'), refused.headers.get('x-ratelimit-limit')],
    [type, String(limit)],
  )
  const waitSeconds = Number(refused.headers.get('retry-after'))
  assert.ok(Number.isInteger(waitSeconds) && waitSeconds >= 1, `${type}: Retry-After ${waitSeconds}`)
  clock.advance((waitSeconds - 1) * 1000)
  assert.equal((await ask()).status, 429, `${type}: a second too soon`)
  clock.advance(1000)
  assert.notEqual((await ask()).status, 429, `${type}: after the wait`)
}

/** Asks for as long as `overMs`, as fast as it is let through; answers when it was, in milliseconds. */
export async function admissions(
  clock: TestClock,
  overMs: number,
  ask: () => Promise<Response>,
): Promise<readonly number[]> {
  const start = clock.monotonic()
  const admitted: number[] = []
  while (clock.monotonic() - start < overMs) {
    const answer = await ask()
    if (answer.status !== 429) admitted.push(clock.monotonic() - start)
    else clock.advance(Number(answer.headers.get('retry-after')) * 1000)
  }
  return admitted
}

/** The most that any window of this length has admitted. */
export function mostInAnyWindow(admitted: readonly number[], windowMs: number): number {
  return Math.max(0, ...admitted.map((from) => admitted.filter((at) => at >= from && at < from + windowMs).length))
}
