import { z } from 'zod'
import { inOrder } from '../../audit/event-text.ts'
import type { AuditLog } from '../../audit/log.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Store } from '../../store/database.ts'

/** The record, for the application that embeds the house. */
export interface HostRecord {
  /**
   * Remembers what the host's own code read or changed: `house.audit.append({ type: 'data_access', action: 'export', resource: { type:
   * 'data', id: 'invoice 7' }, actor: house.visit(request)?.principal })`. It is durable once this resolves. Throws a TypeError that says what
   * is wrong with an event, and a Fault while the store takes none.
   */
  append(event: HostEvent): Promise<void>
}

export type HostEvent = z.input<typeof hostEvent>

interface HostRecordParts {
  readonly store: Store
  readonly audit: AuditLog
  readonly clock: Clock
  readonly random: Random
}

export function hostRecord({ store, audit, clock, random }: HostRecordParts): HostRecord {
  return {
    async append(said) {
      const outcome = hostEvent.safeParse(said)
      if (!outcome.success) throw new TypeError(`the event has mistakes:\n${z.prettifyError(outcome.error)}`)
      const { private: own, details, ...event } = outcome.data
      const at = clock.now()
      await store.transaction((trx) =>
        audit.enroll(trx, {
          ...event,
          address: '',
          at,
          details: inOrder(details),
          id: uuidv7(at, random),
          ...(own !== undefined && { private: inOrder(own) }),
          user_agent: '',
          v: 1,
        }),
      )
      audit.wake()
    },
  }
}

const text = (charactersMax: number, charactersMin = 0) =>
  z
    .string()
    .min(charactersMin)
    .max(charactersMax)
    .refine((value) => value.isWellFormed(), 'expected well-formed Unicode, got a lone surrogate')

/** So that the record never has to cut them. */
const detailBytesMax = 2048

const details = z
  .record(text(64, 1), z.union([text(256), z.number(), z.boolean()]))
  .refine(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= detailBytesMax,
    `expected at most ${detailBytesMax} bytes of JSON`,
  )

const hostEvent = z.strictObject({
  type: z.literal('data_access'),
  action: z.enum(['read', 'write', 'delete', 'export']),
  resource: z.strictObject({ type: z.literal('data'), id: text(256, 1) }),
  /** Who did it; the host itself, where nobody is named. Of a principal only these two are kept. */
  actor: z
    .object({ id: text(256, 1), type: z.enum(['user', 'service', 'agent', 'anonymous', 'system']) })
    .default({ id: 'host', type: 'system' }),
  result: z.enum(['success', 'failure', 'denied', 'error']).default('success'),
  details: details.default({}),
  /** Details that say something of the one who acts: they are stored under that person's own key. */
  private: details.optional(),
  /** `house.visit(request).requestId`: what else is remembered of the same request has it too. */
  request_id: text(128).default(''),
})
