import { canonical } from '../kernel/json.ts'
import type { AuditEvent, Details } from './event.ts'

/**
 * An event in its canonical form (RFC 8785), on one line and at most 8 KiB long: what is stored, and what the chain covers.
 * Texts end after 256 characters. Where that is not enough the details make way for `{"cut":true}`.
 */
export function eventText(event: AuditEvent): string {
  const quick = quickText(event)
  if (quick !== undefined) return quick
  const cut = canonical(bounded(event, event.details, charactersMax))
  return Buffer.byteLength(cut) <= bytesMax ? cut : canonical(bounded(event, { cut: true }, 64))
}

const bytesMax = 8192
const charactersMax = 256

/**
 * Of an event that needs no cut, with its members in order, JSON.stringify makes the canonical form: in about 1 µs, where
 * the way round by `canonical` takes 10. It escapes a lone surrogate, which has no canonical form, as `\ud…`.
 */
function quickText({
  action,
  actor,
  address,
  at,
  details,
  id,
  request_id,
  resource,
  result,
  type,
  user_agent,
  v,
}: AuditEvent): string | undefined {
  const short =
    actor.id.length <= charactersMax &&
    address.length <= charactersMax &&
    id.length <= charactersMax &&
    request_id.length <= charactersMax &&
    resource.id.length <= charactersMax &&
    user_agent.length <= charactersMax
  if (!short || !Number.isSafeInteger(at) || !areInOrder(details)) return undefined
  const text = JSON.stringify({
    action,
    actor: { id: actor.id, type: actor.type },
    address,
    at,
    details,
    id,
    request_id,
    resource: { id: resource.id, type: resource.type },
    result,
    type,
    user_agent,
    v,
  })
  return text.length * 3 <= bytesMax && !text.includes('\\ud') ? text : undefined // no character takes more than three bytes
}

/** Whether the details are short, and their names sorted by UTF-16 units as RFC 8785 §3.2.3 wants them. */
function areInOrder(details: Details): boolean {
  let previous: string | undefined
  for (const name in details) {
    if (previous !== undefined && name < previous) return false
    previous = name
    const value = details[name]
    if (name.length > charactersMax || (typeof value === 'string' && value.length > charactersMax)) return false
  }
  return true
}

function bounded(event: AuditEvent, details: Details, max: number): Record<keyof AuditEvent, unknown> {
  const { actor, address, id, request_id, resource, user_agent } = event
  const cut = (text: string): string => text.slice(0, max).toWellFormed()
  const cutValue = (value: Details[string]): string | number | boolean | null => {
    if (typeof value === 'string') return cut(value)
    return typeof value === 'number' && !Number.isFinite(value) ? null : value // as JSON.stringify has it
  }
  return {
    ...event,
    actor: { id: cut(actor.id), type: actor.type },
    address: cut(address),
    details: Object.fromEntries(Object.entries(details).map(([name, value]) => [cut(name), cutValue(value)])),
    id: cut(id),
    request_id: cut(request_id),
    resource: { id: cut(resource.id), type: resource.type },
    user_agent: cut(user_agent),
  }
}
