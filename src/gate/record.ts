import type { AuditEvent } from '../audit/event.ts'
import { actorsOf } from '../authn/actor.ts'
import type { Principal } from '../authn/principal.ts'
import { undecided } from '../authz/decision.ts'
import { type Finding, findingsText } from '../inspection/finding.ts'
import type { Code } from '../kernel/error.ts'
import { uuidv7 } from '../kernel/id.ts'
import { redacted, redactText } from '../kernel/redact.ts'
import type { Exchange } from './exchange.ts'
import type { Rooms } from './rooms.ts'

/** How an exchange has ended. */
export interface Ended {
  readonly status: number
  readonly bytes: number
  /** Whether all of its answer has left. */
  readonly whole: boolean
  /** Monotonic milliseconds. */
  readonly endedAt: number
}

/** Remembers an exchange that has ended. It runs after a pass and after a refusal: an early return cannot skip it. */
export function record(exchange: Exchange, { status, bytes, whole, endedAt }: Ended, rooms: Rooms): void {
  const { refusal, route, request, principal } = exchange
  const durationMs = endedAt - exchange.startedAt
  rooms.meters.request(route.name, status, durationMs / 1000)
  const forContent = refusal !== undefined && contentCodes.has(refusal.code)
  for (const { what, struckOut } of exchange.findings)
    rooms.meters.finding(what, forContent ? 'refused' : struckOut === true ? 'redacted' : 'noted')
  // Requests are shed to spare the house work: they are remembered one by one while that is no burden, and together in any case.
  const shed = refusal?.code === 'overloaded'
  if (!shed || rooms.audit.backlog < shedBacklogMax)
    rooms.audit.note(accessEvent(exchange, status, bytes, whole, durationMs, rooms))
  if (refusal === undefined) {
    if (!whole) rooms.log.info({ request_id: exchange.id, route: route.name, status, bytes }, 'the answer broke off')
    return
  }
  rooms.meters.refusal(refusal.code)
  if (shed) return // the log tells of them together
  const fields = {
    request_id: exchange.id,
    route: route.name,
    method: request.method,
    path: pathOf(exchange),
    status,
    code: refusal.code,
    reason: refusal.reason,
    client: exchange.client,
    principal: principal.id,
    client_id: principal.client,
    known_by: machineOf(principal).credential, // a handle; what is called a credential is struck out of logs
  }
  if (status >= 500) rooms.log.warn(fields, 'refused')
  else rooms.log.info(fields, 'refused')
}

/** Refusals for what was found. */
const contentCodes: ReadonlySet<Code> = new Set([
  'injection-detected',
  'prompt-injection-detected',
  'moderation-refused',
  'personal-data-refused',
  'secret-refused',
  'upload-refused',
  'answer-invalid',
  'answer-refused',
])

/** Events that may wait to be written while requests that were shed are still remembered one by one. */
const shedBacklogMax = 8_192

function accessEvent(
  exchange: Exchange,
  status: number,
  bytes: number,
  whole: boolean,
  durationMs: number,
  rooms: Rooms,
): AuditEvent {
  const { refusal, route, request, principal, decision } = exchange
  const disowned = decision.effect === 'deny' && decision.lacks.kind === 'ownership'
  const forbidden = refusal !== undefined && (status === 403 || (status === 404 && disowned)) // no less refused than told so
  return {
    ...(forbidden ? refusedAccess : access),
    actor: { id: principal.id, type: principal.type },
    address: exchange.client,
    at: exchange.arrivedAt,
    details: {
      ...(principal.actor === undefined ? {} : { acting: actorsOf(principal.actor).join(' ') }),
      because: refusal === undefined ? (whole ? '' : 'broke-off') : refusal.code,
      bytes,
      ...(principal.client === undefined ? {} : { client: principal.client }),
      ...machineOf(principal),
      // Which permission, whose role, which rule of which policy: for readers of the record, never for the caller.
      ...((route.access.to === 'public' && decision.effect === 'permit') || decision === undecided
        ? {}
        : { decided: decision.because }),
      duration_ms: Math.round(durationMs * 10) / 10,
      ...(exchange.findings.length === 0 ? {} : { findings: findingsText(exchange.findings) }),
      ...(decision.effect === 'deny' && decision.lacks.kind === 'permission'
        ? { lacks: decision.lacks.permission }
        : {}),
      method: request.method,
      path: shown(pathOf(exchange)),
      ...(exchange.score === 0 ? {} : { score: Math.round(exchange.score * 100) / 100 }),
      status,
    },
    id: uuidv7(exchange.arrivedAt, rooms.random),
    request_id: exchange.id,
    resource: { id: route.name, type: 'route' },
    result: refusal === undefined ? (status < 400 ? 'success' : 'failure') : status < 500 ? 'denied' : 'error',
    user_agent: request.head.userAgent ?? '',
    v: 1,
  }
}

/** Whose mail stands in a path, or what opens a door, stands in no log for that. */
function pathOf({ request, findings }: Exchange): string {
  return findings.some(({ kind, place }) => place.in === 'path' && isNotRepeated.has(kind))
    ? redacted
    : request.target.path
}

const isNotRepeated: ReadonlySet<Finding['kind']> = new Set(['personal-data', 'secret'])

/** By what a machine was known: which of somebody's keys, which certificate of a service. */
function machineOf({ credential }: Principal): { readonly credential?: string } {
  return credential.kind === 'none' || 'proof' in credential
    ? {}
    : { credential: `${credential.kind} ${credential.id}` }
}

const access = { action: 'request', type: 'api_access' } as const
const refusedAccess = { action: 'refused', type: 'authorization_failure' } as const

/** A path may hold somebody's token. Short ones cannot, and are most of them. */
function shown(path: string): string {
  return path.length < 24 ? path : redactText(path)
}
