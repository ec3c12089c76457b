import type { Details, Resource } from '../audit/event.ts'
import type { Database } from '../store/database.ts'
import type { Finding, Report } from './finding.ts'
import type { Incident } from './incident.ts'
import type { IncidentBook } from './incidents.ts'
import { plain } from './timeline.ts'

/** What the house noticed, as the record has it. */
export interface Noticed {
  readonly type: 'security_incident'
  readonly action: 'detected'
  /** The incident; where none is opened, whom it is about. */
  readonly resource: Resource
  readonly details: Details
}

interface ReporterParts {
  readonly book: IncidentBook
  /** Writes into the record what was noticed. */
  readonly note: (trx: Database, noticed: Noticed) => Promise<void>
}

/**
 * What is found joins the open incident of its cause, or opens one. Of many who find the same at one moment, on whatever node, one opens
 * it, and the others join: nobody's transaction fails for it.
 */
export function reporter({ book, note }: ReporterParts): Report {
  return async (trx, found) => {
    if (found.incident === false) return note(trx, remembered(found))
    // It is found again by an index, whose entries cannot be of any length.
    const finding = { ...found, cause: plain(found.cause).slice(0, causeMax).toWellFormed() }
    for (let tries = 0; tries < triesMax; tries++) {
      const joined = await book.join(trx, finding)
      if (joined !== undefined) return note(trx, noticed(joined, 'joined', finding))
      const opened = await book.insert(trx, finding, 'gatehouse')
      if (opened !== undefined) return note(trx, noticed(opened, 'opened', finding))
      // Somebody else has opened it since. It may even be resolved again: then it is looked for anew.
    }
    throw new Error(`an incident was opened and resolved ${triesMax} times while it was to be joined`)
  }
}

function noticed({ id, type, severity, title }: Incident, outcome: 'opened' | 'joined', { count }: Finding): Noticed {
  return {
    type: 'security_incident',
    action: 'detected',
    resource: { id, type: 'incident' },
    details: { count, incident_type: type, outcome, severity, title },
  }
}

function remembered({ type, severity, title, targets, events, count }: Finding): Noticed {
  const about = targets.find((target) => target.type !== 'address') // people's addresses do not stand in clear
  return {
    type: 'security_incident',
    action: 'detected',
    resource: about ?? { id: 'house', type: 'house' },
    details: { count, event: events.at(-1) ?? 0, incident_type: type, outcome: 'remembered', severity, title },
  }
}

const triesMax = 10
const causeMax = 500
