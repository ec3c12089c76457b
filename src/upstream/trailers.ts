import { hopByHop } from '../http/head.ts'
import type { RawHeaders } from '../http/raw-headers.ts'

/** Trailers that a client may have: none that frame a message, and none that only the gate may say (RFC 9110 §6.5.1). */
export function passedTrailers(fields: RawHeaders): RawHeaders {
  const passed: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string
    const lower = name.toLowerCase()
    if (!notInTrailers.has(lower) && !ofTheGate.test(lower)) passed.push(name, fields[at + 1] as string)
  }
  return passed
}

const ofTheGate = /^(?:x-request-id$|x-ratelimit-|ratelimit|x-gatehouse-|access-control-)/

/** Trailers may not steer framing, routing, authentication or content (RFC 9110 §6.5.1). */
const notInTrailers = new Set([
  ...hopByHop,
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'authorization',
  'set-cookie',
  'cache-control',
  'location',
  'www-authenticate',
])
