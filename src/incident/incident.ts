import type { Details } from '../audit/event.ts'
import type { IncidentEntriesTable, IncidentsTable } from '../store/schema-incidents.ts'
import type { Severity, Target } from './finding.ts'

export const statuses = ['active', 'acknowledged', 'resolved'] as const
export type IncidentStatus = (typeof statuses)[number]

/** Something that happened to the house, and what has been done about it. Times are milliseconds since the epoch. */
export interface Incident {
  readonly id: string
  readonly type: string
  readonly severity: Severity
  readonly status: IncidentStatus
  readonly cause: string
  readonly title: string
  readonly description: string
  readonly details: Details
  readonly targets: readonly Target[]
  /** How many findings have joined it, the first one counted. */
  readonly occurrences: number
  readonly beganAt: number
  readonly lastAt: number
  readonly detectedAt: number
  readonly acknowledgedAt: number | undefined
  readonly containedAt: number | undefined
  readonly resolvedAt: number | undefined
  /** An account id. */
  readonly assignee: string | undefined
  readonly version: number
}

/** One line of its timeline. */
export interface TimelineEntry {
  /** 1, 2, 3 … */
  readonly position: number
  readonly at: number
  /** An account id, `gatehouse`, or `operator`. */
  readonly actor: string
  /** `opened`, `joined`, `worse`, `note`, `acknowledged`, `alert`, `playbook` … */
  readonly kind: string
  readonly text: string
  readonly details: Details
}

/** Something to be written into a timeline. */
export type NewEntry = Omit<TimelineEntry, 'position' | 'at'>

export function incidentOf(row: IncidentsTable): Incident {
  return {
    id: row.id,
    type: row.type,
    severity: row.severity,
    status: row.status,
    cause: row.cause,
    title: row.title,
    description: row.description,
    details: JSON.parse(row.details) as Details,
    targets: JSON.parse(row.targets) as readonly Target[],
    occurrences: row.occurrences,
    beganAt: row.began_at,
    lastAt: row.last_at,
    detectedAt: row.detected_at,
    acknowledgedAt: row.acknowledged_at ?? undefined,
    containedAt: row.contained_at ?? undefined,
    resolvedAt: row.resolved_at ?? undefined,
    assignee: row.assignee ?? undefined,
    version: row.version,
  }
}

export function entryOf({ position, at, actor, kind, text, details }: IncidentEntriesTable): TimelineEntry {
  return { position, at, actor, kind, text, details: JSON.parse(details) as Details }
}

/** When the authority has to be told of a breach of personal data: 72 hours after it was noticed (GDPR Art. 33 (1)). */
export function reportDueAt({ type, detectedAt }: Pick<Incident, 'type' | 'detectedAt'>): number | undefined {
  return type === 'data-breach' ? detectedAt + 72 * 3_600_000 : undefined
}
