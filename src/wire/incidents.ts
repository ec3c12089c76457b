import { z } from 'zod'
import { unshowable } from '../kernel/one-line.ts'
import type { Endpoint } from './shapes.ts'

/** The same, but for what a text of several lines has. */
const unreadable = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u

const text = z
  .string()
  .min(1)
  .max(4_000)
  .refine((words) => words.isWellFormed() && !unreadable.test(words), 'must be plain text')

const line = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((words) => words.isWellFormed() && !unshowable.test(words), 'must be one line of text')

/** The version that was seen: who comes second is told that it is another by now. */
const version = z.int().min(1)

export const incidentType = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected a type such as `data-breach`, of small letters, digits and `-`')

export const incidentSeverity = z.enum(['low', 'medium', 'high', 'critical'])

export const newIncidentBody = z.strictObject({
  type: incidentType,
  severity: incidentSeverity,
  title: line(200),
  description: text.or(z.literal('')).default(''),
  targets: z
    .array(
      z.strictObject({
        type: z.enum(['user', 'address', 'api-key', 'client', 'service', 'session']),
        id: line(300),
      }),
    )
    .max(100)
    .default([]),
  began_at: z.iso
    .datetime({ offset: true })
    .max(40)
    .refine((moment) => Date.parse(moment) >= 0, 'expected a time since 1970')
    .optional()
    .meta({ description: 'RFC 3339' }),
})

export const incidentDeedBody = z.strictObject({ version, text: text.optional() })
export const incidentAssignBody = z.strictObject({ version, assignee: z.union([z.string().min(1).max(64), z.null()]) })
/** A note changes nothing of an incident: the version may be left out. */
export const incidentNoteBody = z.strictObject({ version: version.optional(), text })
export const incidentResolveBody = z.strictObject({ version, text })

const manage = { permission: 'incidents:manage' } as const

/**
 * What was noticed, and what is done about it, for those who look after the house. Opening one may begin a playbook, and resolving one
 * hides it: both demand a recent sign-in.
 */
// biome-ignore format: a table, one line to an endpoint
export const incidents = {
  listIncidents: { method: 'GET', path: '/api/admin/incidents', summary: 'Incidents, the newest first, by pages: `limit`, `after`; `status`, `type`, `severity`', access: manage, limit: 'general' },
  openIncident: { method: 'POST', path: '/api/admin/incidents', summary: 'Open an incident that somebody has noticed', access: manage, limit: 'general', body: newIncidentBody, recent: true, inPerson: true },
  incidentMetrics: { method: 'GET', path: '/api/admin/incidents/metrics', summary: 'How many incidents there were, and how long they took: `from`, `to`', access: manage, limit: 'general' },
  incident: { method: 'GET', path: '/api/admin/incidents/:id', summary: 'One incident with its timeline, its evidence, and who was told', access: manage, limit: 'general' },
  acknowledgeIncident: { method: 'POST', path: '/api/admin/incidents/:id/acknowledge', summary: 'Say that somebody has it in hand', access: manage, limit: 'general', body: incidentDeedBody, inPerson: true },
  assignIncident: { method: 'POST', path: '/api/admin/incidents/:id/assign', summary: 'Say whose it is', access: manage, limit: 'general', body: incidentAssignBody, inPerson: true },
  noteIncident: { method: 'POST', path: '/api/admin/incidents/:id/note', summary: 'Write a note into its timeline', access: manage, limit: 'general', body: incidentNoteBody, inPerson: true },
  containIncident: { method: 'POST', path: '/api/admin/incidents/:id/contain', summary: 'Say that it does no more harm', access: manage, limit: 'general', body: incidentDeedBody, inPerson: true },
  resolveIncident: { method: 'POST', path: '/api/admin/incidents/:id/resolve', summary: 'Say that it is over, and how', access: manage, limit: 'general', body: incidentResolveBody, recent: true, inPerson: true },
  reopenIncident: { method: 'POST', path: '/api/admin/incidents/:id/reopen', summary: 'Say that it is not over', access: manage, limit: 'general', body: incidentDeedBody, inPerson: true },
} as const satisfies Record<string, Endpoint>
