import { z } from 'zod'
import { durationMs } from '../../kernel/duration.ts'
import { addressText, type Cidr, parseAddress, parseCidr } from '../../kernel/ip.ts'
import { type AuditEvent, type AuditType, actions, type Details, resourceTypes, results } from '../event.ts'

/** Which events are asked for: those that fit all that is said. */
export interface RecordFilter {
  /** One of these. */
  readonly type?: readonly AuditType[]
  readonly action?: readonly string[]
  readonly result?: readonly AuditEvent['result'][]
  readonly actor?: string
  readonly address?: string
  /** All addresses of a network. */
  readonly network?: Cidr
  readonly resource_type?: AuditEvent['resource']['type']
  readonly resource?: string
  readonly request_id?: string
  /** Milliseconds since the epoch: from this moment on. */
  readonly from?: number
  /** Up to this moment, and without it. */
  readonly to?: number
}

export const filterNames = [
  'type',
  'action',
  'result',
  'actor',
  'address',
  'resource_type',
  'resource',
  'request_id',
  'from',
  'to',
] as const

export type FilterName = (typeof filterNames)[number]

/** Parameters as they are written. */
export type Written = Readonly<Partial<Record<FilterName, string>>>

/** What is wrong, by the name of the parameter. */
export type Mistakes = Record<string, string[]>

/** Reads a filter. `now` is what a duration such as `1h` reaches back from. */
export function readFilter(written: Written, now: number): RecordFilter | { readonly errors: Mistakes } {
  const errors: Mistakes = {}
  const read = <T>(name: FilterName, reader: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = written[name]
    if (text === undefined) return undefined
    const value = reader(text)
    if (value === undefined) errors[name] = [`expected ${expected}`]
    return value
  }
  const place = read('address', placeOf, 'an address, or a network such as `10.0.0.0/8` without bits behind its prefix')
  const from = read('from', (text) => momentOf(text, now), 'a time as in RFC 3339, or how long ago, such as `1h`')
  const to = read('to', (text) => momentOf(text, now), 'a time as in RFC 3339, or how long ago, such as `1h`')
  if (from !== undefined && to !== undefined && from >= to) errors['to'] = ['expected a time later than `from`']
  const filter = {
    type: read('type', listOf(isType), `some of ${Object.keys(actions).join(', ')}`),
    action: read('action', listOf(isAction), 'actions such as `sign-in`, 32 at most'),
    result: read('result', listOf(isResult), `some of ${results.join(', ')}`),
    actor: read('actor', textOf, 'the id of an actor'),
    address: place?.address,
    network: place?.network,
    resource_type: read(
      'resource_type',
      (text) => (isResourceType(text) ? text : undefined),
      `one of ${resourceTypes.join(', ')}`,
    ),
    resource: read('resource', textOf, 'the id of a resource'),
    request_id: read('request_id', textOf, 'the id of a request'),
    from,
    to,
  }
  if (Object.keys(errors).length > 0) return { errors }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as RecordFilter
}

/** What was asked for, as the record tells of it. */
export function detailsOf(written: Written): Details {
  return Object.fromEntries(Object.entries(written).filter(([, text]) => text !== undefined)) as Details
}

const isType = (text: string): text is AuditType => Object.hasOwn(actions, text)
const isResult = (text: string): text is AuditEvent['result'] => (results as readonly string[]).includes(text)
const isResourceType = (text: string): text is AuditEvent['resource']['type'] =>
  (resourceTypes as readonly string[]).includes(text)
const isAction = (text: string): text is string => /^[a-z][a-z.-]{0,63}$/.test(text)

const valuesMax = 32

/** Several, with commas between them. Each counts once. */
function listOf<T extends string>(isOne: (text: string) => text is T): (text: string) => readonly T[] | undefined {
  return (text) => {
    const values = [...new Set(text.split(',', valuesMax + 1))]
    return values.length <= valuesMax && values.every(isOne) ? values : undefined
  }
}

/** No text of an event is longer, none has half a character, and columns have no NUL. */
function textOf(text: string): string | undefined {
  return text.length > 0 && text.length <= 256 && text.isWellFormed() && !text.includes('\0') ? text : undefined
}

function placeOf(
  text: string,
):
  | { readonly address: string; readonly network?: never }
  | { readonly network: Cidr; readonly address?: never }
  | undefined {
  if (text.length > 64) return undefined
  const address = parseAddress(text)
  if (address !== undefined) return { address: addressText(address) }
  const network = parseCidr(text)
  return network && { network }
}

function momentOf(text: string, now: number): number | undefined {
  if (text.length > 40) return undefined
  const ago = durationMs(text)
  if (ago !== undefined) return Math.max(0, now - ago)
  if (!rfc3339.safeParse(text).success) return undefined
  const at = Date.parse(text)
  return Number.isFinite(at) ? at : undefined
}

const rfc3339 = z.iso.datetime({ offset: true })
