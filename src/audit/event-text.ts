import { canonical } from '../kernel/json.ts'
import type { AuditEvent, Details } from './event.ts'

/**
 * An event in its canonical form (RFC 8785), on one line and at most 8 KiB long: what is stored, and what the chain covers.
 * Texts end after 256 characters. Where that is not enough the details make way for `{"cut":true}`.
 */
export function eventText(event: AuditEvent): string {
  const text = plainText(event)
  if (text !== undefined && text.length * 3 <= bytesMax) return text // no character takes more than three bytes
  const cut = canonical(bounded(event, event.details, charactersMax))
  return Buffer.byteLength(cut) <= bytesMax ? cut : canonical(bounded(event, { cut: true }, 64))
}

const bytesMax = 8192
const charactersMax = 256

/** Nearly every event needs no escape, no cut and no sorting: then its canonical form is what a template gives, in 1 µs. */
function plainText(event: AuditEvent): string | undefined {
  const { action, actor, address, at, id, request_id, resource, result, type, user_agent } = event
  const plain =
    isPlain(actor.id) &&
    isPlain(address) &&
    isPlain(id) &&
    isPlain(request_id) &&
    isPlain(resource.id) &&
    isPlain(user_agent)
  const details = plain && Number.isSafeInteger(at) ? plainDetails(event.details) : undefined
  if (details === undefined) return undefined
  return `{"action":"${action}","actor":{"id":"${actor.id}","type":"${actor.type}"},"address":"${address}","at":${at},"details":{${details}},"id":"${id}","request_id":"${request_id}","resource":{"id":"${resource.id}","type":"${resource.type}"},"result":"${result}","type":"${type}","user_agent":"${user_agent}","v":1}`
}

function plainDetails(details: Details): string | undefined {
  let text = ''
  let previous = ''
  for (const name in details) {
    const value = details[name] as Details[string]
    if ((text !== '' && name <= previous) || !isPlain(name)) return undefined
    if (text !== '') text += ','
    if (typeof value === 'string') {
      if (!isPlain(value)) return undefined
      text += `"${name}":"${value}"`
    } else {
      if (typeof value === 'number' && !Number.isFinite(value)) return undefined
      text += `"${name}":${value}`
    }
    previous = name
  }
  return text
}

function isPlain(text: string): boolean {
  return text.length <= charactersMax && !special.test(text)
}

/** All but what JSON writes as it is: controls, `"`, `\`, and surrogates, of which a lone one has no canonical form. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

function bounded(event: AuditEvent, details: Details, max: number): Record<keyof AuditEvent, unknown> {
  const { action, actor, address, at, id, request_id, resource, result, type, user_agent, v } = event
  const cut = (text: string): string => text.slice(0, max).toWellFormed()
  const cutValue = (value: Details[string]): string | number | boolean | null => {
    if (typeof value === 'string') return cut(value)
    return typeof value === 'number' && !Number.isFinite(value) ? null : value // as JSON.stringify has it
  }
  return {
    action,
    actor: { id: cut(actor.id), type: actor.type },
    address: cut(address),
    at,
    details: Object.fromEntries(Object.entries(details).map(([name, value]) => [cut(name), cutValue(value)])),
    id: cut(id),
    request_id: cut(request_id),
    resource: { id: cut(resource.id), type: resource.type },
    result,
    type,
    user_agent: cut(user_agent),
    v,
  }
}
