import type { AuditEvent } from '../event.ts'
import { eventText } from '../event-text.ts'
import type { ChainedEvent } from '../follow/follower.ts'

/**
 * An event as it leaves the house, as one line of JSON: its own members, behind its place in the chain. Whoever has the hash
 * before it checks this one over the canonical form (RFC 8785) of all but `seq` and `hash`; where something of it was sealed
 * and is sent in clear, over the text of `stored`.
 */
export function deliveredText({ seq, hash, body, event }: ChainedEvent, personal: boolean): string {
  const text = personal ? eventText(event) : body
  const stored = text === body ? '' : `"stored":${JSON.stringify(body)},`
  return `{"seq":${seq},"hash":"${hash}",${stored}${text.slice(1)}`
}

/** What of an event may be repeated beside that line. */
export function deliveredEvent({ body, event }: ChainedEvent, personal: boolean): AuditEvent {
  return personal ? event : (JSON.parse(body) as AuditEvent)
}
