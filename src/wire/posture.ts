import type { Endpoint } from './shapes.ts'

/** What a security officer reads: reviews of what happened, and the checklist of how the house stands. */
// biome-ignore format: a table, one line to an endpoint
export const posture = {
  makeReview: { method: 'GET', path: '/api/admin/reviews', summary: 'A weekly or monthly review: `period`, `end`, `format`', access: { permission: 'audit:view' }, limit: 'general' },
  readPosture: { method: 'GET', path: '/api/admin/posture', summary: 'Every line of the checklists, answered: `area`', access: { permission: 'system:config' }, limit: 'general' },
} as const satisfies Record<string, Endpoint>
