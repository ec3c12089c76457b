import type { AuditEvent } from '../../src/audit/event.ts'

/** An event like those of a busy proxy, the same for the same number. */
export function sampleEvent(number: number): AuditEvent {
  return {
    action: 'request',
    actor: { id: `user-${number % 7}`, type: 'user' },
    address: `203.0.113.${number % 256}`,
    at: Date.UTC(2026, 0, 1) + number,
    details: {
      because: '',
      bytes: 1024 + number,
      duration_ms: 1.5,
      method: 'GET',
      path: `/api/tasks/${number}`,
      status: 200,
    },
    id: sampleId(number),
    request_id: `request-${number}`,
    resource: { id: 'GET /api/tasks/:id', type: 'route' },
    result: 'success',
    type: 'api_access',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    v: 1,
  }
}

export function sampleId(number: number): string {
  return `019b76da-a800-7000-8000-${String(number).padStart(12, '0')}`
}

/** The numbers from `from` on. */
export function numbers(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}

/** What the keys of people are sealed under in tests. */
export const wrappingKey = Buffer.alloc(32, 'wrapping')
