import { setTimeout as pause } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import type { Log } from '../kernel/log.ts'
import type { Database, Store } from '../store/database.ts'
import type { AuditEvent } from './event.ts'
import { eventText } from './event-text.ts'
import { putInOutbox } from './outbox.ts'
import { type EventSealer, openEventSealer } from './sealer.ts'
import { openAppender, type Writer } from './writer/appender.ts'
import { openRelay, serveRelay } from './writer/relay.ts'
import { openWriterThread, trouble, unreadable } from './writer/writer-thread.ts'

/** What the house remembers. Events go into the chain in the order of each way in. */
export interface AuditLog {
  /**
   * Remembers an access. It waits in memory for the next batch: a crash loses what came in the last moments. When 65,536
   * wait, further ones are dropped, and counted in an `audit-gap` event.
   */
  note(event: AuditEvent): void
  /**
   * Remembers a change in the transaction that makes it: neither is there without the other. What administrators, consents and
   * erasures change is refused with a Fault while this log is not healthy, and for the reasons of `AuditLogParts.refuses`.
   */
  enroll(db: Database, event: AuditEvent): Promise<void>
  /** To be called after that transaction: chains what was enrolled, within milliseconds. */
  wake(): void
  /** Settles when all that was remembered before is in the chain; throws a Fault when the chain takes nothing any more. */
  flush(): Promise<void>
  /** Chains what another thread remembers, and hands over by this port: see `AuditLogParts.relay`. */
  serve(port: MessagePort): void
  /** Writes out what waits, for at most five seconds, and takes no more. */
  close(): Promise<void>
  /** By it the record is read: see `EventReader`. */
  readonly sealer: EventSealer
  /** False when the writer was given something five seconds ago, and the chain has taken nothing since. */
  readonly healthy: boolean
  /** Healthy, and with room for what is noted next. */
  readonly ready: boolean
  /** Accesses that wait to become durable. */
  readonly backlog: number
  /** Accesses that were lost since the start. */
  readonly dropped: number
}

export interface AuditLogParts {
  readonly store: Store
  readonly url: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** 32 bytes: by it the keys of people are sealed, under which lies what events say of them. See `EventSealerParts`. */
  readonly wrappingKey: Uint8Array
  /** Whether a thread of its own writes. A store in memory has one connection, and is written to from here. */
  readonly thread: boolean
  /** Leads to another thread that has the writer: this log has none of its own then. */
  readonly relay?: MessagePort | undefined
  /** Why a change is not made at the moment, if there is something; asked in its transaction. */
  readonly refuses?: ((trx: Database, event: AuditEvent) => Promise<Fault | undefined>) | undefined
}

export async function openAuditLog(parts: AuditLogParts): Promise<AuditLog> {
  const { log } = parts
  const sealer = openEventSealer({ ...parts, onUnreadable: (subject) => log.error({ subject }, unreadable) })
  const audit = new BatchingLog(await openWriter(parts, sealer), sealer, parts)
  audit.wake() // what a process before us enrolled and had no time to chain
  return audit
}

async function openWriter(
  { store, url, wrappingKey, log, thread, relay }: AuditLogParts,
  sealer: EventSealer,
): Promise<Writer> {
  if (relay !== undefined) return openRelay(relay)
  if (thread && url !== 'sqlite::memory:') return openWriterThread({ url, wrappingKey }, log)
  return openAppender(store, sealer, (error) => log.warn({ error }, trouble))
}

/**
 * What nobody does unseen (A61). Signing in is not among it, for it is durable in the outbox either way, and whoever mends the house
 * has to come in; nor is what the house says of itself.
 */
const privileged: ReadonlySet<AuditEvent['type']> = new Set(['admin_action', 'consent', 'erasure'])

const batchMax = 1024
const batchMs = 50
const backlogMax = 65_536
const stalledMs = 5_000
const freshMs = 1_000
const closeMs = 5_000

class BatchingLog implements AuditLog {
  readonly sealer: EventSealer
  readonly #writer: Writer
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #refuses: AuditLogParts['refuses']
  #batch: string[] = []
  #batchTimer: NodeJS.Timeout | undefined
  #backlog = 0
  #dropped = 0
  /** Dropped, and not told of in the chain yet. */
  #untold = 0
  #draining: 'no' | 'yes' | 'and again' = 'no'
  /** Appends under way, and when the writer last had nothing to do or got something done. */
  #appends = 0
  #progressAt = 0
  /**
   * Whether that was a moment ago by the timers of this process: a clock that leaps, because the process or its machine stood still, says
   * nothing of the writer.
   */
  #isFresh = false
  #freshness: NodeJS.Timeout | undefined
  /** Appends that ended. */
  #done = 0
  #closed = false

  constructor(writer: Writer, sealer: EventSealer, { clock, random, log, refuses }: AuditLogParts) {
    this.#writer = writer
    this.sealer = sealer
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#refuses = refuses
  }

  get healthy(): boolean {
    return this.#appends === 0 || this.#isFresh || this.#clock.monotonic() - this.#progressAt < stalledMs
  }

  get ready(): boolean {
    return this.#backlog < backlogMax && this.healthy && !this.#closed
  }

  get backlog(): number {
    return this.#backlog
  }

  get dropped(): number {
    return this.#dropped
  }

  note(event: AuditEvent): void {
    if (this.#backlog < backlogMax && !this.#closed) {
      this.#take(event)
    } else {
      this.#dropped++
      this.#untold++
    }
  }

  async enroll(db: Database, event: AuditEvent): Promise<void> {
    if (privileged.has(event.type) && !this.healthy)
      throw new Fault(
        'record-unavailable',
        `\`${event.action}\` is refused: the audit chain has taken nothing for ${stalledMs} ms`,
      )
    const fault = await this.#refuses?.(db, event)
    if (fault !== undefined) throw fault
    await putInOutbox(db, this.sealer, event)
  }

  /** Every append empties the outbox. One that is under way may have looked there too early: another follows it. */
  wake(): void {
    if (this.#draining !== 'no') {
      this.#draining = 'and again'
      return
    }
    this.#draining = 'yes'
    const drained = (): void => {
      const again = this.#draining === 'and again'
      this.#draining = 'no'
      if (again && !this.#closed) this.wake()
    }
    this.#append([]).then(drained, drained)
  }

  /** The writer keeps the order: once it is through with nothing, it is through with all before. */
  async flush(): Promise<void> {
    this.#handOver()
    const done = new AbortController()
    try {
      await Promise.race([this.#append([]), this.#stall(done.signal)])
    } finally {
      done.abort()
    }
  }

  serve(port: MessagePort): void {
    serveRelay(port, this.#writer)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const patience = new AbortController()
    const outOfTime = pause(closeMs, false, { signal: patience.signal }).catch(() => false)
    const written = this.#writeOut().then(
      () => true,
      () => false,
    )
    if (!(await Promise.race([written, outOfTime]))) {
      this.#log.error(
        { events: this.#backlog },
        'the audit log closed before all accesses were written; what was enrolled waits in the outbox',
      )
    }
    patience.abort()
    await this.#writer.close()
  }

  #take(event: AuditEvent): void {
    this.#backlog++
    this.#batch.push(eventText(event))
    if (this.#batch.length >= batchMax) this.#handOver()
    else this.#batchTimer ??= setTimeout(() => this.#handOver(), batchMs)
  }

  #handOver(): void {
    clearTimeout(this.#batchTimer)
    this.#batchTimer = undefined
    const bodies = this.#batch
    if (bodies.length === 0) return
    this.#batch = []
    this.#append(bodies).then(
      () => {
        this.#backlog -= bodies.length
        if (this.#untold > 0) this.#tellGap()
      },
      () => {
        this.#backlog -= bodies.length
        this.#dropped += bodies.length // closed before they were durable
      },
    )
  }

  async #append(bodies: readonly string[]): Promise<void> {
    if (this.#appends++ === 0) this.#progresses()
    try {
      await this.#writer.append(bodies)
    } finally {
      this.#appends--
      this.#done++
      this.#progresses()
    }
  }

  #progresses(): void {
    this.#progressAt = this.#clock.monotonic()
    this.#isFresh = true
    this.#freshness ??= setTimeout(() => (this.#isFresh = false), freshMs).unref()
    this.#freshness.refresh()
  }

  /** Throws once nothing was got done for as long as makes a log unhealthy, counted from now, in pauses: no clock has to go. */
  async #stall(signal: AbortSignal): Promise<never> {
    let done = this.#done
    for (let quietMs = 0; quietMs < stalledMs; quietMs += 100) {
      await pause(100, undefined, { signal })
      if (this.#done === done) continue
      done = this.#done
      quietMs = 0
    }
    throw new Fault('unavailable', `the audit chain has taken nothing for ${stalledMs} ms`)
  }

  async #writeOut(): Promise<void> {
    do await this.flush()
    while (this.#backlog > 0) // a gap was told of
  }

  #tellGap(): void {
    const at = this.#clock.now()
    const dropped = this.#untold
    this.#untold = 0
    this.#log.error({ dropped }, 'accesses were not remembered: the audit log had no room')
    this.#take({
      action: 'audit-gap',
      actor: { id: 'gatehouse', type: 'system' },
      address: '',
      at,
      details: { dropped },
      id: uuidv7(at, this.#random),
      request_id: '',
      resource: { id: 'house', type: 'house' },
      result: 'error',
      type: 'system',
      user_agent: '',
      v: 1,
    })
  }
}
