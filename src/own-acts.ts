import type { AuditEvent } from './audit/event.ts'
import type { AuditLog } from './audit/log.ts'
import { type OwnAct, ownEvent } from './audit/own-event.ts'
import type { Clock } from './kernel/clock.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import type { LoadShift } from './limits/load/shedder.ts'
import type { LinkState } from './limits/shared/link.ts'
import type { AddressBlock } from './shield/block-store.ts'
import type { Database, Store } from './store/database.ts'

/** Remembers what the house does of its own accord, with nobody asking for it. */
export interface OwnActs {
  /** In the transaction of the act itself. */
  enroll(trx: Database, act: OwnAct, result?: AuditEvent['result']): Promise<void>
  said(action: 'start' | 'stop' | 'reload'): Promise<void>
  /** Whether limits hold for all nodes, or each does what it says for when they cannot. */
  sharedCount(state: LinkState): void
  /** More was asked for than could be answered, or no more is. */
  shed(shift: LoadShift): void
  /** Addresses that were blocked. */
  blocked(trx: Database, blocks: readonly AddressBlock[]): Promise<void>
}

interface OwnActsParts {
  readonly store: Store
  readonly audit: AuditLog
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
}

export function openOwnActs({ store, audit, clock, random, log, version }: OwnActsParts): OwnActs {
  return {
    enroll,
    said: (action) => alone({ type: 'system', action, resource: house, details: { version } }),
    sharedCount({ reachable, failures, sinceMs, reason }) {
      const action = reachable ? 'shared-count-found' : 'shared-count-lost'
      const details = { failures, reason, since: new Date(sinceMs).toISOString() }
      alone({ type: 'system', action, resource: house, details }, reachable ? 'success' : 'error').catch(
        (error: unknown) => log.error({ err: error }, `\`${action}\` is not in the record`),
      )
    },
    shed({ upstream = '', state, refused, forMs }) {
      if (state === 'goes-on') return
      const details = { duration_ms: Math.round(forMs), refused, state, upstream }
      alone({ type: 'security_incident', action: 'load-shed', resource: house, details }, 'denied').catch(
        (error: unknown) => log.error({ err: error }, '`load-shed` is not in the record'),
      )
    },
    async blocked(trx, blocks) {
      for (const { network, reason, expiresAt } of blocks) {
        const details = { reason, until: new Date(expiresAt ?? 0).toISOString() }
        const resource = { id: network, type: 'address' } as const
        await enroll(trx, { type: 'security_incident', action: 'address-block', resource, details }, 'denied')
      }
    },
  }

  /** What is no more than the event itself. */
  async function alone(act: OwnAct, result?: AuditEvent['result']): Promise<void> {
    await store.transaction((trx) => enroll(trx, act, result))
    audit.wake()
  }

  function enroll(trx: Database, act: OwnAct, result: AuditEvent['result'] = 'success'): Promise<void> {
    return audit.enroll(trx, ownEvent(act, { clock, random }, result))
  }
}

const house = { id: 'house', type: 'house' } as const
