import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { ChainedEvent, Follower } from '../follower.ts'
import { deliveredEvent, deliveredText } from './delivered.ts'
import { sinkName, type WebhookSinkOptions } from './options.ts'
import { openPost, secretOf } from './post.ts'

/** An event in somebody else's form, to be written as JSON. */
export type Foreign = (chained: ChainedEvent) => object

export interface WebhookParts {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly ocsf: Foreign
}

/**
 * Posts pages. Each request names its events by `Idempotency-Key`, and is signed in our own form (`t.body`, as Stripe has it) and in
 * that of Standard Webhooks (`id.t.body`), so that a receiver has a library that checks it.
 */
export function webhookSink(options: WebhookSinkOptions, { environment, clock, ocsf }: WebhookParts): Follower {
  const name = sinkName(options)
  const key = options.secret === undefined ? undefined : keyOf(secretOf(name, options.secret, environment))
  const way = openPost(options, environment, clock)
  const textOf =
    options.format === 'ocsf'
      ? (chained: ChainedEvent) =>
          JSON.stringify(ocsf({ ...chained, event: deliveredEvent(chained, options.personal) }))
      : (chained: ChainedEvent) => deliveredText(chained, options.personal)
  const isLines = options.encoding === 'lines'

  return {
    name,
    pageMax: options.batch,
    from: options.from,
    onRejected: options.onRejected,
    async take(events, signal) {
      const texts = events.map(textOf)
      const body = isLines ? `${texts.join('\n')}\n` : `[${texts.join()}]`
      // By a hash too: two houses may post to one place.
      const id = `${name}:${events[0]?.seq}-${events.at(-1)?.seq}:${events.at(-1)?.hash.slice(0, 16)}`
      const headers = {
        'content-type': isLines ? 'application/x-ndjson' : 'application/json',
        'idempotency-key': id,
        ...(key === undefined ? {} : signed(key, id, Math.floor(clock.now() / 1_000), body)),
      }
      await way.post(body, headers, signal)
      return undefined
    },
    close: () => way.close(),
  }
}

/** Standard Webhooks writes a key as `whsec_` and Base64; any other text is its own bytes. */
function keyOf(secret: string): KeyObject {
  return createSecretKey(
    secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8'),
  )
}

function signed(key: KeyObject, id: string, seconds: number, body: string): Readonly<Record<string, string>> {
  const own = createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')
  const standard = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'x-gatehouse-signature': `t=${seconds},v1=${own}`,
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${standard}`,
  }
}
