import { canonical } from '../kernel/json.ts'
import type { AuditEvent, Details } from './event.ts'

/**
 * An event as it happened, in its canonical form (RFC 8785), on one line: what an `EventSealer` makes the stored form of, which is at
 * most 8 KiB long. Texts end after 256 characters. Where that is not enough, the details make way for `{"cut":true}`, and
 * texts end after 64.
 */
export function eventText(event: AuditEvent): string {
  const quick = quickText(event)
  if (quick !== undefined) return quick
  const cut = canonical(bounded(event, event.details, event.private, charactersMax))
  if (Buffer.byteLength(cut) <= bytesMaxOf(event)) return cut
  return canonical(bounded(event, gone, event.private && gone, 64))
}

/** What is sealed grows by a third, and by its key's name, a nonce and a tag: up to 620 bytes for two persons. */
function bytesMaxOf({ actor, private: details }: AuditEvent): number {
  return actor.type === 'user' || details !== undefined ? 5632 : bytesMax
}

const bytesMax = 8192
const charactersMax = 256
const gone: Details = { cut: true }

/**
 * Of an event that needs no cut, with its members in order, JSON.stringify makes the canonical form: in about 1 µs, where
 * the way round by `canonical` takes 10. It escapes a lone surrogate, which has no canonical form, as `\ud…`.
 */
function quickText(event: AuditEvent): string | undefined {
  const {
    action,
    actor,
    address,
    at,
    details,
    id,
    private: own,
    request_id,
    resource,
    result,
    type,
    user_agent,
    v,
  } = event
  const short =
    actor.id.length <= charactersMax &&
    address.length <= charactersMax &&
    id.length <= charactersMax &&
    request_id.length <= charactersMax &&
    resource.id.length <= charactersMax &&
    user_agent.length <= charactersMax
  if (!short || !Number.isSafeInteger(at) || !areInOrder(details)) return undefined
  if (own !== undefined && !areInOrder(own)) return undefined
  const text = JSON.stringify({
    action,
    actor: { id: actor.id, type: actor.type },
    address,
    at,
    details,
    id,
    private: own, // where there is none, nothing is written
    request_id,
    resource: { id: resource.id, type: resource.type },
    result,
    type,
    user_agent,
    v,
  })
  return text.length * 3 <= bytesMaxOf(event) && !text.includes('\\ud') ? text : undefined // no character takes more than three bytes
}

/** Whether details are short, and their names sorted by UTF-16 units as RFC 8785 §3.2.3 wants them. */
export function areInOrder(details: Details): boolean {
  let previous: string | undefined
  for (const name in details) {
    if (previous !== undefined && name < previous) return false
    previous = name
    const value = details[name]
    if (name.length > charactersMax || (typeof value === 'string' && value.length > charactersMax)) return false
  }
  return true
}

function bounded(
  event: AuditEvent,
  details: Details,
  own: Details | undefined,
  max: number,
): Record<Exclude<keyof AuditEvent, 'private'>, unknown> {
  const { private: _, ...open } = event
  const { actor, address, id, request_id, resource, user_agent } = open
  const cut = (text: string): string => text.slice(0, max).toWellFormed()
  const cutValue = (value: Details[string]): string | number | boolean | null => {
    if (typeof value === 'string') return cut(value)
    return typeof value === 'number' && !Number.isFinite(value) ? null : value // as JSON.stringify has it
  }
  const cutAll = (some: Details): object =>
    Object.fromEntries(Object.entries(some).map(([name, value]) => [cut(name), cutValue(value)]))
  return {
    ...open,
    actor: { id: cut(actor.id), type: actor.type },
    address: cut(address),
    details: cutAll(details),
    id: cut(id),
    ...(own !== undefined && { private: cutAll(own) }),
    request_id: cut(request_id),
    resource: { id: cut(resource.id), type: resource.type },
    user_agent: cut(user_agent),
  }
}

/** Details with their names in order: an event that has them so is written out in a tenth of the time. */
export function inOrder(details: Details): Details {
  return Object.fromEntries(Object.entries(details).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
