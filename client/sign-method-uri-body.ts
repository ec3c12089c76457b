import { type Clock, systemClock } from '../src/kernel/clock.ts'
import { base64 } from './base64.ts'
import { joined, keyedHash, type SharedSecret } from './keyed-hash.ts'
import { type RequestFacts, signedBy } from './request-facts.ts'

export interface MethodUriBodySigning {
  readonly key: SharedSecret
  /** Who signs, where the house asks for it in a header. */
  readonly service?: string
  /** `X-Service`, unless the house was told another. */
  readonly serviceHeader?: string
  /** `X-Signature`, unless the house was told another. */
  readonly header?: string
  /** `X-Timestamp`, unless the house was told another. */
  readonly timestampHeader?: string
  readonly clock?: Clock
}

/**
 * Signs a request in the form `method-uri-body`: `X-Signature`, in base64, and `X-Timestamp`. It covers the method, path and
 * query, the body and the time; the host is not covered. Signs what will be sent within the next minutes, once.
 *
 * @example
 * const response = await fetch(await signMethodUriBody(new Request(url, { method: 'POST', body }), { key, service: 'billing' }))
 */
export function signMethodUriBody<R extends Request | RequestFacts>(
  request: R,
  {
    key,
    service,
    serviceHeader = 'X-Service',
    header = 'X-Signature',
    timestampHeader = 'X-Timestamp',
    clock = systemClock,
  }: MethodUriBodySigning,
): Promise<R extends Request ? Request : Record<string, string>> {
  return signedBy(request, async ({ method, url, body = new Uint8Array() }) => {
    const timestamp = String(Math.floor(clock.now() / 1000))
    const message = joined(`${method}\n${url.pathname}${url.search}\n`, body, `\n${timestamp}`)
    return {
      ...(service === undefined ? {} : { [serviceHeader]: service }),
      [timestampHeader]: timestamp,
      [header]: base64(await keyedHash(key, message)),
    }
  })
}
