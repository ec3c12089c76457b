import type { Details } from '../audit/event.ts'
import type { Database } from '../store/database.ts'

export const severities = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Whom or what an incident is about: what the steps of playbooks act upon. */
export interface Target {
  readonly type: 'user' | 'address' | 'api-key' | 'client' | 'service' | 'session'
  readonly id: string
}

/** Something that somebody should look at: what a rule found in the record, or what a person reports. */
export interface Finding {
  /** `brute-force`, `token-reuse`, `data-breach` …: playbooks are chosen by it. */
  readonly type: string
  /** `false`: it is remembered, and no incident is opened for it. */
  readonly incident?: false
  readonly severity: Severity
  /** What makes two findings one incident: it joins the open one of the same cause. */
  readonly cause: string
  /** One line. */
  readonly title: string
  readonly description: string
  readonly details: Details
  readonly targets: readonly Target[]
  /** The events that it rests on, by their places in the chain: a hundred at most. */
  readonly events: readonly number[]
  /** When the first and the last of them took place, milliseconds since the epoch. */
  readonly beganAt: number
  readonly lastAt: number
  /** How many events there were, also of those that are not listed. */
  readonly count: number
}

/** Opens an incident, joins the open one of its cause, or only remembers what was found, in the transaction of whoever found it. */
export type Report = (trx: Database, finding: Finding) => Promise<void>
