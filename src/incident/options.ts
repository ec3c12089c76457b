import { z } from 'zod'
import { alertOptions, escalationOptions } from './alert/options.ts'
import { detectionOptions } from './detection/options.ts'
import { playbookOptions } from './playbook/options.ts'

/** What is noticed, who is told, and what is done about it. */
export const incidentOptions = z.strictObject({
  /** Who is told, by the name of the channel. */
  alerts: alertOptions.default({}),
  /** Who is told as well when nobody has acknowledged an incident after a while. */
  escalate: escalationOptions.default([]),
  /** What is done about it, step by step, by the name of the playbook. */
  playbooks: playbookOptions.prefault({}),
  /** What is noticed in the record. */
  detection: detectionOptions.prefault({}),
})

export type IncidentOptions = z.output<typeof incidentOptions>
