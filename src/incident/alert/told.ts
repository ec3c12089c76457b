import type { Severity, Target } from '../finding.ts'
import { type Incident, type IncidentStatus, reportDueAt } from '../incident.ts'

/** What becomes of an incident that somebody is told of. */
export type Occasion = 'opened' | 'worse' | 'escalated' | 'reopened' | 'acknowledged' | 'resolved'

/** An incident as it was at the occasion. Times are RFC 3339. */
export interface Told {
  readonly occasion: Occasion
  readonly id: string
  readonly type: string
  readonly severity: Severity
  readonly status: IncidentStatus
  readonly title: string
  readonly description: string
  readonly began_at: string
  readonly detected_at: string
  /** When an authority has to be told of it. */
  readonly report_due?: string
  readonly targets: readonly Target[]
}

/** One message: of one incident, or of several where there is too much to tell. */
export interface Message {
  /** The same at each try. */
  readonly id: string
  readonly at: number
  readonly told: readonly [Told, ...Told[]]
}

export function toldOf(incident: Incident, occasion: string): Told {
  const { id, type, severity, status, title, description, beganAt, detectedAt, targets } = incident
  const due = reportDueAt(incident)
  return {
    occasion: occasionOf(occasion),
    id,
    type,
    severity,
    status,
    title,
    description: description.slice(0, 1_000).toWellFormed(),
    began_at: new Date(beganAt).toISOString(),
    detected_at: new Date(detectedAt).toISOString(),
    ...(due === undefined ? {} : { report_due: new Date(due).toISOString() }),
    targets: targets.slice(0, 10),
  }
}

/** `worse high` is an occasion by which it became worse. */
export function occasionOf(text: string): Occasion {
  return text.split(' ', 1)[0] as Occasion
}

/** Whether it calls somebody, or takes the call back. */
export function rings(occasion: Occasion): boolean {
  return occasion !== 'acknowledged' && occasion !== 'resolved'
}

/** One line: how bad it is, what it is, and what became of it. */
export function headline({ told }: Message): string {
  const [first] = told
  if (told.length === 1) return `[${first.severity}] ${first.title}${remarks[first.occasion]}`
  return `[${worstOf(told)}] ${told.length} incidents within a short time`
}

export function worstOf(told: readonly [Told, ...Told[]]): Severity {
  return (['critical', 'high', 'medium'] as const).find((one) => told.some(({ severity }) => severity === one)) ?? 'low'
}

const remarks: Readonly<Record<Occasion, string>> = {
  opened: '',
  worse: ' (it is worse than it was)',
  escalated: ' (nobody has acknowledged it)',
  reopened: ' (opened again)',
  acknowledged: ' (acknowledged)',
  resolved: ' (resolved)',
}

/** What a message of many tells of each of the first. */
export const toldMax = 20
