import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** The key of a secret. Standard Webhooks writes one as `whsec_` and Base64; any other text is its own bytes. */
export function webhookKey(secret: string): KeyObject {
  return createSecretKey(
    secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8'),
  )
}

/**
 * Headers by which a receiver knows who sent a body, and when: in our own form (HMAC-SHA-256 over `SECONDS.BODY`, as Stripe has
 * it) and in that of Standard Webhooks (over `ID.SECONDS.BODY`), for which there are libraries. Whoever takes nothing whose time is
 * long past is sent nothing again by a stranger.
 */
export function webhookSignatures(
  key: KeyObject,
  id: string,
  atMs: number,
  body: string,
): Readonly<Record<string, string>> {
  const seconds = Math.floor(atMs / 1_000)
  const own = createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')
  const standard = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'x-gatehouse-signature': `t=${seconds},v1=${own}`,
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${standard}`,
  }
}
