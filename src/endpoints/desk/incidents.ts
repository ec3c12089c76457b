import type { AdminAction, Details } from '../../audit/event.ts'
import type { AuditLog } from '../../audit/log.ts'
import { changeIncident, type IncidentChange } from '../../incident/changes.ts'
import { type Evidence, evidenceOf } from '../../incident/evidence.ts'
import type { Incident, TimelineEntry } from '../../incident/incident.ts'
import type { IncidentBook, IncidentDraft, IncidentQuery } from '../../incident/incidents.ts'
import { type IncidentMetrics, incidentMetrics } from '../../incident/metrics.ts'
import type { IncidentRooms } from '../../incident/open.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Database, Store } from '../../store/database.ts'
import { isUniqueViolation } from '../../store/unique-violation.ts'
import { isRefusal } from './guard.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface IncidentDeskRooms extends IncidentRooms {
  readonly store: Store
  readonly audit: AuditLog
  readonly clock: Clock
}

/** Whoever sees to incidents: an administrator at the desk, or an operator at the machine. */
export interface IncidentAuthor {
  readonly id: string
  note(
    trx: Database,
    action: Extract<AdminAction, `incident.${string}`>,
    incident: string,
    details: Details,
  ): Promise<void>
}

/** An incident with all that belongs to it. */
export interface IncidentView {
  readonly incident: Incident
  readonly timeline: readonly TimelineEntry[]
  readonly evidence: readonly Evidence[]
  readonly alerts: readonly AlertView[]
}

/** Who was told of it, or is to be. */
export interface AlertView {
  readonly channel: string
  readonly occasion: string
  readonly dueAt: number
  readonly tries: number
  readonly sentAt: number | undefined
  readonly givenUpAt: number | undefined
  readonly problem: string | undefined
}

/** Incidents as people see to them. What they do stands in the timeline and in the record, or is not done. */
export class IncidentAdministration {
  readonly #rooms: IncidentDeskRooms

  constructor(rooms: IncidentDeskRooms) {
    this.#rooms = rooms
  }

  page(query: IncidentQuery): ReturnType<IncidentBook['page']> {
    const { incidentBook, store } = this.#rooms
    return incidentBook.page(store.db, query)
  }

  async show(id: string): Promise<IncidentView | undefined> {
    const { incidentBook, store } = this.#rooms
    const incident = await incidentBook.find(store.db, id)
    if (incident === undefined) return undefined
    return {
      incident,
      timeline: await this.#timeline(id),
      evidence: await evidenceOf(store.db, id),
      alerts: await alertsOf(store.db, id),
    }
  }

  /** Read page by page: nobody else waits for it. */
  async #timeline(id: string): Promise<readonly TimelineEntry[]> {
    const { incidentBook, store } = this.#rooms
    const all: TimelineEntry[] = []
    for (;;) {
      const page = await incidentBook.timeline.page(store.db, id, all.at(-1)?.position ?? 0, pageMax)
      all.push(...page)
      if (page.length < pageMax || all.length >= timelineMax) return all
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Of those that were noticed within a period; the last thirty days where nobody names another. */
  metrics(fromMs: number | undefined, toMs: number | undefined): Promise<IncidentMetrics> {
    const { store, clock } = this.#rooms
    const until = toMs ?? clock.now() + 1
    return incidentMetrics(store.db, fromMs ?? until - 30 * 86_400_000, until)
  }

  async open(author: IncidentAuthor, draft: IncidentDraft): Promise<Incident> {
    const { store, audit, incidentBook } = this.#rooms
    const incident = await store.transaction(async (trx) => {
      const opened = await incidentBook.open(trx, draft, author.id)
      const { id, type, severity, title } = opened
      await author.note(trx, 'incident.open', id, { incident_type: type, severity, title })
      return opened
    })
    audit.wake()
    return incident
  }

  async change(author: IncidentAuthor, id: string, change: Omit<IncidentChange, 'actor'>): Promise<Incident | Refusal> {
    const { store, audit, incidentBook, alertPlan, clock } = this.#rooms
    const parts = { book: incidentBook, alerts: alertPlan, clock }
    let outcome: Incident | Refusal
    try {
      outcome = await store.transaction(async (trx) => {
        const changed = await changeIncident(trx, parts, id, { ...change, actor: author.id })
        if (isRefusal(changed)) return changed
        // What is said stands in the timeline, which can be corrected: the record keeps that something was.
        await author.note(trx, `incident.${change.deed}`, id, {
          status: changed.status,
          version: changed.version,
          ...(change.deed === 'assign' ? { assignee: change.assignee ?? '' } : {}),
        })
        return changed
      })
    } catch (error) {
      // The cause came again between looking for it and reopening this one.
      if (isUniqueViolation(error))
        return refuse('conflict', { detail: 'it came again: go on with the one that is open' })
      throw error
    }
    if (!isRefusal(outcome)) audit.wake()
    return outcome
  }
}

/** An administrator, as whoever sees to incidents. */
export function incidentAuthorAt(diary: Diary, visitor: Visitor): IncidentAuthor {
  return {
    id: visitor.principal.id,
    note: (trx, action, id, details) => diary.change(trx, visitor, action, { id, type: 'incident' }, details),
  }
}

async function alertsOf(db: Database, incidentId: string): Promise<readonly AlertView[]> {
  const rows = await db
    .selectFrom('alerts')
    .select(['channel', 'occasion', 'due_at', 'tries', 'sent_at', 'given_up_at', 'problem'])
    .where('incident_id', '=', incidentId)
    .orderBy('id')
    .limit(alertsMax)
    .execute()
  return rows.map(({ channel, occasion, due_at, tries, sent_at, given_up_at, problem }) => ({
    channel,
    occasion,
    dueAt: due_at,
    tries,
    sentAt: sent_at ?? undefined,
    givenUpAt: given_up_at ?? undefined,
    problem: problem ?? undefined,
  }))
}

const pageMax = 250
const timelineMax = 2_000
const alertsMax = 500
