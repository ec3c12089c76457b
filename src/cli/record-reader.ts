import { inOrder } from '../audit/event-text.ts'
import { type FilterName, readFilter, type Written } from '../audit/reading/filter.ts'
import { type Asked, type RecordReader, RecordReading } from '../endpoints/desk/audit.ts'
import type { House } from '../house.ts'
import { uuidv7 } from '../kernel/id.ts'
import { type Terminal, Usage } from './command.ts'
import { version } from './version.ts'
import { houseOptions } from './visit.ts'

/** The options of every command that reads the record: which events, and where the house is. */
export const filterOptions = {
  ...houseOptions,
  type: { type: 'string', multiple: true },
  action: { type: 'string', multiple: true },
  result: { type: 'string', multiple: true },
  actor: { type: 'string' },
  address: { type: 'string' },
  'resource-type': { type: 'string' },
  resource: { type: 'string' },
  request: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
} as const

export const filterUsage = `  --type TYPE          such as authentication; several with commas between them
  --action ACTION      such as sign-in; several
  --result RESULT      success, failure, denied, error; several
  --actor ID           who did it
  --address ADDRESS    where from: an address, or a network such as 203.0.113.0/24
  --resource-type TYPE such as user
  --resource ID        what it was done to
  --request ID         the request that it belongs to
  --since TIME         as in RFC 3339, or how long ago: 15m, 24h, 30d
  --until TIME         before that time`

type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

const optionOf: Readonly<Record<FilterName, string>> = {
  type: 'type',
  action: 'action',
  result: 'result',
  actor: 'actor',
  address: 'address',
  resource_type: 'resource-type',
  resource: 'resource',
  request_id: 'request',
  from: 'since',
  to: 'until',
}

/** What the options ask for. Throws `Usage` that names each one that is wrong. */
export function askedBy(values: Values, { clock }: Terminal): Asked {
  const written = Object.fromEntries(
    Object.entries(optionOf).flatMap(([name, option]) => {
      const value = values[option]
      if (typeof value === 'string') return [[name, value]]
      return Array.isArray(value) ? [[name, value.join(',')]] : []
    }),
  ) as Written
  const filter = readFilter(written, clock.now())
  if (!('errors' in filter)) return { filter, written }
  const wrong = Object.entries(filter.errors).map(
    ([name, messages]) => `--${optionOf[name as FilterName]}: ${messages.join(', ')}`,
  )
  throw new Usage(wrong.join('\n'))
}

/** The record of a house that a command looks into. */
export function recordOf({ store, audit, reading }: House): RecordReading {
  return new RecordReading({ store, audit, reading, version: version() })
}

/** Whoever has the machine reads the record too, and it says so. */
export function operatorOf({ audit }: House, { clock, random }: Terminal): RecordReader {
  return {
    note(trx, action, id, details) {
      const at = clock.now()
      return audit.enroll(trx, {
        action,
        actor: { id: 'operator', type: 'system' },
        address: '',
        at,
        details: inOrder(details),
        id: uuidv7(at, random),
        request_id: '',
        resource: { id, type: 'audit' },
        result: 'success',
        type: 'data_access',
        user_agent: '',
        v: 1,
      })
    },
  }
}

/**
 * Text of strangers as a terminal may be shown it: what would move the cursor, break the line or turn its order around stands as
 * `\\u…`, which within JSON is the same character.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (one) =>
    Array.from({ length: one.length }, (_, at) => `\\u${one.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}
