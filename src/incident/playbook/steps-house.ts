import type { Database } from '../../store/database.ts'
import { freezeChanges, thawChanges } from '../freeze.ts'
import { type Incident, incidentOf } from '../incident.ts'
import { because, markOf, type StepAct, type Turn } from './act.ts'
import { breachReport } from './breach-report.ts'
import type { Step } from './step.ts'

/** Nobody changes who may do what until it is thawed. */
export const freeze: StepAct<Extract<Step, { do: 'changes.freeze' }>> = {
  async act(trx, _step, turn) {
    const { clock, note } = turn.rooms
    const { startedBy: by, incident, playbook, reason } = turn.run
    const since = clock.now()
    const text = reason === '' ? `playbook ${playbook}` : reason
    if (!(await freezeChanges(trx, { since, by, reason: text, incident, mark: markOf(turn) })))
      return { skipped: 'changes were frozen already' }
    const details = because(turn, { incident: incident ?? '' })
    await note(trx, { type: 'admin_action', action: 'changes.freeze', resource: house, details })
    return { told: 'changes frozen', facts: { since } }
  },

  async undo(trx, _facts, turn) {
    const thawed = await thawChanges(trx, markOf(turn))
    if (thawed === undefined) return { skipped: 'this freeze was over already' }
    await turn.rooms.note(trx, {
      type: 'admin_action',
      action: 'changes.thaw',
      resource: house,
      details: because(turn),
    })
    return { told: 'changes thawed', facts: {} }
  },
}

/** Signs the record as it is, so that what is in it by now is in it for good. */
export const snapshot: StepAct<Extract<Step, { do: 'audit.snapshot' }>> = {
  async prepare({ rooms, isDry }) {
    const made = isDry ? undefined : await rooms.checkpoint()
    return made === undefined ? {} : { size: made.size, root: made.root }
  },

  async act(trx, _step, turn) {
    const head = await trx.selectFrom('audit_head').selectAll().executeTakeFirst()
    const facts = { ...turn.prepared, seq: head?.seq ?? 0, hash: head?.hash ?? '' }
    const details = because(turn, { seq: facts.seq, hash: facts.hash })
    const resource = { id: 'checkpoint', type: 'audit' } as const
    await turn.rooms.note(trx, { type: 'admin_action', action: 'audit.checkpoint', resource, details })
    return { told: `the record up to event ${facts.seq} has hash ${facts.hash.slice(0, 16)}…`, facts }
  },
}

/** Tells everybody who has not heard of it: also the channels that do not ask for incidents like this one. */
export const alert: StepAct<Extract<Step, { do: 'alert' }>> = {
  async act(trx, _step, turn) {
    const incident = await incidentOfRun(trx, turn)
    if (incident === undefined) return { skipped: 'there is no incident to tell of' }
    if (incident.status === 'resolved') return { skipped: 'the incident is resolved' }
    const channels = await turn.rooms.alert(trx, incident)
    return channels.length === 0
      ? { skipped: 'everybody has heard of it' }
      : { told: `${channels.join(', ')} told`, facts: { channels } }
  },
}

/** Writes what an authority has to be told of a breach (GDPR Art. 33 (3)), as far as the house knows it. */
export const report: StepAct<Extract<Step, { do: 'incident.report' }>> = {
  async act(trx, _step, turn) {
    const { rooms } = turn
    const incident = await incidentOfRun(trx, turn)
    if (incident === undefined) return { skipped: 'there is no incident to report' }
    const steps = await trx
      .selectFrom('playbook_steps')
      .innerJoin('playbook_runs', 'playbook_runs.id', 'playbook_steps.run_id')
      .select(['playbook', 'number', 'step', 'playbook_steps.status', 'outcome', 'done_at'])
      .where('incident_id', '=', incident.id)
      .where('done_at', 'is not', null)
      .orderBy('done_at')
      .orderBy('number')
      .limit(200)
      .execute()
    const entries = await rooms.timeline.page(trx, incident.id, 0, 200)
    const text = breachReport({ incident, entries, steps, now: rooms.clock.now() })
    return { told: 'the report is written', facts: { report: text } }
  },
}

async function incidentOfRun(trx: Database, { run }: Turn): Promise<Incident | undefined> {
  if (run.incident === undefined) return undefined
  const row = await trx.selectFrom('incidents').selectAll().where('id', '=', run.incident).executeTakeFirst()
  return row && incidentOf(row)
}

const house = { id: 'house', type: 'house' } as const
