import type { AuditLog } from '../../audit/log.ts'
import { covers } from '../../authz/permissions.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Area } from '../../posture/check.ts'
import type { Configuration } from '../../posture/facts.ts'
import { lookAtMachine, type MachinePlace } from '../../posture/look-at-machine.ts'
import { lookIntoStore } from '../../posture/look-into-store.ts'
import { examine, type Posture } from '../../posture/posture.ts'
import type { Review } from '../../posture/review/document.ts'
import { type PeriodName, periodOf } from '../../posture/review/period.ts'
import { makeReview } from '../../posture/review/review.ts'
import type { Database, Store } from '../../store/database.ts'
import type { Diary, Visitor } from './visitor.ts'

export interface PostureRooms {
  readonly store: Store
  /** Where long questions are asked. */
  readonly reading: Database
  readonly audit: AuditLog
  readonly diary: Diary
  readonly clock: Clock
  readonly settings: Configuration
  readonly machine: MachinePlace
}

/** Reviews and the checklist, as administrators read them. That they did is remembered before they are answered. */
export class PostureReading {
  readonly #rooms: PostureRooms
  #reviewing = false

  constructor(rooms: PostureRooms) {
    this.#rooms = rooms
  }

  /** Ids for everybody who may read the record; e-mail addresses beside them for those who manage accounts too. */
  async review(visitor: Visitor, name: PeriodName, day: number | undefined): Promise<Review | Refusal> {
    if (this.#reviewing) return oneAtATime
    this.#reviewing = true
    try {
      return await this.#review(visitor, name, day)
    } finally {
      this.#reviewing = false
    }
  }

  async #review(visitor: Visitor, name: PeriodName, day: number | undefined): Promise<Review> {
    const { store, reading, audit, diary, clock, settings, machine } = this.#rooms
    const now = clock.now()
    const period = periodOf(name, day, now)
    const { permissions, client } = visitor.principal
    const emails = client === undefined && covers(permissions, 'users:manage')
    await store.transaction((trx) =>
      diary.access(trx, visitor, 'review.make', { id: period.label, type: 'audit' }, { emails, period: name }),
    )
    audit.wake()
    return makeReview(period, {
      store: { kind: store.kind, db: reading },
      settings,
      machine: await lookAtMachine(machine, settings),
      emails,
      now,
    })
  }

  async posture(visitor: Visitor, area: Area | undefined): Promise<Posture> {
    const { store, reading, audit, diary, clock, settings, machine } = this.#rooms
    const now = clock.now()
    await store.transaction((trx) =>
      diary.access(trx, visitor, 'posture.read', { id: 'posture', type: 'house' }, { area: area ?? '' }),
    )
    audit.wake()
    const data = await lookIntoStore(reading, settings, now)
    return examine({ now, settings, data, machine: await lookAtMachine(machine, settings) }, area)
  }
}

/** A month of a large record keeps the reading database for minutes: searches have to come in between. */
const oneAtATime = refuse('overloaded', {
  detail: 'a review is being made: wait until it is there',
  retryAfterMs: 30_000,
})
