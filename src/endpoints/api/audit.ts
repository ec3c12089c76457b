import type { ChainedEvent } from '../../audit/follow/follower.ts'
import { countedBy, type RecordCount } from '../../audit/reading/count.ts'
import { type ExportFormat, exportFormats } from '../../audit/reading/export.ts'
import { type FilterName, filterNames, type Mistakes, readFilter } from '../../audit/reading/filter.ts'
import type { Place } from '../../audit/reading/scan.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Refusal } from '../../kernel/error.ts'
import type * as wire from '../../wire/audit.ts'
import { type Asked, type RecordReader, type RecordReading, recordReaderAt } from '../desk/audit.ts'
import { isRefusal } from '../desk/guard.ts'
import { type Diary, visitorOf } from '../desk/visitor.ts'
import { wrongParameter } from './page.ts'
import { json } from './reply.ts'
import { streamed } from './streamed.ts'

type Reads = keyof typeof wire.audit

interface Shows {
  readonly record: RecordReading
  readonly diary: Diary
  readonly rooms: { readonly clock: Clock }
}

/** The record of events, for those who look into it. */
export function auditEndpoints({ record, diary, rooms }: Shows): Record<Reads, Answerer> {
  const reader = (exchange: Exchange): RecordReader => recordReaderAt(diary, visitorOf(exchange))
  const read = <T>(exchange: Exchange, others: Others<T>): (Asked & { readonly also: T }) | Refusal => {
    const asked = readQuery(new URLSearchParams(exchange.request.target.query), others, rooms.clock.now())
    return 'errors' in asked ? wrongParameter(asked.errors) : asked
  }

  return {
    async searchAudit(exchange) {
      const asked = read(exchange, paged)
      if (isRefusal(asked)) return asked
      const { events, next, complete } = await record.search(reader(exchange), asked, asked.also)
      return json(200, {
        events: events.map(eventOf),
        complete,
        ...(next === undefined ? {} : { next: placeText(next) }),
      })
    },

    async countAudit(exchange) {
      const asked = read(exchange, counted)
      if (isRefusal(asked)) return asked
      const { by, limit } = asked.also
      return json(200, { by, ...countOf(await record.count(reader(exchange), asked, by, limit)) })
    },

    async exportAudit(exchange) {
      const asked = read(exchange, exported)
      if (isRefusal(asked)) return asked
      const { format } = asked.also
      const pieces = await record.export(reader(exchange), asked, format)
      return isRefusal(pieces) ? pieces : streamed(mediaTypes[format], fileNames[format], pieces)
    },

    async showAuditEvent(exchange) {
      const found = await record.event(reader(exchange), exchange.params['id'] ?? '')
      return isRefusal(found) ? found : json(200, eventOf(found))
    },
  }
}

/** An event as the API, and the command, tell of it. */
export function eventOf({ seq, hash, event }: ChainedEvent): Record<string, unknown> {
  const { at, v, ...rest } = event
  return { seq, at: new Date(at).toISOString(), ...rest, hash }
}

/** A count as the API, and the command, tell of it. */
export function countOf({ counts, others, total, exact, since }: RecordCount): Record<string, unknown> {
  return {
    counts: counts.map(({ key, count }) => ({
      key: typeof key === 'number' ? new Date(key).toISOString() : key,
      count,
    })),
    others,
    total,
    exact,
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  }
}

// biome-ignore format: a table
const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'application/jsonl',
  csv:   'text/csv; charset=utf-8; header=present',
  ocsf:  'application/jsonl',
}

// biome-ignore format: a table
const fileNames: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'audit.jsonl',
  csv:   'audit.csv',
  ocsf:  'audit.ocsf.jsonl',
}

/** Parameters beside the filter: each is read from its text, or from undefined; undefined is a mistake, and `expected` says which. */
type Others<T> = {
  readonly [Name in keyof T]: {
    readonly read: (text: string | undefined) => { readonly value: T[Name] } | undefined
    readonly expected: string
  }
}

const paged: Others<{ limit: number; order: 'newest' | 'oldest'; after: Place | undefined }> = {
  limit: numberUpTo(200, 50),
  order: oneOf(['newest', 'oldest'], 'newest'),
  after: {
    read(text) {
      if (text === undefined) return { value: undefined }
      const [, at, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(text) ?? []
      return at === undefined ? undefined : { value: { at: Number(at), seq: Number(seq) } }
    },
    expected: 'the `next` of the page before',
  },
}

const counted: Others<{ by: (typeof countedBy)[number]; limit: number }> = {
  by: oneOf(countedBy, 'type'),
  limit: numberUpTo(1_000, 100),
}

const exported: Others<{ format: ExportFormat }> = { format: oneOf(exportFormats, 'jsonl') }

function numberUpTo(max: number, usual: number): Others<{ it: number }>['it'] {
  return {
    read(text = String(usual)) {
      return /^[1-9]\d{0,3}$/.test(text) && Number(text) <= max ? { value: Number(text) } : undefined
    },
    expected: `1 to ${max}`,
  }
}

function oneOf<T extends string>(words: readonly T[], usual: T): Others<{ it: T }>['it'] {
  return {
    read(text = usual) {
      const value = words.find((word) => word === text)
      return value === undefined ? undefined : { value }
    },
    expected: `one of ${words.join(', ')}`,
  }
}

function readQuery<T>(
  query: URLSearchParams,
  others: Others<T>,
  now: number,
): (Asked & { readonly also: T }) | { readonly errors: Mistakes } {
  const errors: Mistakes = Object.create(null) // `__proto__` is a name like any other
  const written: Partial<Record<FilterName, string>> = {}
  for (const name of new Set(query.keys())) {
    const [text = '', ...more] = query.getAll(name)
    if (more.length > 0) errors[name] = ['is there twice: write several values with commas between them']
    else if (isFilterName(name)) written[name] = text
    else if (!Object.hasOwn(others, name)) errors[name] = ['is not a known parameter']
  }
  const also: Partial<T> = {}
  for (const name of Object.keys(others) as (keyof T & string)[]) {
    const outcome = others[name].read(query.get(name) ?? undefined)
    if (outcome === undefined) errors[name] ??= [`expected ${others[name].expected}`]
    else also[name] = outcome.value
  }
  const filter = readFilter(written, now)
  if ('errors' in filter) Object.assign(errors, filter.errors)
  return 'errors' in filter || Object.keys(errors).length > 0 ? { errors } : { filter, written, also: also as T }
}

function isFilterName(name: string): name is FilterName {
  return (filterNames as readonly string[]).includes(name)
}

function placeText({ at, seq }: Place): string {
  return `${at}.${seq}`
}
