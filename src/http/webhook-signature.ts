import { createHmac } from 'node:crypto'
import type { Secret } from '../kernel/secret.ts'

/**
 * The value of `X-Gatehouse-Signature`: `t=SECONDS,v1=HEX`, HMAC-SHA-256 over `SECONDS.BODY`. Whoever receives it computes the
 * same, and takes nothing whose time is long past: so nobody sends it to them again.
 */
export function webhookSignature(secret: Secret, atMs: number, body: string | Uint8Array): string {
  const seconds = Math.floor(atMs / 1000)
  const mac = createHmac('sha256', secret.reveal()).update(`${seconds}.`).update(body).digest('hex')
  return `t=${seconds},v1=${mac}`
}
