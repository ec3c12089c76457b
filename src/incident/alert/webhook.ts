import { Agent } from 'undici'
import { webhookKey, webhookSignatures } from '../../http/webhook-signature.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Secret } from '../../kernel/secret.ts'
import { type BodyParts, bodies } from './bodies.ts'
import type { Channel, Outcome } from './channel.ts'
import type { WebhookOptions } from './options.ts'

export interface WebhookParts extends BodyParts {
  readonly options: WebhookOptions
  /** Where it goes: some addresses are secrets. */
  readonly url: string
  readonly secret: Secret | undefined
  readonly clock: Clock
}

/** PagerDuty’s Events API v2. */
export const pagerdutyUrl = 'https://events.pagerduty.com/v2/enqueue'

/**
 * Sends to an address that the operator chose. 2xx is told; everything else, a redirect too, is a try that failed. It follows
 * nobody elsewhere, and reads no more of an answer than its head.
 */
export function openWebhook(parts: WebhookParts): Channel {
  const { options, url, secret, clock } = parts
  const { origin, pathname, search } = new URL(url)
  const key = secret && webhookKey(secret.reveal())
  const agent = new Agent({ connections: 1, connect: { timeout: options.timeout } })

  return {
    kind: 'sends',
    close: () => agent.destroy(),
    async send(message, signal) {
      const body = JSON.stringify(bodies[options.body](message, parts))
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.timeout)])
      try {
        const answer = await agent.request({
          origin,
          path: pathname + search,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'gatehouse',
            'idempotency-key': message.id,
            ...(key === undefined ? {} : webhookSignatures(key, message.id, clock.now(), body)),
          },
          body,
          signal: deadline,
        })
        answer.body.on('error', () => {}) // nobody waits for what is not read
        const outcome = judged(answer.statusCode, answer.headers['retry-after'])
        await answer.body.dump({ limit: 16_384, signal: deadline }).catch(() => undefined)
        return outcome
      } catch (error) {
        if (signal.aborted) return { problem: 'the house was closed meanwhile' }
        return { problem: deadline.aborted ? `no answer within ${options.timeout} ms` : reasonOf(error) }
      }
    },
  }
}

function judged(status: number, retryAfter: string | string[] | undefined): Outcome {
  if (status >= 200 && status < 300) return 'told'
  const leads = status >= 300 && status < 400 ? ', which leads elsewhere: no redirect is followed' : ''
  const problem = `it answered ${status}${leads}`
  const seconds = typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : 0
  return seconds > 0 ? { problem, retryAfterMs: seconds * 1000 } : { problem }
}

/** By its code: a message may quote the address, which may be a secret. */
function reasonOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  return `it could not be reached (${typeof code === 'string' ? code : String(name)})`
}
