import type { AuditEvent, AuthenticationAction } from '../event.ts'
import type { ChainedEvent } from '../follow/follower.ts'

/** The version of the Open Cybersecurity Schema Framework that events are told in: https://schema.ocsf.io/1.3.0. */
const schemaVersion = '1.3.0'

/** What a class of OCSF is told beside what every event is. */
interface Told {
  /** Its number: of its category, three digits, and its own. */
  readonly class_uid: number
  readonly activity_id: number
  /** What happened, in our word, where OCSF has none: `activity_id` is 99 then. */
  readonly activity_name?: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** An event as a line of OCSF. `version` is the house's own. */
export function ocsfLine(chained: ChainedEvent, version: string): string {
  return `${JSON.stringify(ocsfOf(chained, version))}\n`
}

export function ocsfOf({ seq, hash, event }: ChainedEvent, version: string): Record<string, unknown> {
  const { class_uid, activity_id, activity_name, attributes } = toldOf(event)
  return {
    category_uid: Math.floor(class_uid / 1000),
    class_uid,
    activity_id,
    ...(activity_id === other ? { activity_name: activity_name ?? event.action } : {}),
    type_uid: class_uid * 100 + activity_id,
    time: event.at,
    severity_id: severityOf(event),
    ...statusOf(event),
    message: `${event.type} ${event.action}: ${event.result}`,
    metadata: {
      version: schemaVersion,
      product: { name: 'Gatehouse', vendor_name: 'Gatehouse', version },
      log_name: 'audit',
      uid: event.id,
      sequence: seq,
      ...(event.request_id === '' ? {} : { correlation_uid: event.request_id }),
      event_code: `${event.type}.${event.action}`,
    },
    ...attributes,
    unmapped: {
      hash,
      resource: event.resource,
      details: event.details,
      ...(event.private === undefined ? {} : { private: event.private }),
    },
  }
}

const other = 99

/** Closed: a type without a class does not compile. */
function toldOf(event: AuditEvent): Told {
  switch (event.type) {
    case 'authentication':
      return authentication(event.action, event)
    case 'api_access':
    case 'authorization_failure':
      return httpActivity(event)
    case 'data_access':
      return apiActivity(event, dataActivities[event.action] ?? read)
    case 'client_report':
      return apiActivity(event, create)
    case 'security_incident':
      return { class_uid: 2004, activity_id: create, attributes: finding(event) }
    case 'consent':
      return userAccess(event, event.action === 'client-allow' ? 1 : 2)
    case 'erasure':
      return entity(event, event.action === 'complete' ? 4 : other)
    case 'admin_action':
      return administration(event)
    case 'system':
      return lifecycle(event)
    default:
      return event satisfies never
  }
}

const [create, read, update, remove] = [1, 2, 3, 4]

const dataActivities: Readonly<Partial<Record<AuditEvent['action'], number>>> = { write: update, delete: remove }

/** What becomes of an account: Account Change (3001). The rest of authentication is Authentication (3002). */
// biome-ignore format: a table
const authenticationActivities: Readonly<Record<AuthenticationAction, readonly [class_uid: 3001 | 3002, activity_id: number]>> = {
  'sign-in':                [3002, 1],
  'second-factor-request':  [3002, other],
  'second-factor':          [3002, 1],
  'step-up':                [3002, other],
  'sign-out':               [3002, 2],
  'session-end':            [3002, 2],
  refresh:                  [3002, other],
  'client-token':           [3002, other],
  'client-refresh':         [3002, other],
  'client-registration':    [3001, 1],
  'token-revoke':           [3002, 2],
  'device-approve':         [3002, other],
  registration:             [3001, 1],
  'invitation-accepted':    [3001, 1],
  'password-change':        [3001, 3],
  'password-reset-request': [3001, other],
  'password-reset':         [3001, 4],
  'email-change-request':   [3001, other],
  'email-change':           [3001, other],
  'factor-add':             [3001, 10],
  'factor-remove':          [3001, 11],
  'recovery-codes':         [3001, other],
  'identity-link':          [3001, other],
  'identity-unlink':        [3001, other],
}

function authentication(action: AuthenticationAction, event: AuditEvent): Told {
  const [class_uid, activity_id] = authenticationActivities[action]
  const user = userOf(event.resource.id === '' ? event.actor.id : event.resource.id)
  const common = { user, actor: actorOf(event), ...source(event), ...requestOf(event) }
  return {
    class_uid,
    activity_id,
    attributes:
      class_uid === 3002 ? { ...common, service: { name: 'Gatehouse' }, is_mfa: action === 'second-factor' } : common,
  }
}

const methods: readonly unknown[] = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE']

/** HTTP Activity (4002). What a decision was asked for without a request is API Activity (6003). */
function httpActivity(event: AuditEvent): Told {
  const { method, path, status, duration_ms, bytes } = event.details
  if (typeof status !== 'number') return apiActivity(event, event.action === 'evaluated' ? read : other)
  const activity_id = methods.indexOf(method) + 1 || other
  return {
    class_uid: 4002,
    activity_id,
    ...(activity_id === other ? { activity_name: String(method) } : {}),
    attributes: {
      actor: actorOf(event),
      ...source(event),
      http_request: {
        http_method: String(method),
        url: { path: String(path) },
        ...(event.user_agent === '' ? {} : { user_agent: event.user_agent }),
        ...(event.request_id === '' ? {} : { uid: event.request_id }),
      },
      http_response: {
        code: status,
        ...(typeof bytes === 'number' ? { length: bytes } : {}),
        ...(typeof duration_ms === 'number' ? { latency: Math.round(duration_ms) } : {}),
      },
    },
  }
}

/** API Activity (6003). */
function apiActivity(event: AuditEvent, activity_id: number): Told {
  return {
    class_uid: 6003,
    activity_id,
    attributes: {
      actor: actorOf(event),
      api: { operation: event.action, service: { name: 'Gatehouse' } },
      ...source(event),
      ...requestOf(event),
      resources: [{ type: event.resource.type, uid: event.resource.id }],
    },
  }
}

/** Detection Finding (2004). */
function finding(event: AuditEvent): Record<string, unknown> {
  const { rule, title } = event.details
  return {
    finding_info: {
      uid: event.id,
      title: typeof title === 'string' ? title : event.action,
      created_time: event.at,
      types: [event.action],
      ...(typeof rule === 'string' ? { analytic: { type_id: 1, name: rule, uid: rule } } : {}),
    },
    is_alert: true,
    evidences: [{ actor: actorOf(event), ...source(event) }],
    resources: [{ type: event.resource.type, uid: event.resource.id }],
  }
}

/** User Access Management (3005). */
function userAccess(event: AuditEvent, activity_id: number): Told {
  return {
    class_uid: 3005,
    activity_id,
    attributes: {
      user: userOf(event.resource.type === 'user' ? event.resource.id : event.actor.id),
      privileges: [`${event.resource.type} ${event.resource.id}`],
      actor: actorOf(event),
      ...source(event),
      ...requestOf(event),
    },
  }
}

/** What administrators do to accounts; to anything else it is Entity Management (3004), by the last word of its action. */
// biome-ignore format: a table
const accountActivities: Readonly<Record<string, readonly [class_uid: 3001 | 3005, activity_id: number]>> = {
  'user.create':         [3001, 1],
  'user.invite':         [3001, 1],
  'user.roles':          [3005, 1],
  'user.grant':          [3005, 1],
  'user.withdraw':       [3005, 2],
  'user.lock':           [3001, 9],
  'user.unlock':         [3001, 2],
  'user.reset':          [3001, 4],
  'user.factors-remove': [3001, 11],
}

// biome-ignore format: a table
const entityActivities: Readonly<Record<string, number>> = {
  create: create, open: create, block: create, invite: create, run: create,
  change: update, rotate: update, acknowledge: update, contain: update, assign: update, note: update, resolve: update, reopen: update,
  remove: remove, revoke: remove, lift: remove,
}

function administration(event: AuditEvent): Told {
  const ofAccount = Object.hasOwn(accountActivities, event.action) ? accountActivities[event.action] : undefined
  if (ofAccount === undefined) {
    const verb = event.action.slice(event.action.lastIndexOf('.') + 1)
    return entity(event, Object.hasOwn(entityActivities, verb) ? (entityActivities[verb] as number) : other)
  }
  const [class_uid, activity_id] = ofAccount
  if (class_uid === 3005) return userAccess(event, activity_id)
  const user = userOf(event.resource.id)
  return { class_uid, activity_id, attributes: { user, actor: actorOf(event), ...source(event), ...requestOf(event) } }
}

/** Entity Management (3004). */
function entity(event: AuditEvent, activity_id: number): Told {
  return {
    class_uid: 3004,
    activity_id,
    attributes: {
      entity: { type: event.resource.type, uid: event.resource.id, name: event.resource.id },
      actor: actorOf(event),
      ...source(event),
      ...requestOf(event),
    },
  }
}

/** Application Lifecycle (6002). */
function lifecycle(event: AuditEvent): Told {
  const activity_id = event.action === 'start' ? 3 : event.action === 'stop' ? 4 : other
  return {
    class_uid: 6002,
    activity_id,
    attributes: { app: { name: 'Gatehouse', vendor_name: 'Gatehouse' }, actor: actorOf(event) },
  }
}

function actorOf({ actor: { id, type } }: AuditEvent): Record<string, unknown> {
  if (type === 'user' || type === 'anonymous') return { user: userOf(id) }
  return { app_name: id, app_uid: id }
}

function userOf(id: string): Record<string, unknown> {
  return { uid: id === '' ? 'unknown' : id }
}

/** Every event of a network has an end that it came from; what the house or its operator did came from the house. */
function source({ address }: AuditEvent): Record<string, unknown> {
  return { src_endpoint: address === '' ? { svc_name: 'gatehouse' } : { ip: address } }
}

function requestOf({ user_agent, request_id }: AuditEvent): Record<string, unknown> {
  if (request_id === '') return {}
  return { http_request: { uid: request_id, ...(user_agent === '' ? {} : { user_agent }) } }
}

/** 1 informational, 2 low, 3 medium, 4 high, 5 critical. */
function severityOf({ type, result, details: { severity } }: AuditEvent): number {
  if (type === 'security_incident') return severities[String(severity)] ?? 4
  return result === 'success' ? 1 : result === 'failure' ? 2 : 3
}

const severities: Readonly<Record<string, number>> = {
  info: 1,
  informational: 1,
  low: 2,
  medium: 3,
  high: 4,
  critical: 5,
}

function statusOf({ result, details: { because } }: AuditEvent): Record<string, unknown> {
  const isDone = result === 'success'
  return {
    status_id: isDone ? 1 : 2,
    status: isDone ? 'Success' : 'Failure',
    ...(!isDone ? { status_code: result } : {}),
    ...(typeof because === 'string' && because !== '' ? { status_detail: because } : {}),
  }
}
