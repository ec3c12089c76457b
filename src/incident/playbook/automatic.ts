import type { Database } from '../../store/database.ts'
import { severities } from '../finding.ts'
import type { Incident } from '../incident.ts'
import type { Timeline } from '../timeline.ts'
import type { StepRooms } from './act.ts'
import type { Playbooks } from './options.ts'
import type { RunBook } from './run-book.ts'

interface AutomaticParts {
  readonly playbooks: () => Playbooks
  readonly book: RunBook
  readonly timeline: Timeline
  readonly note: StepRooms['note']
}

/**
 * Begins what begins by itself, in the transaction that opens an incident: for `onOpened` of the incidents. Whoever serves carries it
 * out.
 */
export function automaticRuns({ playbooks, book, timeline, note }: AutomaticParts) {
  return async (trx: Database, incident: Incident): Promise<void> => {
    if (incident.details['playbooks'] === 'none') return
    for (const [name, playbook] of playbooks()) {
      const { automatic, for: types, minSeverity = 'low', steps, onFailure } = playbook
      const isBad = severities.indexOf(incident.severity) >= severities.indexOf(minSeverity)
      if (!automatic || !types.includes(incident.type) || !isBad) continue
      const { id, targets } = incident
      const draft = { playbook: name, steps, onFailure, incident: id, targets, startedBy: 'gatehouse', reason: '' }
      const run = await book.begin(trx, draft)
      const details = { because: `incident ${incident.type}`, incident: id, playbook: name }
      await note(trx, {
        type: 'admin_action',
        action: 'playbook.run',
        resource: { id: run, type: 'playbook' },
        details,
      })
      const text = `playbook ${name} begins by itself`
      await timeline.add(trx, id, { actor: 'gatehouse', kind: 'playbook', text, details: { playbook: name, run } })
    }
  }
}
