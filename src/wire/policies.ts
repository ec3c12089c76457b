import { z } from 'zod'
import type { Endpoint } from './shapes.ts'

const group = z.record(z.string(), z.unknown()).default({})

/** What a policy is asked. */
export const attributeRequest = z.strictObject({ subject: group, resource: group, action: group, environment: group })

/** SHA-256 of the canonical document (RFC 8785), as hex. */
const fingerprint = z.string().regex(/^[0-9a-f]{64}$/, 'expected the `fingerprint` of a document')

export const policyBody = z.strictObject({
  document: z.record(z.string(), z.unknown()).meta({ description: '`version`, `rules`, and `combining` if any' }),
  /** What has to be there now, lest a change of somebody else is lost; null: nothing. */
  expect: fingerprint.nullable().optional(),
})

export const adoptBody = z.strictObject({
  /** The trial that is meant. */
  expect: fingerprint.optional(),
})

export const explainBody = z.strictObject({
  request: attributeRequest,
  /** Which document is asked. */
  which: z.enum(['policy', 'trial']).default('policy'),
})

const manage = { permission: 'policies:manage' } as const
/** A document of 10,000 short rules fits. */
const bodyMax = 1_048_576

/** Policies by attributes, for administrators. */
// biome-ignore format: a table, one line to an endpoint
export const policies = {
  listPolicies: { method: 'GET', path: '/api/admin/policies', summary: 'Every policy, with who asks it', access: manage, limit: 'general' },
  showPolicy: { method: 'GET', path: '/api/admin/policies/:name', summary: 'One policy, with its documents as they were written', access: manage, limit: 'general' },
  putPolicy: { method: 'PUT', path: '/api/admin/policies/:name', summary: 'Say what decides from the next request on', access: manage, limit: 'general', body: policyBody, bodyMax, recent: true, inPerson: true },
  removePolicy: { method: 'DELETE', path: '/api/admin/policies/:name', summary: 'Take the document away: everything is denied', access: manage, limit: 'general', recent: true, inPerson: true },
  showPolicyTrial: { method: 'GET', path: '/api/admin/policies/:name/trial', summary: 'What a trial would change, as this node saw it', access: manage, limit: 'general' },
  tryPolicy: { method: 'PUT', path: '/api/admin/policies/:name/trial', summary: 'Try a document out beside the one of the day; it decides nothing', access: manage, limit: 'general', body: policyBody, bodyMax, recent: true, inPerson: true },
  endPolicyTrial: { method: 'DELETE', path: '/api/admin/policies/:name/trial', summary: 'End a trial', access: manage, limit: 'general', recent: true, inPerson: true },
  adoptPolicyTrial: { method: 'POST', path: '/api/admin/policies/:name/trial/adopt', summary: 'Let the document that is tried out decide', access: manage, limit: 'general', body: adoptBody, recent: true, inPerson: true },
  explainPolicy: { method: 'POST', path: '/api/admin/policies/:name/explain', summary: 'What it says to a request, and why', access: manage, limit: 'general', body: explainBody },
  recordedRequests: { method: 'GET', path: '/api/admin/policies/:name/recorded', summary: 'The last requests that it decided on this node, as lines of JSON without secrets', access: manage, limit: 'general' },
} as const satisfies Record<string, Endpoint>
