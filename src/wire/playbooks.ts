import { z } from 'zod'
import { unshowable } from '../kernel/one-line.ts'
import type { Endpoint } from './shapes.ts'

const line = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((text) => text.isWellFormed() && !unshowable.test(text), 'must be one line of text')

const target = z.strictObject({
  type: z.enum(['user', 'address', 'api-key', 'client', 'service', 'session']),
  id: line(300),
})

export const runPlaybookBody = z.strictObject({
  incident: z.uuid('must be the id of an incident').optional(),
  /** Beside those of the incident. */
  targets: z.array(target).max(100).default([]),
  reason: line(500).default('begun by hand'),
  dry_run: z.boolean().default(false),
  /** Also where the address of whoever asks would be blocked. */
  force: z.boolean().default(false),
})

/** One of them says what ends. */
export const emergencyBody = z
  .strictObject({
    reason: line(500),
    all: z.literal(true).optional(),
    role: line(64).optional(),
    user: z.uuid('must be the id of an account').optional(),
    client: line(300).optional(),
    before: z.iso.datetime({ offset: true }).max(40).optional().meta({ description: 'RFC 3339: what began before it' }),
    /** API keys as well. */
    keys: z.boolean().default(false),
    /** Answers new tokens for whoever asks: theirs end with the others. */
    keep_me: z.boolean().default(false),
    dry_run: z.boolean().default(false),
  })
  .refine(
    ({ all, role, user, client, before }) =>
      [all, role, user, client, before].filter((value) => value !== undefined).length === 1,
    { path: ['all'], message: 'expected one of `all`, `role`, `user`, `client` and `before`' },
  )

export const freezeBody = z.strictObject({
  reason: line(500),
  incident: z.uuid('must be the id of an incident').optional(),
})

const manage = { permission: 'incidents:manage' } as const

/** What is done about incidents, step by step; and the freeze of changes. */
// biome-ignore format: a table, one line to an endpoint
export const playbooks = {
  listPlaybooks: { method: 'GET', path: '/api/admin/playbooks', summary: 'The playbooks of the day, with their steps', access: manage, limit: 'general' },
  runPlaybook: { method: 'POST', path: '/api/admin/playbooks/:name/run', summary: 'Carry out a playbook, or say what it would come to', access: manage, limit: 'general', body: runPlaybookBody, recent: true, inPerson: true },
  listRuns: { method: 'GET', path: '/api/admin/playbooks/runs', summary: 'Runs of playbooks, the latest first, by pages: `limit`, `after`; `incident`', access: manage, limit: 'general' },
  showRun: { method: 'GET', path: '/api/admin/playbooks/runs/:id', summary: 'One run, with what came of its steps', access: manage, limit: 'general' },
  retryRun: { method: 'POST', path: '/api/admin/playbooks/runs/:id/retry', summary: 'Try the failed steps of a run again', access: manage, limit: 'general', recent: true, inPerson: true },
  approveStep: { method: 'POST', path: '/api/admin/playbooks/runs/:id/steps/:n/approve', summary: 'Approve a step that waits, of a run that somebody else began', access: manage, limit: 'general', recent: true, inPerson: true },
  rejectStep: { method: 'POST', path: '/api/admin/playbooks/runs/:id/steps/:n/reject', summary: 'Reject a step that waits', access: manage, limit: 'general', inPerson: true },
  undoStep: { method: 'POST', path: '/api/admin/playbooks/runs/:id/steps/:n/undo', summary: 'Undo a step, where it can be', access: manage, limit: 'general', recent: true, inPerson: true },
  emergency: { method: 'POST', path: '/api/admin/incidents/emergency', summary: 'End sessions and tokens at once, make new signing keys, freeze changes, sign the record', access: manage, limit: 'general', body: emergencyBody, recent: true, inPerson: true },
  showFreeze: { method: 'GET', path: '/api/admin/freeze', summary: 'Whether changes are frozen, since when, and why', access: manage, limit: 'general' },
  freezeChanges: { method: 'POST', path: '/api/admin/freeze', summary: 'Freeze changes: what takes access away goes on', access: manage, limit: 'general', body: freezeBody, inPerson: true },
  thawChanges: { method: 'DELETE', path: '/api/admin/freeze', summary: 'Let changes be made again', access: manage, limit: 'general', recent: true, inPerson: true },
} as const satisfies Record<string, Endpoint>
