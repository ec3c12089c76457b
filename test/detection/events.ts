// Events as the house writes them, in a few words.
import type { AuditEvent } from '../../src/audit/event.ts'
import { Detector } from '../../src/incident/detection/detector.ts'
import type { Geolocation } from '../../src/incident/detection/geolocation.ts'
import { detectionOptions } from '../../src/incident/detection/options.ts'
import type { Finding } from '../../src/incident/finding.ts'

export const minute = 60_000
export const hour = 60 * minute
export const start = Date.UTC(2026, 0, 1)
export const hashKey = new Uint8Array(32).fill(7)

type Parts = Omit<Partial<AuditEvent>, 'type' | 'action' | 'actor'> & {
  readonly type: AuditEvent['type']
  readonly action: string
  readonly at: number
  readonly by?: string
}

let made = 0

export function eventOf({ by = '', at, ...parts }: Parts): AuditEvent {
  return {
    actor: by === '' ? { id: 'anonymous', type: 'anonymous' } : { id: by, type: 'user' },
    address: '203.0.113.9',
    details: {},
    request_id: '',
    resource: { id: 'house', type: 'house' },
    result: 'success',
    user_agent: 'Browser/1.0',
    v: 1,
    ...parts,
    at: start + at,
    id: `019b76da-a800-7000-8000-${String(++made).padStart(12, '0')}`,
  } as AuditEvent
}

export function failedSignIn(at: number, account = 'ada', address = '203.0.113.9'): AuditEvent {
  const details = { because: 'credentials-invalid' }
  const resource = { id: account, type: 'user' } as const
  return eventOf({ type: 'authentication', action: 'sign-in', result: 'failure', at, address, resource, details })
}

export function signIn(at: number, account = 'ada', more: Partial<AuditEvent> = {}): AuditEvent {
  const resource = { id: account, type: 'user' } as const
  const details = { methods: 'password', session: 'session-1' }
  return eventOf({ type: 'authentication', action: 'sign-in', at, by: account, resource, details, ...textsOf(more) })
}

export function request(
  at: number,
  by: string,
  details: AuditEvent['details'] = {},
  address = '203.0.113.9',
): AuditEvent {
  const isForbidden = details['status'] === 403
  const resource = { id: 'api', type: 'route' } as const
  const said = { because: '', method: 'GET', path: '/api/tasks', status: 200, ...details }
  const result = said.because === '' ? 'success' : 'denied'
  return isForbidden
    ? eventOf({ type: 'authorization_failure', action: 'refused', at, by, address, resource, details: said, result })
    : eventOf({ type: 'api_access', action: 'request', at, by, address, resource, details: said, result })
}

function textsOf({ address, user_agent }: Partial<AuditEvent>): Partial<Pick<AuditEvent, 'address' | 'user_agent'>> {
  return { ...(address === undefined ? {} : { address }), ...(user_agent === undefined ? {} : { user_agent }) }
}

/** What a configuration finds in events, in their order. */
export function findingsIn(
  config: Parameters<typeof detectionOptions.parse>[0],
  events: readonly AuditEvent[],
  geolocation?: Geolocation,
): readonly Finding[] {
  const { rules } = detectionOptions.parse(config)
  const detector = new Detector({ rules, geolocation, hashKey })
  return events.flatMap((event, index) => detector.observe(event, index + 1)?.findings ?? [])
}

/** The rules that found something, in their order. */
export function rulesIn(
  config: Parameters<typeof detectionOptions.parse>[0],
  events: readonly AuditEvent[],
  geolocation?: Geolocation,
): readonly unknown[] {
  return findingsIn(config, events, geolocation).map(({ details }) => details['rule'])
}
