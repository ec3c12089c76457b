import { Pool } from 'undici'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/error.ts'
import { resolveSecret, Secret } from '../../kernel/secret.ts'
import { NotTaken } from '../follow/follower.ts'
import { type OtlpSinkOptions, sinkName, type WebhookSinkOptions } from './options.ts'
import { readTrust } from './trust.ts'

export interface Post {
  /** Resolves with the answer's body once it was 2xx, cut at 16 KiB; else throws `NotTaken`. No redirect is followed. */
  post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string>
  close(): Promise<void>
}

/** The way to a sink by HTTP. Throws a Fault where what it is configured with cannot be had. */
export function openPost(
  options: WebhookSinkOptions | OtlpSinkOptions,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Post {
  const url = new URL(options.url)
  const own = ownHeaders(options, environment)
  const pool = new Pool(url.origin, {
    connections: 1,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: 16_384,
    connect: { timeout: options.timeout, ...readTrust(sinkName(options), options) },
  })
  return {
    async post(body, headers, signal) {
      const deadline = AbortSignal.timeout(options.timeout)
      try {
        const answer = await pool.request({
          method: 'POST',
          path: url.pathname + url.search,
          headers: { 'user-agent': 'gatehouse', ...headers, ...own },
          body,
          signal: AbortSignal.any([signal, deadline]),
        })
        const text = await shortText(answer.body)
        if (answer.statusCode >= 200 && answer.statusCode < 300) return text
        throw refusal(answer.statusCode, answer.headers['retry-after'], clock)
      } catch (error) {
        if (error instanceof NotTaken) throw error
        if (deadline.aborted) throw new NotTaken(`\`${url.host}\` did not answer within ${options.timeout} ms`)
        throw new NotTaken(`\`${url.host}\` cannot be reached: ${reasonOf(error)}`)
      }
    },
    close: () => pool.destroy(),
  }
}

/** What a secret resolves to, or a Fault: `check` has said before that it cannot be had. */
export function secretOf(
  name: string,
  reference: Parameters<typeof resolveSecret>[0],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const secret = resolveSecret(reference, environment)
  if (secret instanceof Secret) return secret.reveal()
  throw new Fault('unavailable', `${name}: ${secret.problem}`)
}

function ownHeaders(
  options: WebhookSinkOptions | OtlpSinkOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers)) {
    const text = typeof value === 'string' ? value : secretOf(sinkName(options), value, environment)
    if (!/^[\t -~]*$/.test(text))
      throw new Fault('unavailable', `${sinkName(options)}: the header \`${name}\`: expected one line of ASCII`)
    headers[name.toLowerCase()] = text
  }
  return headers
}

/** What is no JSON of theirs is not read to its end. */
async function shortText(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    pieces.push(piece)
    length += piece.byteLength
    if (length >= answerBytesMax) break
  }
  return Buffer.concat(pieces).subarray(0, answerBytesMax).toString()
}

export const answerBytesMax = 16_384

/**
 * Whether it is the events that are refused, or whoever sends them: with a wrong password every event would be. Only what
 * speaks of the content does the former (RFC 9110 §15.5.1, §15.5.14, §15.5.21).
 */
function refusal(status: number, retryAfter: string | string[] | undefined, clock: Clock): NotTaken {
  const rejected = status === 400 || status === 413 || status === 422
  return new NotTaken(`it answered ${status}`, { rejected, retryAfterMs: pauseMs(String(retryAfter ?? ''), clock) })
}

/** `Retry-After` is seconds or a date (RFC 9110 §10.2.3). */
function pauseMs(text: string, clock: Clock): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? 0 : Math.max(at - clock.now(), 0)
}

function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || 'the connection failed'
}
