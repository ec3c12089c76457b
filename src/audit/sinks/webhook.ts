import { webhookKey, webhookSignatures } from '../../http/webhook-signature.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { ChainedEvent, Follower } from '../follow/follower.ts'
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

/** Posts pages. Each request names its events by `Idempotency-Key`, and is signed where there is a secret. */
export function webhookSink(options: WebhookSinkOptions, { environment, clock, ocsf }: WebhookParts): Follower {
  const name = sinkName(options)
  const key = options.secret === undefined ? undefined : webhookKey(secretOf(name, options.secret, environment))
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
        ...(key === undefined ? {} : webhookSignatures(key, id, clock.now(), body)),
      }
      await way.post(body, headers, signal)
      return undefined
    },
    close: () => way.close(),
  }
}
