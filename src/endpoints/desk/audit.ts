import type { DataAction, Details } from '../../audit/event.ts'
import type { ChainedEvent } from '../../audit/follow/follower.ts'
import type { AuditLog } from '../../audit/log.ts'
import { type CountedBy, countRecord, type RecordCount } from '../../audit/reading/count.ts'
import { type ExportFormat, exportRecord, lastSeq } from '../../audit/reading/export.ts'
import { detailsOf, type RecordFilter, type Written } from '../../audit/reading/filter.ts'
import type { Order, Place } from '../../audit/reading/scan.ts'
import { eventById, type RecordPage, searchRecord } from '../../audit/reading/search.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database, Store } from '../../store/database.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface RecordRooms {
  readonly store: Store
  readonly audit: AuditLog
  /** Where long questions are asked. */
  readonly reading: Database
  /** Of the house. */
  readonly version: string
}

/** Whoever reads the record: an administrator at the desk, or an operator at the machine. */
export interface RecordReader {
  note(trx: Database, action: DataAction, id: string, details: Details): Promise<void>
}

/** What is asked for: as it was read, and as it was written. */
export interface Asked {
  readonly filter: RecordFilter
  readonly written: Written
}

/** Reads the record. Each reading is written down in it before it is answered: what cannot be written down is not read. */
export class RecordReading {
  readonly #rooms: RecordRooms
  #exports = 0

  constructor(rooms: RecordRooms) {
    this.#rooms = rooms
  }

  async search(
    reader: RecordReader,
    { filter, written }: Asked,
    page: { readonly order: Exclude<Order, 'chain'>; readonly limit: number; readonly after: Place | undefined },
  ): Promise<RecordPage> {
    const { reading, audit } = this.#rooms
    const found = await searchRecord(reading, audit.sealer, filter, page)
    await this.#note(reader, 'audit.search', { ...detailsOf(written), events: found.events.length })
    return found
  }

  async count(reader: RecordReader, { filter, written }: Asked, by: CountedBy, limit: number): Promise<RecordCount> {
    const counted = await countRecord(this.#rooms.reading, filter, by, limit)
    await this.#note(reader, 'audit.count', { ...detailsOf(written), by, events: counted.total })
    return counted
  }

  async event(reader: RecordReader, id: string): Promise<ChainedEvent | Refusal> {
    const { reading, audit } = this.#rooms
    const found = await eventById(reading, audit.sealer, id)
    if (found === undefined) return refuse('not-found', { detail: 'no event has this id' })
    await this.#note(reader, 'audit.search', { events: 1 }, id)
    return found
  }

  /**
   * Begins an export, which ends where the record ends now. A second event tells how much was handed out, once it is over or was
   * broken off.
   */
  async export(
    reader: RecordReader,
    { filter, written }: Asked,
    format: ExportFormat,
  ): Promise<AsyncGenerator<string, void, undefined> | Refusal> {
    if (this.#exports >= exportsMax) return tooManyExports
    this.#exports++
    try {
      const until = await lastSeq(this.#rooms.reading)
      await this.#note(reader, 'audit.export', { ...detailsOf(written), format, step: 'begun', until })
      const pieces = this.#pieces(reader, { filter, written }, format, until)
      await pieces.next() // what has begun is ended, also where nobody stays to take it
      return pieces
    } catch (error) {
      this.#exports--
      throw error
    }
  }

  async *#pieces(
    reader: RecordReader,
    { filter, written }: Asked,
    format: ExportFormat,
    until: number,
  ): AsyncGenerator<string, void, undefined> {
    const { reading, audit, version } = this.#rooms
    let events = 0
    let whole = false
    try {
      yield ''
      for await (const piece of exportRecord(reading, audit.sealer, filter, { format, until, version })) {
        events += piece.events
        yield piece.text
      }
      whole = true
    } finally {
      this.#exports--
      await this.#note(reader, 'audit.export', { ...detailsOf(written), events, format, step: 'ended', whole })
    }
  }

  async #note(reader: RecordReader, action: DataAction, details: Details, id = ''): Promise<void> {
    const { store, audit } = this.#rooms
    await store.transaction((trx) => reader.note(trx, action, id, details))
    audit.wake()
  }
}

/** An administrator, as whoever reads the record. */
export function recordReaderAt(diary: Diary, visitor: Visitor): RecordReader {
  return { note: (trx, action, id, details) => diary.access(trx, visitor, action, { id, type: 'audit' }, details) }
}

/** Exports that one process makes at a time: each may take an hour. */
const exportsMax = 16

const tooManyExports = refuse('overloaded', {
  detail: `${exportsMax} exports are under way: wait for one to end`,
  retryAfterMs: 60_000,
})
