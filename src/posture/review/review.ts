import type { Configuration, MachineFacts } from '../facts.ts'
import { lookIntoStore } from '../look-into-store.ts'
import { accessChanges, incidents } from './changes.ts'
import { hoursOf, type ReviewStore } from './count.ts'
import { record, rotation } from './credentials.ts'
import type { Review } from './document.ts'
import { accounts, emailsOf, signIns, usage } from './people.ts'
import type { Period } from './period.ts'
import { unusual } from './unusual.ts'

export interface ReviewParts {
  readonly store: ReviewStore
  readonly settings: Configuration
  /** Undefined where the machine is not the house's own. */
  readonly machine: MachineFacts | undefined
  /** Whether whoever reads it may see e-mail addresses, beside ids. */
  readonly emails: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What happened in a period, against the one before: from the record and the store, and from nothing else. */
export async function makeReview(
  period: Period,
  { store, settings, machine, emails: areSeen, now }: ReviewParts,
): Promise<Review> {
  const hours = await hoursOf(store, { begin: period.before.begin, end: period.end })
  const data = await lookIntoStore(store.db, settings, now)
  const emails = emailsOf(store.db, areSeen)
  return {
    period,
    madeAt: now,
    sections: [
      await signIns(store, hours, period, emails),
      await accounts(data, emails),
      ...(await usage(store, hours, period)),
      await accessChanges(store, period, emails),
      await incidents(store, period),
      unusual(hours, period, now),
      await rotation(store, machine, now),
      await record(store, data),
    ],
  }
}
