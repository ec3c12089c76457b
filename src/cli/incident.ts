import { incidentBody, incidentViewBody, metricsBody } from '../endpoints/api/incidents.ts'
import { isRefusal } from '../endpoints/desk/guard.ts'
import { IncidentAdministration, type IncidentAuthor, type IncidentView } from '../endpoints/desk/incidents.ts'
import type { House } from '../house.ts'
import type { IncidentChange } from '../incident/changes.ts'
import { type Severity, severities } from '../incident/finding.ts'
import { type Incident, type IncidentStatus, reportDueAt, statuses } from '../incident/incident.ts'
import type { IncidentDraft, IncidentQuery } from '../incident/incidents.ts'
import type { IncidentMetrics, Spread } from '../incident/metrics.ts'
import { openIncidents } from '../incident/open.ts'
import { durationMs } from '../kernel/duration.ts'
import { oneLine } from '../kernel/one-line.ts'
import { newIncidentBody } from '../wire/incidents.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, readVerb, type Terminal, told, Usage, type VerbShape } from './command.ts'
import { runVerbs } from './run-verbs.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse incident list [--status STATUS] [--type TYPE] [--severity SEVERITY] [--limit N] [--json]
       gatehouse incident show ID [--json]
       gatehouse incident open TYPE --severity SEVERITY --title TEXT [--text TEXT] [--began TIME]
                 [--user ID …] [--address ADDRESS …] [--json]
       gatehouse incident acknowledge|contain|reopen ID [--text TEXT]
       gatehouse incident resolve|note ID --text TEXT
       gatehouse incident assign ID ACCOUNT|nobody
       gatehouse incident metrics [--since DURATION] [--json]
                 [--config FILE] [--data DIR]

STATUS is open, active, acknowledged or resolved; SEVERITY is low, medium, high or critical. Changes take --seen VERSION: they are
refused where somebody else has changed the incident since. DURATION is written 15m, 1h, 30d; TIME as in RFC 3339.

\`gatehouse incident run --help\` tells of playbooks, of the emergency, and of freezing changes.`

export const command: Command = async (args, terminal) => {
  if (runVerbs.has(args[0] ?? '')) return (await import('./incident-run.ts')).command(args, terminal)
  const { values, positionals } = readArgs(
    args,
    {
      ...houseOptions,
      json: { type: 'boolean' },
      status: { type: 'string' },
      type: { type: 'string' },
      severity: { type: 'string' },
      limit: { type: 'string' },
      title: { type: 'string' },
      text: { type: 'string' },
      began: { type: 'string' },
      user: { type: 'string', multiple: true },
      address: { type: 'string', multiple: true },
      seen: { type: 'string' },
      since: { type: 'string' },
    },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [verb, ...operands] = readVerb('incident', verbs, { values, positionals }, usage)
  const act = actOf(verb, operands, values)
  return visit(values, terminal, (house) =>
    act({ administration: administrationOf(house, terminal), author: operator(house, terminal), terminal }),
  )
}

type Verb = 'list' | 'show' | 'open' | 'acknowledge' | 'contain' | 'reopen' | 'resolve' | 'note' | 'assign' | 'metrics'

/** What each wants: names, and options beside those by which the house is found. */
// biome-ignore format: a table
const verbs: Readonly<Record<Verb, VerbShape>> = {
  list:        { operands: 0, options: ['status', 'type', 'severity', 'limit', 'json'] },
  show:        { operands: 1, options: ['json'] },
  open:        { operands: 1, options: ['severity', 'title', 'text', 'began', 'user', 'address', 'json'] },
  acknowledge: { operands: 1, options: ['text', 'seen'] },
  contain:     { operands: 1, options: ['text', 'seen'] },
  reopen:      { operands: 1, options: ['text', 'seen'] },
  resolve:     { operands: 1, options: ['text', 'seen'] },
  note:        { operands: 1, options: ['text', 'seen'] },
  assign:      { operands: 2, options: ['seen'] },
  metrics:     { operands: 0, options: ['since', 'json'] },
}

interface Values {
  readonly json?: boolean | undefined
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly severity?: string | undefined
  readonly limit?: string | undefined
  readonly title?: string | undefined
  readonly text?: string | undefined
  readonly began?: string | undefined
  readonly user?: readonly string[] | undefined
  readonly address?: readonly string[] | undefined
  readonly seen?: string | undefined
  readonly since?: string | undefined
}

interface Place {
  readonly administration: IncidentAdministration
  readonly author: IncidentAuthor
  readonly terminal: Terminal
}

type Act = (place: Place) => Promise<boolean>

/** What a call comes to. What is wrong with it is told before anything is opened. */
function actOf(verb: Verb, [id = '', other = '']: readonly string[], values: Values): Act {
  const { json = false, text } = values
  switch (verb) {
    case 'list': {
      const query = readQuery(values)
      return (place) => list(place, query, json)
    }
    case 'show':
      return (place) => show(place, id, json)
    case 'open': {
      const draft = readDraft(id, values)
      return async ({ administration, author, terminal }) => {
        const opened = await administration.open(author, draft)
        terminal.out(json ? jsonText(incidentBody(opened)) : opened.id)
        return true
      }
    }
    case 'acknowledge':
    case 'contain':
    case 'reopen':
      return change(id, { deed: verb, version: versionOf(values), text })
    case 'resolve':
    case 'note':
      if (text === undefined) throw new Usage(`--text: expected what there is to say\n\n${usage}`)
      return change(id, { deed: verb, version: versionOf(values), text })
    case 'assign':
      return change(id, { deed: 'assign', version: versionOf(values), assignee: other === 'nobody' ? null : other })
    case 'metrics': {
      const { since = '30d' } = values
      const ms = durationMs(since)
      if (ms === undefined) throw new Usage(`--since: expected a duration such as \`30d\`, got \`${since}\``)
      return async ({ administration, terminal }) => {
        const metrics = await administration.metrics(terminal.clock.now() - ms, undefined)
        if (json) terminal.out(jsonText(metricsBody(metrics)))
        else for (const line of metricLines(metrics)) terminal.out(line)
        return true
      }
    }
  }
}

function change(id: string, what: Omit<IncidentChange, 'actor'>): Act {
  return async ({ administration, author, terminal }) => {
    const changed = await administration.change(author, id, what)
    return told(changed, terminal, `${what.deed} ${id}${isRefusal(changed) ? '' : ` (${changed.status})`}`)
  }
}

async function list({ administration, terminal }: Place, query: IncidentQuery, json: boolean): Promise<boolean> {
  const all: Incident[] = []
  let after: IncidentQuery['after']
  do {
    const { incidents, next } = await administration.page({
      ...query,
      limit: Math.min(200, query.limit - all.length),
      after,
    })
    all.push(...incidents)
    after = next
  } while (after !== undefined && all.length < query.limit)
  if (json) terminal.out(jsonText({ incidents: all.map(incidentBody) }))
  else for (const incident of all) terminal.out(listLine(incident))
  return true
}

function listLine(incident: Incident): string {
  const { id, detectedAt, severity, status, type, occurrences, title } = incident
  const due = reportDueAt(incident)
  return [
    id,
    new Date(detectedAt).toISOString(),
    severity,
    status,
    type,
    `${occurrences}×`,
    due === undefined || status === 'resolved' ? title : `${title} (report due ${new Date(due).toISOString()})`,
  ]
    .map(oneLine)
    .join('\t')
}

async function show({ administration, terminal }: Place, id: string, json: boolean): Promise<boolean> {
  const view = await administration.show(id)
  if (view === undefined) {
    terminal.err('no incident has this id')
    return false
  }
  if (json) terminal.out(jsonText(incidentViewBody(view)))
  else for (const line of showLines(view)) terminal.out(line)
  return true
}

function showLines({ incident, timeline, evidence, alerts }: IncidentView): readonly string[] {
  const moment = (at: number): string => new Date(at).toISOString()
  const known = (at: number | undefined): string | undefined => (at === undefined ? undefined : moment(at))
  const due = reportDueAt(incident)
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ['title', incident.title],
    ['type', incident.type],
    ['severity', incident.severity],
    ['status', `${incident.status} (version ${incident.version})`],
    ['assignee', incident.assignee],
    ['found', `${incident.occurrences}×, ${moment(incident.beganAt)} to ${moment(incident.lastAt)}`],
    ['noticed', moment(incident.detectedAt)],
    ['acknowledged', known(incident.acknowledgedAt)],
    ['contained', known(incident.containedAt)],
    ['resolved', known(incident.resolvedAt)],
    ['report due', known(due)],
    ...incident.targets.map((target) => [target.type, target.id] as const),
    ...Object.entries(incident.details).map(([name, value]) => [name, String(value)] as const),
    ['description', incident.description === '' ? undefined : incident.description],
  ]
  return [
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`${oneLine(name).padEnd(14)}${oneLine(value)}`])),
    '',
    'timeline',
    ...timeline.map(({ at, actor, kind, text }) => `  ${[moment(at), actor, kind, text].map(oneLine).join('  ')}`),
    ...(evidence.length === 0 ? [] : ['', 'evidence']),
    ...evidence.map(({ seq, id, at, type, action }) =>
      id === undefined
        ? `  ${seq}  is not in the record any more`
        : `  ${[String(seq), id, moment(at ?? 0), `${type}/${action}`].map(oneLine).join('  ')}`,
    ),
    ...(alerts.length === 0 ? [] : ['', 'alerts']),
    ...alerts.map(({ channel, occasion, dueAt, sentAt, givenUpAt, problem = '' }) => {
      const state =
        sentAt !== undefined
          ? `sent ${moment(sentAt)}`
          : givenUpAt !== undefined
            ? `given up ${moment(givenUpAt)}`
            : `due ${moment(dueAt)}`
      return `  ${[channel, occasion, state, problem].map(oneLine).join('  ').trimEnd()}`
    }),
  ]
}

function metricLines({ count, byType, bySeverity, byStatus, ...took }: IncidentMetrics): readonly string[] {
  const counts = (by: Readonly<Record<string, number>>): string =>
    Object.entries(by)
      .map(([name, n]) => `${oneLine(name)} ${n}`)
      .join(', ')
  const spread = (value: Spread | undefined): string =>
    value === undefined ? '-' : `median ${value.medianMs / 1000} s, p90 ${value.p90Ms / 1000} s, of ${value.count}`
  return [
    `incidents       ${count}`,
    `by type         ${counts(byType)}`,
    `by severity     ${counts(bySeverity)}`,
    `by status       ${counts(byStatus)}`,
    `to detect       ${spread(took.toDetect)}`,
    `to acknowledge  ${spread(took.toAcknowledge)}`,
    `to contain      ${spread(took.toContain)}`,
    `to resolve      ${spread(took.toResolve)}`,
  ].map((line) => line.trimEnd())
}

function readQuery({ status, type, severity, limit = '100' }: Values): IncidentQuery {
  if (!/^[1-9]\d{0,4}$/.test(limit)) throw new Usage(`--limit: expected a number of 1 to 99999, got \`${limit}\``)
  return {
    limit: Number(limit),
    status: oneOf<IncidentStatus | 'open'>('status', ['open', ...statuses], status),
    type,
    severity: oneOf<Severity>('severity', severities, severity),
  }
}

function oneOf<One extends string>(option: string, all: readonly One[], text: string | undefined): One | undefined {
  if (text === undefined) return undefined
  const found = all.find((one) => one === text)
  if (found === undefined) throw new Usage(`--${option}: expected ${all.join(', ')}, got \`${text}\``)
  return found
}

/** The shape of the API, read from options: what it refuses there it refuses here, and says why. */
function readDraft(type: string, values: Values): IncidentDraft {
  const { severity, title = '', text = '', began, user = [], address = [] } = values
  const parsed = newIncidentBody.safeParse({
    type,
    severity,
    title,
    description: text,
    targets: [...user.map((id) => ({ type: 'user', id })), ...address.map((id) => ({ type: 'address', id }))],
    ...(began === undefined ? {} : { began_at: began }),
  })
  if (!parsed.success)
    throw new Usage(parsed.error.issues.map(({ path, message }) => `${optionOf(path)}: ${message}`).join('\n'))
  const { began_at, ...draft } = parsed.data
  return { ...draft, beganAt: began_at === undefined ? undefined : Date.parse(began_at) }
}

/** A member of the API's body, as the option that it is here. */
function optionOf([member]: readonly PropertyKey[]): string {
  switch (member) {
    case 'type':
      return 'TYPE'
    case 'description':
      return '--text'
    case 'began_at':
      return '--began'
    case 'targets':
      return '--user or --address'
    default:
      return `--${String(member)}`
  }
}

function versionOf({ seen }: Values): number | undefined {
  if (seen === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(seen)) throw new Usage(`--seen: expected a version such as \`3\`, got \`${seen}\``)
  return Number(seen)
}

/** JSON that is as harmless to look at. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function operator({ audit }: House, terminal: Terminal): IncidentAuthor {
  return {
    id: 'operator',
    note: (trx, action, incident, details) =>
      audit.enroll(trx, {
        ...adminEvent(action, '', terminal, details),
        resource: { id: incident, type: 'incident' },
      }),
  }
}

function administrationOf(house: House, { clock, random }: Terminal): IncidentAdministration {
  const { store, audit, settings, playbooks } = house
  const rooms = openIncidents({ options: settings.incidents, clock, random, onOpened: playbooks.onOpened })
  return new IncidentAdministration({ ...rooms, store, audit, clock })
}
