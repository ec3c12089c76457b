import type { AuditLog } from '../../audit/log.ts'
import { ownEvent } from '../../audit/own-event.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/database.ts'
import type { IncidentBookParts } from '../incidents.ts'
import { Timeline } from '../timeline.ts'
import type { StepRooms } from './act.ts'
import { automaticRuns } from './automatic.ts'
import type { Playbooks } from './options.ts'
import { RunBook } from './run-book.ts'
import { PlaybookRunner } from './runner.ts'

/** The rooms of playbooks: what they know of runs stands in the store, and they are made anew with each configuration. */
export interface PlaybookRooms {
  readonly playbooks: Playbooks
  readonly runBook: RunBook
  readonly runner: PlaybookRunner
  readonly timeline: Timeline
  /** What begins with an incident: see `IncidentBookParts.onOpened`. */
  readonly onOpened: IncidentBookParts['onOpened']
}

interface PlaybookParts extends Omit<StepRooms, 'db' | 'note' | 'timeline'> {
  readonly options: Playbooks
  readonly store: Store
  readonly audit: AuditLog
  readonly log: Log
}

export function openPlaybooks({ options, store, audit, log, ...rooms }: PlaybookParts): PlaybookRooms {
  const { clock, random } = rooms
  const note = noteBy(audit, rooms)
  const timeline = new Timeline({ clock })
  const runBook = new RunBook({ clock, random })
  return {
    playbooks: options,
    runBook,
    timeline,
    runner: new PlaybookRunner({
      store,
      rooms: { ...rooms, db: store.db, note, timeline },
      book: runBook,
      clock,
      random,
      log,
      wake: () => audit.wake(),
    }),
    onOpened: [automaticRuns({ playbooks: () => options, book: runBook, timeline, note })],
  }
}

/** Writes down what the house does, with nobody beside it. */
export function noteBy(
  audit: Pick<AuditLog, 'enroll'>,
  { clock, random }: Pick<StepRooms, 'clock' | 'random'>,
): StepRooms['note'] {
  return (trx, act, result) => audit.enroll(trx, ownEvent(act, { clock, random }, result))
}
