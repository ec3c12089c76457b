import type { Endpoint } from './shapes.ts'

const view = { permission: 'audit:view' } as const

/** The record of events, for those who look into it. Each reading is an event itself. */
// biome-ignore format: a table, one line to an endpoint
export const audit = {
  searchAudit: { method: 'GET', path: '/api/admin/audit', summary: 'Events that fit `type`, `action`, `result`, `actor`, `address`, `resource_type`, `resource`, `request_id`, `from`, `to`, by pages: `order`, `limit`, `after`', access: view, limit: 'general' },
  countAudit: { method: 'GET', path: '/api/admin/audit/count', summary: 'How many events fit, `by` type, action, result, actor, address, resource_type, hour or day', access: view, limit: 'general' },
  exportAudit: { method: 'GET', path: '/api/admin/audit/export', summary: 'Events that fit, all of them, as `format` jsonl, csv or ocsf', access: view, limit: 'general' },
  showAuditEvent: { method: 'GET', path: '/api/admin/audit/events/:id', summary: 'One event', access: view, limit: 'general' },
} as const satisfies Record<string, Endpoint>
