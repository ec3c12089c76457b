import type { AuditEvent, Details } from '../../audit/event.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { IncidentBook } from '../incidents.ts'
import type { Channel, Outcome } from './channel.ts'
import { type DueAlert, dueAlerts, triedWithin } from './due.ts'
import { type Message, occasionOf, rings, type Told } from './told.ts'

export interface AlertLine {
  readonly name: string
  readonly channel: Channel
  /** Messages at most. */
  readonly perMinute: number
}

interface AlertParts {
  readonly lines: readonly AlertLine[]
  readonly store: Store
  readonly book: Pick<IncidentBook, 'entry'>
  /** Writes into the record that somebody could not be told. */
  readonly note: (trx: Database, lost: AlertLost) => Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** An alert that was given up, as the record has it. */
export interface AlertLost {
  readonly type: 'system'
  readonly action: 'alert-lost'
  readonly resource: AuditEvent['resource']
  readonly details: Details
}

/**
 * Sends the alerts that the store holds. Of several nodes one has each; what failed comes again, ever later, for a day and a dozen times. Channels wait for
 * themselves and not for each other: one that hangs keeps nobody else from being told.
 */
export class Alerts {
  readonly #parts: AlertParts
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(parts: AlertParts) {
    this.#parts = parts
  }

  /** Begins a turn of each channel that is not at one. It waits for none of them. */
  begin(): void {
    if (this.#closing.signal.aborted) return
    for (const line of this.#parts.lines) {
      if (this.#underWay.has(line.name)) continue
      const turn = this.#turn(line)
        .catch((error: unknown) =>
          this.#parts.log.warn({ channel: line.name, err: error }, 'alerts are not sent; it is tried again'),
        )
        .finally(() => this.#underWay.delete(line.name))
      this.#underWay.set(line.name, turn)
    }
  }

  /** One turn of all channels, to its end. */
  async drain(): Promise<void> {
    this.begin()
    await Promise.all(this.#underWay.values())
  }

  /** No more alerts: what is under way is broken off, and tried again by whoever comes next. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#underWay.values())
    for (const { channel } of this.#parts.lines) if (channel.kind === 'sends') await channel.close()
  }

  /** Gives up what is for channels that there are no more, and forgets what incidents that are over have no more use for. */
  async sweep(db: Database, beforeMs: number): Promise<void> {
    const { clock, lines } = this.#parts
    const now = clock.now()
    const names = lines.map(({ name }) => name)
    await db
      .updateTable('alerts')
      .set({ given_up_at: now, problem: 'there is no channel of this name any more' })
      .where('sent_at', 'is', null)
      .where('given_up_at', 'is', null)
      .where('first_due_at', '<', now - dayMs)
      .$if(names.length > 0, (query) => query.where('channel', 'not in', names))
      .execute()
    await db
      .deleteFrom('alerts')
      .where((is) => is.or([is('sent_at', '<', beforeMs), is('given_up_at', '<', beforeMs)]))
      .where('incident_id', 'in', (of) =>
        of.selectFrom('incidents').select('id').where('status', '=', 'resolved').where('resolved_at', '<', beforeMs),
      )
      .execute()
  }

  async #turn(line: AlertLine): Promise<void> {
    for (let sent = 0; sent < messagesMax && !this.#closing.signal.aborted; sent++) {
      const batch = await this.#take(line)
      if (batch === undefined) return
      const outcome = await this.#tell(line, batch)
      if (outcome === 'told') continue
      await this.#failed(line, batch, outcome)
      return // the next would most likely fare the same, and only lose a try
    }
  }

  /** What is due and allowed, moved on for as long as one try may take: whoever comes second finds it moved. */
  async #take({ name, perMinute }: AlertLine): Promise<Batch | undefined> {
    const { store, clock, random } = this.#parts
    if ((await dueAlerts(store.db, name, clock.now(), 1)).length === 0) return undefined
    return store.transaction(async (trx) => {
      await holdChannel(trx, name)
      const now = clock.now()
      const due = await dueAlerts(trx, name, now, togetherMax)
      const chosen = choose(due, perMinute - (await triedWithin(trx, name, now, minuteMs)))
      const [first] = chosen
      if (first === undefined) return undefined
      const message = uuidv7(now, random)
      await trx
        .updateTable('alerts')
        .set((row) => ({ due_at: now + leaseMs, tried_at: now, tries: row('tries', '+', 1), message }))
        .where(
          'id',
          'in',
          chosen.map(({ id }) => id),
        )
        .execute()
      return { message, alerts: [first, ...chosen.slice(1)] }
    })
  }

  async #tell({ name, channel }: AlertLine, batch: Batch): Promise<Outcome> {
    const { store, clock } = this.#parts
    const [first, ...rest] = batch.alerts
    const message: Message = {
      id: rest.length === 0 ? first.id : batch.message,
      at: clock.now(),
      told: [toldIn(first), ...rest.map(toldIn)],
    }
    if (channel.kind === 'posts') {
      await store.transaction(async (trx) => {
        if (await this.#sent(trx, name, batch)) await channel.post(trx, message)
      })
      return 'told'
    }
    const outcome = await channel.send(message, this.#closing.signal)
    if (outcome === 'told') await store.transaction((trx) => this.#sent(trx, name, batch))
    return outcome
  }

  /** Whether this try is still the one that counts. */
  async #sent(trx: Database, name: string, { message, alerts }: Batch): Promise<boolean> {
    const { clock, book } = this.#parts
    const rows = await trx
      .updateTable('alerts')
      .set({ sent_at: clock.now(), problem: null })
      .where('message', '=', message)
      .where('sent_at', 'is', null)
      .returning('id')
      .execute()
    for (const { incident_id, occasion } of rows.length === 0 ? [] : alerts)
      if (occasionOf(occasion) === 'escalated')
        await book.entry(trx, incident_id, {
          actor: 'gatehouse',
          kind: 'escalated',
          text: `nobody has acknowledged it: \`${name}\` was told`,
          details: { channel: name, occasion },
        })
    return rows.length > 0
  }

  async #failed(
    { name }: AlertLine,
    { message, alerts }: Batch,
    { problem, retryAfterMs = 0 }: Exclude<Outcome, 'told'>,
  ): Promise<void> {
    const { store, clock, random, log, book, note } = this.#parts
    const now = clock.now()
    const jitter = 0.75 + ((random.bytes(1)[0] ?? 0) / 255) * 0.5
    await store.transaction(async (trx) => {
      for (const { id, incident_id, occasion, tries, first_due_at } of alerts) {
        const waitMs = Math.max(Math.min(pauseMaxMs, 1_000 * 2 ** Math.min(tries, 30)) * jitter, retryAfterMs)
        const givenUp = now - first_due_at >= dayMs && tries + 1 >= triesMin
        const row = await trx
          .updateTable('alerts')
          .set({
            due_at: now + Math.round(Math.min(waitMs, pauseMaxMs)),
            problem,
            given_up_at: givenUp ? now : null,
          })
          .where('id', '=', id)
          .where('message', '=', message) // a later try, elsewhere, has its own say
          .where('sent_at', 'is', null)
          .returning('id')
          .executeTakeFirst()
        if (row === undefined || !givenUp) continue
        const details = { channel: name, occasion, problem }
        const text = `\`${name}\` could not be told for a day: ${problem}`
        await book.entry(trx, incident_id, { actor: 'gatehouse', kind: 'alert', text, details })
        const resource = { id: incident_id, type: 'incident' } as const
        await note(trx, { type: 'system', action: 'alert-lost', resource, details })
      }
    })
    log.warn({ channel: name, alerts: alerts.length, problem }, 'an alert was not taken')
  }
}

interface Batch {
  /** By it this try is told from others. */
  readonly message: string
  readonly alerts: readonly [DueAlert, ...DueAlert[]]
}

/**
 * What is told next: one alert, or all that wait where there are more than may be told one by one. What takes a call back is
 * told by itself, and always allowed.
 */
function choose(due: readonly DueAlert[], allowed: number): readonly DueAlert[] {
  const calls = due.filter(({ occasion }) => rings(occasionOf(occasion)))
  if (calls.length > 0 && allowed > 0) return calls.length > allowed && allowed === 1 ? calls : calls.slice(0, 1)
  return due.filter(({ occasion }) => !rings(occasionOf(occasion))).slice(0, 1)
}

function toldIn({ content }: DueAlert): Told {
  return JSON.parse(content) as Told
}

/** Of all nodes one at a time chooses for a channel: what it may send in a minute is one count. */
async function holdChannel(trx: Database, name: string): Promise<void> {
  await trx
    .insertInto('house')
    .values({ name: `alerts-${name}`, value: '' })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: '' }))
    .execute()
}

const messagesMax = 100
/** Alerts of one message at most. */
const togetherMax = 1_000
const minuteMs = 60_000
const dayMs = 86_400_000
const pauseMaxMs = 600_000
/** Tries of about half an hour: what waited while the house was closed, or its clock jumped, has them too. */
const triesMin = 12
/** Longer than one try takes: after a crash it is anybody's again. */
const leaseMs = 45_000
