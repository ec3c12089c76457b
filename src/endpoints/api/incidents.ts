import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Outbound } from '../../http/message.ts'
import { type Severity, severities } from '../../incident/finding.ts'
import { type Incident, type IncidentStatus, reportDueAt, statuses } from '../../incident/incident.ts'
import type { IncidentMetrics, Spread } from '../../incident/metrics.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import * as wire from '../../wire/incidents.ts'
import { isRefusal } from '../desk/guard.ts'
import {
  type IncidentAdministration,
  type IncidentAuthor,
  type IncidentView,
  incidentAuthorAt,
} from '../desk/incidents.ts'
import { type Diary, visitorOf } from '../desk/visitor.ts'
import { input } from './auth.ts'
import { momentAndId, readPage, wrongParameter } from './page.ts'
import { json } from './reply.ts'

type Describes = keyof typeof wire.incidents

interface Administers {
  readonly incidents: IncidentAdministration
  readonly diary: Diary
}

/** What was noticed, and what is done about it. */
export function incidentEndpoints({ incidents, diary }: Administers): Record<Describes, Answerer> {
  const author = (exchange: Exchange): IncidentAuthor => incidentAuthorAt(diary, visitorOf(exchange))
  const change = async (
    exchange: Exchange,
    what: Parameters<IncidentAdministration['change']>[2],
  ): Promise<Outbound | Refusal> => {
    const changed = await incidents.change(author(exchange), idIn(exchange), what)
    return isRefusal(changed) ? changed : json(200, incidentBody(changed))
  }

  return {
    async listIncidents({ request }) {
      const query = new URLSearchParams(request.target.query)
      const asked = readPage(query, momentAndId(idForm), filters)
      if (isRefusal(asked)) return asked
      const { incidents: found, next } = await incidents.page({
        ...asked,
        status: (query.get('status') ?? undefined) as IncidentStatus | 'open' | undefined,
        type: query.get('type') ?? undefined,
        severity: (query.get('severity') ?? undefined) as Severity | undefined,
      })
      return json(200, {
        incidents: found.map(incidentBody),
        ...(next === undefined ? {} : { next: `${next.createdAt}.${next.id}` }),
      })
    },

    async openIncident(exchange) {
      const { began_at, ...draft } = input<typeof wire.newIncidentBody>(exchange)
      const beganAt = began_at === undefined ? undefined : Date.parse(began_at)
      return json(201, incidentBody(await incidents.open(author(exchange), { ...draft, beganAt })))
    },

    async incidentMetrics({ request }) {
      const query = new URLSearchParams(request.target.query)
      const errors: Record<string, string[]> = Object.create(null) // `__proto__` is a name like any other
      for (const [name, value] of query)
        if (name !== 'from' && name !== 'to') errors[name] = ['is not a known parameter']
        else if (momentOf(value) === undefined) errors[name] = ['must be a time as in RFC 3339']
      const [from, to] = ['from', 'to'].map((name) => momentOf(query.get(name) ?? ''))
      if (from !== undefined && to !== undefined && from >= to) errors['to'] ??= ['must be later than `from`']
      if (Object.keys(errors).length > 0) return wrongParameter(errors)
      return json(200, metricsBody(await incidents.metrics(from, to)))
    },

    async incident(exchange) {
      const view = await incidents.show(idIn(exchange))
      return view === undefined
        ? refuse('not-found', { detail: 'no incident has this id' })
        : json(200, incidentViewBody(view))
    },

    acknowledgeIncident: (exchange) =>
      change(exchange, { deed: 'acknowledge', ...input<typeof wire.incidentDeedBody>(exchange) }),
    assignIncident: (exchange) =>
      change(exchange, { deed: 'assign', ...input<typeof wire.incidentAssignBody>(exchange) }),
    noteIncident: (exchange) => change(exchange, { deed: 'note', ...input<typeof wire.incidentNoteBody>(exchange) }),
    containIncident: (exchange) =>
      change(exchange, { deed: 'contain', ...input<typeof wire.incidentDeedBody>(exchange) }),
    resolveIncident: (exchange) =>
      change(exchange, { deed: 'resolve', ...input<typeof wire.incidentResolveBody>(exchange) }),
    reopenIncident: (exchange) =>
      change(exchange, { deed: 'reopen', ...input<typeof wire.incidentDeedBody>(exchange) }),
  }
}

/** An incident as the API, and the command, tell of it. */
export function incidentBody(incident: Incident): Record<string, unknown> {
  const due = reportDueAt(incident)
  return {
    id: incident.id,
    type: incident.type,
    severity: incident.severity,
    status: incident.status,
    title: incident.title,
    description: incident.description,
    details: incident.details,
    targets: incident.targets,
    occurrences: incident.occurrences,
    began_at: momentText(incident.beganAt),
    last_at: momentText(incident.lastAt),
    detected_at: momentText(incident.detectedAt),
    ...moment('acknowledged_at', incident.acknowledgedAt),
    ...moment('contained_at', incident.containedAt),
    ...moment('resolved_at', incident.resolvedAt),
    ...moment('report_due', due),
    ...(incident.assignee === undefined ? {} : { assignee: incident.assignee }),
    version: incident.version,
  }
}

export function incidentViewBody({ incident, timeline, evidence, alerts }: IncidentView): Record<string, unknown> {
  return {
    ...incidentBody(incident),
    timeline: timeline.map(({ position, at, actor, kind, text, details }) => ({
      position,
      at: momentText(at),
      actor,
      kind,
      text,
      details,
    })),
    evidence: evidence.map(({ seq, id, at, type, action }) => ({
      seq,
      ...(id === undefined ? { missing: true } : { id, proof: `/api/admin/audit/events/${id}/proof` }),
      ...moment('at', at),
      ...(type === undefined ? {} : { type, action }),
    })),
    alerts: alerts.map(({ channel, occasion, dueAt, tries, sentAt, givenUpAt, problem }) => ({
      channel,
      occasion,
      tries,
      ...(sentAt === undefined && givenUpAt === undefined ? { due_at: momentText(dueAt) } : {}),
      ...moment('sent_at', sentAt),
      ...moment('given_up_at', givenUpAt),
      ...(problem === undefined ? {} : { problem }),
    })),
  }
}

export function metricsBody(metrics: IncidentMetrics): Record<string, unknown> {
  return {
    count: metrics.count,
    by_type: metrics.byType,
    by_severity: metrics.bySeverity,
    by_status: metrics.byStatus,
    ...spread('to_detect', metrics.toDetect),
    ...spread('to_acknowledge', metrics.toAcknowledge),
    ...spread('to_contain', metrics.toContain),
    ...spread('to_resolve', metrics.toResolve),
  }
}

const idForm = /^[0-9a-f-]{36}$/

const filters = {
  status: (text: string) =>
    text === 'open' || statuses.some((one) => one === text)
      ? undefined
      : `must be \`open\`, ${statuses.map((one) => `\`${one}\``).join(', ')}`,
  type: (text: string) => (wire.incidentType.safeParse(text).success ? undefined : 'must be a type of incidents'),
  severity: (text: string) =>
    severities.some((one) => one === text) ? undefined : `must be ${severities.map((one) => `\`${one}\``).join(', ')}`,
} as const

/** What has no form of an id is nobody's: no other text reaches the store. */
function idIn({ params }: Exchange): string {
  const id = params['id'] ?? ''
  return idForm.test(id) ? id : ''
}

function momentOf(text: string): number | undefined {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
    ? Date.parse(text)
    : undefined
}

function momentText(at: number): string {
  return new Date(at).toISOString()
}

function moment(name: string, at: number | undefined): Record<string, string> {
  return at === undefined ? {} : { [name]: momentText(at) }
}

function spread(name: string, value: Spread | undefined): Record<string, unknown> {
  return value === undefined
    ? {}
    : {
        [name]: {
          count: value.count,
          median_seconds: value.medianMs / 1000,
          p90_seconds: value.p90Ms / 1000,
        },
      }
}
