import { counted, type StepAct, summed } from './act.ts'
import type { Step } from './step.ts'
import { accountIds } from './steps-people.ts'

/**
 * Writes to those who are concerned that something was noticed, and done. One letter an hour to each: whoever makes incidents happen
 * would else fill their mailboxes.
 */
export const notify: StepAct<Extract<Step, { do: 'notify' }>> = {
  async act(trx, _step, turn) {
    const { accounts, clock, outbox, publicUrl, siteName, tickets } = turn.rooms
    if (outbox === undefined) return { skipped: 'the house sends no letters' }
    const now = clock.now()
    const told: string[] = []
    const skipped: string[] = []
    for (const id of accountIds(turn)) {
      const account = await accounts.byId(trx, id)
      if (account === undefined) {
        skipped.push('an account is gone')
        continue
      }
      if ((await tickets.countSince(trx, 'letter', id, now - hourMs)) > 0) {
        skipped.push('an account was told within the hour')
        continue
      }
      await tickets.issue(trx, { purpose: 'letter', subject: id, holds: {}, ttlMs: hourMs })
      await outbox.post(trx, {
        to: account.email,
        kind: 'concerned',
        facts: {
          site: siteName,
          name: account.name,
          time: new Date(now).toISOString(),
          ...(publicUrl === undefined ? {} : { link: new URL('/auth/forgot', publicUrl).href }),
        },
      })
      told.push(id)
    }
    if (told.length === 0) return { skipped: summed('nobody is known to write to', skipped) }
    return { told: summed(`${counted(told.length, 'letter')} written`, skipped), facts: { told } }
  },
}

const hourMs = 3_600_000
