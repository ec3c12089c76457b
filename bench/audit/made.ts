import type { AuditEvent } from '../../src/audit/event.ts'

/**
 * Event number `seq` of `events` many: thirty days of a busy house. Nine in ten are requests, half of them of nobody known; 50,000
 * people, 200,000 addresses, 200 routes. Asked for in order, they are the same every time.
 */
export function madeEvent(seq: number, events: number, people = 50_000): AuditEvent {
  const at = from + Math.floor((seq / events) * spanMs) + chance(40)
  const hex = seq.toString(16).padStart(12, '0')
  const kind = chance(1000)
  const user = idOf(seldom(people))
  const signedIn = chance(2) === 0
  const common = {
    actor: signedIn ? ({ id: user, type: 'user' } as const) : ({ id: 'anonymous', type: 'anonymous' } as const),
    address: `${10 + chance(4)}.${chance(2)}.${chance(160)}.${chance(160)}`,
    at,
    id: `${at
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7000-8000-${hex}`,
    request_id: `${at
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}-7abc-8000-${hex}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    v: 1,
  } as const
  const route = { id: `GET /api/part-${seldom(200)}/:id`, type: 'route' } as const
  const details = { because: '', bytes: 1024, duration_ms: 1.5, method: 'GET', path: `/api/part/${seq}`, status: 200 }
  if (kind < 900)
    return {
      ...common,
      action: 'request',
      type: 'api_access',
      result: kind < 860 ? 'success' : 'failure',
      resource: route,
      details,
    }
  if (kind < 950)
    return { ...common, action: 'refused', type: 'authorization_failure', result: 'denied', resource: route, details }
  if (kind < 995)
    return {
      ...common,
      action: 'sign-in',
      type: 'authentication',
      result: kind < 985 ? 'success' : 'failure',
      resource: { id: user, type: 'user' },
      details: {},
    }
  return {
    ...common,
    action: 'user.roles',
    type: 'admin_action',
    result: 'success',
    resource: { id: user, type: 'user' },
    details: {},
  }
}

export function idOf(person: number): string {
  return `01970000-0000-7000-8000-${person.toString(16).padStart(12, '0')}`
}

const spanMs = 30 * 86_400_000
const from = Date.UTC(2026, 0, 1)

let seed = 42
/** The same record every time. */
function chance(below: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
/** Some come often, most seldom. */
function seldom(below: number): number {
  return Math.floor(below * (chance(1e9) / 1e9) ** 3)
}
