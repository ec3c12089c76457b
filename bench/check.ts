import type { Contestant } from './contestants.ts'
import { forged } from './token.ts'
import { itemBytes } from './upstream.ts'

/** What every guarded answer carries: security headers, a request id, and what is left of the limit. */
const carried = ['x-content-type-options', 'strict-transport-security', 'x-request-id', 'x-ratelimit-remaining']

/** Makes sure that a contestant does the job before it is timed: nobody wins by leaving the door open. */
export async function checkContestant({ name, guarded }: Contestant, url: string, token: string): Promise<void> {
  const answer = await ask(url, token)
  expect(name, 'status with the token', 200, answer.status)
  expect(name, 'bytes of the answer', itemBytes, answer.bytes)
  if (!guarded) return
  for (const field of carried) expect(name, `\`${field}\` in the answer`, true, answer.headers.has(field))
  expect(name, 'status without a token', 401, (await ask(url)).status)
  expect(name, 'status with a forged token', 401, (await ask(url, forged(token))).status)
}

async function ask(url: string, token?: string): Promise<{ status: number; headers: Headers; bytes: number }> {
  const answer = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  return { status: answer.status, headers: answer.headers, bytes: (await answer.arrayBuffer()).byteLength }
}

function expect(name: string, what: string, wanted: unknown, got: unknown): void {
  if (wanted !== got) throw new Error(`${name}: expected ${what} to be ${wanted}, got ${got}`)
}
