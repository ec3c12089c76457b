import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/id.ts'
import { type AlertPlan, alertPlan } from './alert/plan.ts'
import { IncidentBook, type IncidentBookParts } from './incidents.ts'
import type { IncidentOptions } from './options.ts'

/** The rooms of incidents: they hold nothing in memory, and are made anew with each configuration. */
export interface IncidentRooms {
  readonly incidentBook: IncidentBook
  readonly alertPlan: AlertPlan
}

interface IncidentParts {
  readonly options: IncidentOptions
  readonly clock: Clock
  readonly random: Random
  readonly onOpened: IncidentBookParts['onOpened']
}

export function openIncidents({ options, clock, random, onOpened }: IncidentParts): IncidentRooms {
  const alerts = alertPlan({ ...options, clock, random })
  return { incidentBook: new IncidentBook({ clock, random, alerts, onOpened }), alertPlan: alerts }
}
