import type { PlaybookRunsTable, PlaybookStepsTable } from '../../store/schema-incidents.ts'
import type { Target } from '../finding.ts'
import type { Facts } from './act.ts'
import { actOf } from './acts.ts'
import type { Step } from './step.ts'

/** A playbook that was begun, as it was when it began. Times are milliseconds since the epoch. */
export interface Run {
  readonly id: string
  readonly playbook: string
  readonly incident: string | undefined
  readonly status: PlaybookRunsTable['status']
  readonly targets: readonly Target[]
  readonly onFailure: PlaybookRunsTable['on_failure']
  readonly reason: string
  /** An account id, `operator`, or `gatehouse` for one that began by itself. */
  readonly startedBy: string
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly steps: readonly RunStep[]
}

export interface RunStep {
  /** 1, 2, 3 … */
  readonly number: number
  readonly step: Step
  readonly status: PlaybookStepsTable['status']
  readonly outcome: StepOutcome
  readonly approvedBy: string | undefined
  readonly doneAt: number | undefined
  /** When it undoes itself. */
  readonly undoAt: number | undefined
  readonly undoneAt: number | undefined
}

/** What came of a step. */
export interface StepOutcome {
  /** In words and counts; why not, where it was skipped, failed or rejected. */
  readonly told?: string
  readonly facts?: Facts
  /** It is under way, as far as the facts say. */
  readonly more?: true
  /** What came of undoing it. */
  readonly undone?: string
}

export function runOf(row: PlaybookRunsTable, steps: readonly PlaybookStepsTable[]): Run {
  return {
    id: row.id,
    playbook: row.playbook,
    incident: row.incident_id ?? undefined,
    status: row.status,
    targets: JSON.parse(row.targets) as readonly Target[],
    onFailure: row.on_failure,
    reason: row.reason,
    startedBy: row.started_by,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    steps: steps.map(stepOf),
  }
}

function stepOf(row: PlaybookStepsTable): RunStep {
  return {
    number: row.number,
    step: JSON.parse(row.step) as Step,
    status: row.status,
    outcome: JSON.parse(row.outcome) as StepOutcome,
    approvedBy: row.approved_by ?? undefined,
    doneAt: row.done_at ?? undefined,
    undoAt: row.undo_at ?? undefined,
    undoneAt: row.undone_at ?? undefined,
  }
}

/** Whether it can be undone now. */
export function canUndo({ step, status }: RunStep): boolean {
  return status === 'done' && actOf(step).undo !== undefined
}

/** The state of a run whose steps wait for nothing any more. */
export function endOf(steps: readonly RunStep[]): Run['status'] {
  const has = (status: RunStep['status']): boolean => steps.some((one) => one.status === status)
  if (has('failed')) return 'failed'
  if (has('done')) return 'done'
  if (has('undone')) return 'undone'
  return has('rejected') ? 'rejected' : 'done'
}
