import { z } from 'zod'
import type { AuditEvent } from '../../audit/event.ts'
import { addressText, parseAddress } from '../../kernel/ip.ts'
import type { Geolocation } from './geolocation.ts'

/**
 * What a rule can tell events apart by. `caller` is the actor, or the address of somebody unknown; `network` is the /24 of
 * an IPv4 address and the /48 of an IPv6 one; `agent` is the user agent without its versions (RFC 9110 §10.1.5) and numbers:
 * an update is no other program; `house` is all events together.
 */
const plain = ['actor', 'address', 'network', 'caller', 'resource', 'agent', 'country', 'house'] as const

export type Field = (typeof plain)[number] | `details.${string}`

export const field = z.custom<Field>(
  isField,
  `expected ${plain.map((name) => `\`${name}\``).join(', ')} or \`details.name\``,
)

/** A text that an event says, or '' where it says nothing of it. */
export type Reader = (event: AuditEvent) => string

export function readerOf(field: Field, geolocation: Geolocation | undefined): Reader {
  switch (field) {
    case 'actor':
      return actorOf
    case 'address':
      return ({ address }) => address
    case 'network':
      return ({ address }) => networkOf(address)
    case 'caller':
      return (event) => actorOf(event) || event.address
    case 'resource':
      return ({ resource }) => resource.id
    case 'agent':
      return ({ user_agent }) => user_agent.replace(/(?<=\/)[^\s();,]+|[\d._]+/g, '')
    case 'country':
      return ({ address }) => (address === '' ? '' : (geolocation?.place(address)?.country ?? ''))
    case 'house':
      return () => 'house'
    default: {
      const name = field.slice('details.'.length)
      return ({ details }) => (Object.hasOwn(details, name) ? String(details[name]) : '')
    }
  }
}

/** Several fields as one key: '' where one of them says nothing. */
export function keyReader(fields: readonly Field[], geolocation: Geolocation | undefined): Reader {
  const readers = fields.map((field) => readerOf(field, geolocation))
  const [only] = readers
  if (only !== undefined && readers.length === 1) return only
  return (event) => {
    let key = ''
    for (const read of readers) {
      const text = read(event)
      if (text === '') return ''
      key = key === '' ? text : `${key} ${text}`
    }
    return key
  }
}

function actorOf({ actor }: AuditEvent): string {
  return actor.type === 'anonymous' || actor.type === 'system' ? '' : actor.id
}

function networkOf(text: string): string {
  const address = parseAddress(text)
  if (address === undefined) return ''
  const { family, bytes } = address
  const kept = family === 4 ? 3 : 6
  return addressText({ family, bytes: bytes.map((byte, at) => (at < kept ? byte : 0)) })
}

function isField(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    ((plain as readonly string[]).includes(value) || /^details\.[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(value))
  )
}
