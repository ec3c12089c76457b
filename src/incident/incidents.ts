import { sql } from 'kysely'
import type { Details } from '../audit/event.ts'
import type { Clock } from '../kernel/clock.ts'
import { type Random, uuidv7 } from '../kernel/id.ts'
import { oneLine } from '../kernel/one-line.ts'
import type { Database } from '../store/database.ts'
import type { AlertPlan } from './alert/plan.ts'
import { mergeEvidence } from './evidence.ts'
import { type Finding, type Severity, severities, type Target } from './finding.ts'
import { type Incident, type IncidentStatus, incidentOf, type NewEntry, reportDueAt } from './incident.ts'
import { plain, Timeline } from './timeline.ts'

export interface IncidentBookParts {
  readonly clock: Clock
  readonly random: Random
  readonly alerts: AlertPlan
  /** What else begins with an incident, in the transaction that opens it: playbooks. */
  readonly onOpened: readonly ((trx: Database, incident: Incident) => Promise<void>)[]
}

/** An incident as a person opens it. */
export interface IncidentDraft extends Pick<Finding, 'type' | 'severity' | 'title' | 'description' | 'targets'> {
  /** When it began, milliseconds since the epoch; now, where nobody knows. */
  readonly beganAt?: number | undefined
}

/** Which incidents, the newest first. */
export interface IncidentQuery {
  readonly limit: number
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined
  /** `open`: whatever is not resolved. */
  readonly status?: IncidentStatus | 'open' | undefined
  readonly type?: string | undefined
  readonly severity?: Severity | undefined
}

/** The incidents of the house. */
export class IncidentBook {
  readonly timeline: Timeline
  readonly #parts: IncidentBookParts

  constructor(parts: IncidentBookParts) {
    this.#parts = parts
    this.timeline = new Timeline(parts)
  }

  /** Opens an incident that a person has noticed: it stands alone, whatever else is open. */
  async open(trx: Database, draft: IncidentDraft, actor: string): Promise<Incident> {
    const { clock, random } = this.#parts
    const now = clock.now()
    const beganAt = Math.min(draft.beganAt ?? now, now)
    const opened = await this.insert(
      trx,
      { ...draft, cause: `person ${uuidv7(now, random)}`, details: {}, events: [], beganAt, lastAt: now, count: 1 },
      actor,
    )
    if (opened === undefined) throw new Error('an incident of a new cause was there already')
    return opened
  }

  async find(db: Database, id: string): Promise<Incident | undefined> {
    const row = await db.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst()
    return row && incidentOf(row)
  }

  /** An incident, held until the transaction ends. */
  async hold(trx: Database, id: string): Promise<Incident | undefined> {
    const row = await trx
      .updateTable('incidents')
      .set((of) => ({ version: of.ref('version') }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    return row && incidentOf(row)
  }

  /** The open incident of a cause. */
  async openOf(db: Database, cause: string): Promise<Incident | undefined> {
    const row = await db
      .selectFrom('incidents')
      .selectAll()
      .where('cause', '=', cause)
      .where('status', '!=', 'resolved')
      .executeTakeFirst()
    return row && incidentOf(row)
  }

  async page(
    db: Database,
    { limit, after, status, type, severity }: IncidentQuery,
  ): Promise<{ readonly incidents: readonly Incident[]; readonly next: IncidentQuery['after'] }> {
    let query = db.selectFrom('incidents').selectAll()
    if (status === 'open') query = query.where('status', '!=', 'resolved')
    else if (status !== undefined) query = query.where('status', '=', status)
    if (type !== undefined) query = query.where('type', '=', type)
    if (severity !== undefined) query = query.where('severity', '=', severity)
    if (after !== undefined)
      query = query.where((is) =>
        is.or([
          is('detected_at', '<', after.createdAt),
          is.and([is('detected_at', '=', after.createdAt), is('id', '<', after.id)]),
        ]),
      )
    const rows = await query
      .orderBy('detected_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const incidents = rows.slice(0, limit).map(incidentOf)
    const last = incidents.at(-1)
    return {
      incidents,
      next: rows.length > limit && last !== undefined ? { createdAt: last.detectedAt, id: last.id } : undefined,
    }
  }

  /** Writes into the timeline. Answers false where there is no such incident. */
  entry(trx: Database, incidentId: string, entry: NewEntry): Promise<boolean> {
    return this.timeline.add(trx, incidentId, entry)
  }

  /** Opens an incident, or answers undefined where an open one has its cause. */
  async insert(trx: Database, finding: Finding, actor: string): Promise<Incident | undefined> {
    const { clock, random, alerts, onOpened } = this.#parts
    const now = clock.now()
    const id = uuidv7(now, random)
    const due = reportDueAt({ type: finding.type, detectedAt: now })
    const previous = await latestOf(trx, finding.cause)
    const row = await trx
      .insertInto('incidents')
      .values({
        id,
        type: finding.type,
        severity: finding.severity,
        status: 'active',
        cause: finding.cause,
        title: lineOf(finding.title),
        description: plain(finding.description).slice(0, descriptionMax).toWellFormed(),
        details: detailsText(finding.details, {
          ...(due === undefined ? {} : { report_due: new Date(due).toISOString() }),
          ...(previous === undefined ? {} : { previous }),
        }),
        targets: JSON.stringify(merged([], finding.targets)),
        occurrences: 1,
        began_at: finding.beganAt,
        last_at: finding.lastAt,
        detected_at: now,
        acknowledged_at: null,
        contained_at: null,
        resolved_at: null,
        assignee: null,
        entries: 0,
        version: 1,
      })
      // Without a target: on PostgreSQL a unique violation would spoil the whole transaction, which is the finder's.
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) return undefined
    const incident = incidentOf(row)
    await mergeEvidence(trx, id, finding.events)
    const text = previous === undefined ? incident.title : `${incident.title} (again: it was resolved before)`
    const details = { severity: incident.severity, ...(previous === undefined ? {} : { previous }) }
    await this.timeline.add(trx, id, { actor, kind: 'opened', text, details })
    await alerts.opened(trx, incident)
    for (const begin of onOpened) await begin(trx, incident)
    return incident
  }

  /** Joins a finding to the open incident of its cause, or answers undefined where there is none. */
  async join(trx: Database, finding: Finding): Promise<Incident | undefined> {
    // Changing the row before it is read holds it until the transaction ends, on both databases.
    const held = await trx
      .updateTable('incidents')
      .set((of) => ({ occurrences: of('occurrences', '+', 1) }))
      .where('cause', '=', finding.cause)
      .where('status', '!=', 'resolved')
      .returningAll()
      .executeTakeFirst()
    if (held === undefined) return undefined
    const before = incidentOf(held)
    const worse = isWorse(finding.severity, before.severity)
    const row = await trx
      .updateTable('incidents')
      .set((of) => ({
        targets: JSON.stringify(merged(before.targets, finding.targets)),
        details: detailsText({ ...before.details, ...finding.details }, reserved(before.details)),
        began_at: Math.min(before.beganAt, finding.beganAt),
        last_at: Math.max(before.lastAt, finding.lastAt),
        ...(worse ? { severity: finding.severity, version: sql<number>`${of.ref('version')} + 1` } : {}),
      }))
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow()
    const incident = incidentOf(row)
    await mergeEvidence(trx, before.id, finding.events)
    if (worse) {
      const text = `it is worse than it was: ${before.severity}, now ${finding.severity}`
      const details = { from: before.severity, to: finding.severity }
      await this.timeline.add(trx, before.id, { actor: 'gatehouse', kind: 'worse', text, details })
      await this.#parts.alerts.worse(trx, incident)
    } else {
      await this.timeline.joined(trx, before.id, held.entries, finding.lastAt)
    }
    return incident
  }
}

function isWorse(one: Severity, other: Severity): boolean {
  return severities.indexOf(one) > severities.indexOf(other)
}

/** The incident of a cause before this one. */
async function latestOf(trx: Database, cause: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('incidents')
    .select('id')
    .where('cause', '=', cause)
    .where('status', '=', 'resolved')
    .orderBy('detected_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.id
}

/** Those that are known first: a flood of others does not take their place. */
function merged(known: readonly Target[], found: readonly Target[]): readonly Target[] {
  const all = new Map(
    [...known, ...found].map(({ type, id }) => {
      const target = { type, id: plain(id).slice(0, 300).toWellFormed() }
      return [`${target.type} ${target.id}`, target] as const
    }),
  )
  return [...all.values()].slice(0, targetsMax)
}

/** Small facts, so many at most, with our own among them whatever a finding says. */
function detailsText(given: Details, own: Details): string {
  const facts = Object.entries(given)
    .slice(0, detailsMax)
    .map(([name, value]) => [
      plain(name).slice(0, 64).toWellFormed(),
      typeof value === 'string' ? plain(value).slice(0, 500).toWellFormed() : value,
    ])
  return JSON.stringify({ ...Object.fromEntries(facts), ...own })
}

function reserved(details: Details): Details {
  return Object.fromEntries(Object.entries(details).filter(([name]) => name === 'report_due' || name === 'previous'))
}

/** One line of text: what breaks a line, or turns the order of characters around, is a space. */
function lineOf(text: string): string {
  return oneLine(text).slice(0, titleMax).toWellFormed()
}

const titleMax = 200
const descriptionMax = 4_000
const targetsMax = 100
const detailsMax = 30
