import type { AuditEvent } from '../event.ts'
import type { ChainedEvent } from '../follow/follower.ts'
import { deliveredEvent, deliveredText } from './delivered.ts'

export interface SyslogForm {
  readonly facility: number
  readonly hostname: string
  readonly appName: string
  readonly enterprise: number
  readonly personal: boolean
}

/**
 * An event as a message of RFC 5424. MSG is JSON in ASCII, so that it needs no BOM, which §6.4 would have before UTF-8 and RFC 8259
 * §8.1 forbids before JSON; and no line break is in it, whatever somebody sent us.
 */
export function syslogMessage(chained: ChainedEvent, form: SyslogForm): string {
  const event = deliveredEvent(chained, form.personal)
  const pri = form.facility * 8 + severityOf(event)
  const header = `<${pri}>1 ${timestamp(event.at)} ${form.hostname} ${form.appName} - ${event.type}`
  return `${header} ${structuredData(chained, event, form.enterprise)} ${ascii(deliveredText(chained, form.personal))}`
}

/** Octet counting (RFC 5425 §4.3, RFC 6587 §3.4.1). */
export function framed(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`
}

/** RFC 5424 §6.2.1. */
function severityOf({ type, result }: AuditEvent): number {
  if (result === 'error') return 3
  if (type === 'security_incident') return 4
  return result === 'success' ? 6 : 5
}

function timestamp(ms: number): string {
  const at = new Date(ms)
  return Number.isNaN(at.getTime()) || at.getUTCFullYear() > 9_999 || at.getUTCFullYear() < 0 ? '-' : at.toISOString()
}

function structuredData({ seq, hash }: ChainedEvent, event: AuditEvent, enterprise: number): string {
  const params = {
    seq: String(seq),
    hash,
    id: event.id,
    action: event.action,
    result: event.result,
    actor: event.actor.id,
    actorType: event.actor.type,
    address: event.address,
    resource: event.resource.id,
    resourceType: event.resource.type,
    requestId: event.request_id,
  }
  const written = Object.entries(params).flatMap(([name, value]) => (value === '' ? [] : [`${name}="${param(value)}"`]))
  return `[gatehouse@${enterprise} ${written.join(' ')}]`
}

/** What §6.3.3 escapes; what breaks lines, or writes backwards, in somebody's terminal is gone. */
function param(text: string): string {
  return text
    .slice(0, paramLengthMax)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd')
    .replaceAll(/["\\\]]/g, '\\$&')
}

const paramLengthMax = 1_024

function ascii(json: string): string {
  return json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
