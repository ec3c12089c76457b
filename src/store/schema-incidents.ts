/** What a rule of detection remembers for longer than its window: places and devices that somebody was seen at before. */
export interface DetectionMemoryTable {
  rule: string
  /** Keyed hash of whom or what it is about. */
  key: string
  /** Keyed hash of what was seen, or what the rule goes on from. */
  value: string
  /** When it was seen last. */
  at: number
}

/** Something that happened to the house. What has the same cause joins the one that is open. */
export interface IncidentsTable {
  id: string
  /** `brute-force`, `data-breach` … */
  type: string
  severity: 'low' | 'medium' | 'high' | 'critical'
  status: 'active' | 'acknowledged' | 'resolved'
  /** What makes two findings one incident: a rule, and whom it is about. Unique among those that are not resolved. */
  cause: string
  title: string
  description: string
  /** JSON: small facts. */
  details: string
  /** JSON: whom and what it is about, for the steps of playbooks. */
  targets: string
  /** How many findings have joined it. */
  occurrences: number
  /** When the first and the last event of it took place. */
  began_at: number
  last_at: number
  /** When it was noticed. */
  detected_at: number
  acknowledged_at: number | null
  contained_at: number | null
  resolved_at: number | null
  /** An account id. */
  assignee: string | null
  /** How many entries its timeline has: the position of the last one. */
  entries: number
  /** Rises with each change by somebody, and with its severity: of two who change it at one moment, one does. */
  version: number
}

/** Its timeline. */
export interface IncidentEntriesTable {
  incident_id: string
  /** 1, 2, 3 … */
  position: number
  at: number
  /** Account id, `gatehouse`, or `operator`. */
  actor: string
  kind: string
  text: string
  /** JSON. */
  details: string
}

/** The events of the record that it rests on. */
export interface IncidentEventsTable {
  incident_id: string
  seq: number
}

/** A playbook that was begun, as it was when it began. */
export interface PlaybookRunsTable {
  id: string
  playbook: string
  incident_id: string | null
  status: 'pending' | 'running' | 'waiting' | 'done' | 'failed' | 'undone' | 'rejected'
  /** JSON. */
  targets: string
  /** What becomes of the steps behind one that failed. */
  on_failure: 'continue' | 'stop'
  reason: string
  started_by: string
  started_at: number
  ended_at: number | null
  /** The process that carries it out, until a moment. */
  holder: string
  held_until: number
}

export interface PlaybookStepsTable {
  run_id: string
  /** 1, 2, 3 … */
  number: number
  /** JSON: what is to be done, with its arguments. */
  step: string
  status: 'pending' | 'waiting' | 'done' | 'failed' | 'skipped' | 'rejected' | 'undone'
  /** JSON: what was done, and what undoing it needs. */
  outcome: string
  approved_by: string | null
  done_at: number | null
  /** When it undoes itself. */
  undo_at: number | null
  undone_at: number | null
}

/** Words about an incident that wait to be sent: each occasion once to each channel. */
export interface AlertsTable {
  id: string
  incident_id: string
  channel: string
  /** `opened`, `worse high`, `escalated 1` … */
  occasion: string
  /** Of the incident, then: by it what becomes of one is told in its order. */
  version: number
  /** JSON: the incident as it was then. */
  content: string
  due_at: number
  /** When it was due before any try: it is given up a day later. */
  first_due_at: number
  tries: number
  tried_at: number | null
  /** The message that it was last tried in: several alerts have one where there are too many. */
  message: string | null
  sent_at: number | null
  given_up_at: number | null
  problem: string | null
}
