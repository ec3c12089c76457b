import { type Clock, systemClock } from '../src/kernel/clock.ts'
import { hex } from './base64.ts'
import { joined, keyedHash, type SharedSecret } from './keyed-hash.ts'
import { type RequestFacts, signedBy } from './request-facts.ts'

export interface TimestampPayloadSigning {
  readonly key: SharedSecret
  /** Who signs, where the house asks for it in a header. */
  readonly service?: string
  /** `X-Service`, unless the house was told another. */
  readonly serviceHeader?: string
  /** `X-Signature`, unless the house was told another. */
  readonly header?: string
  readonly clock?: Clock
}

/**
 * Signs a request in the form `timestamp-payload`: `X-Signature: timestamp.hex`. It covers the body and the time; method and
 * address are not covered. Signs what will be sent within the next minutes, once.
 *
 * @example
 * const response = await fetch(await signTimestampPayload(new Request(url, { method: 'POST', body }), { key, service: 'billing' }))
 */
export function signTimestampPayload<R extends Request | RequestFacts>(
  request: R,
  { key, service, serviceHeader = 'X-Service', header = 'X-Signature', clock = systemClock }: TimestampPayloadSigning,
): Promise<R extends Request ? Request : Record<string, string>> {
  return signedBy(request, async ({ body = new Uint8Array() }) => {
    const timestamp = Math.floor(clock.now() / 1000)
    const signature = hex(await keyedHash(key, joined(`${timestamp}.`, body)))
    return { ...(service === undefined ? {} : { [serviceHeader]: service }), [header]: `${timestamp}.${signature}` }
  })
}
