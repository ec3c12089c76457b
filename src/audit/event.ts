/** Everything that is remembered, by its type. Remembering something new is adding it here. */
export const actions = {
  authentication: [
    'sign-in',
    'second-factor-request',
    'second-factor',
    'step-up',
    'sign-out',
    'session-end',
    'refresh',
    'client-token',
    'client-refresh',
    'client-registration',
    'token-revoke',
    'device-approve',
    'registration',
    'invitation-accepted',
    'password-change',
    'password-reset-request',
    'password-reset',
    'email-change-request',
    'email-change',
    'factor-add',
    'factor-remove',
    'recovery-codes',
    'identity-link',
    'identity-unlink',
  ],
  authorization_failure: ['refused', 'evaluated'],
  /** `run`: code in the sandbox. */
  api_access: ['request', 'evaluated', 'run'],
  /** What was read or written that is worth a line of its own: the record itself, or what a host application says (`house.audit.append`). */
  data_access: [
    'read',
    'write',
    'delete',
    'export',
    'audit.search',
    'audit.count',
    'audit.export',
    'audit.prove',
    'review.make',
    'posture.read',
  ],
  security_incident: ['brute-force', 'token-reuse', 'address-block', 'load-shed', 'detected', 'record-broken'],
  consent: ['client-allow', 'client-deny', 'client-withdraw'],
  erasure: ['request', 'complete', 'refuse'],
  admin_action: [
    'user.create',
    'user.invite',
    'user.roles',
    'user.sessions-end',
    'user.factors-remove',
    'user.impersonate',
    'user.lock',
    'user.unlock',
    'user.grant',
    'user.withdraw',
    'user.reset',
    'signing-key.rotate',
    'signing-key.remove',
    'token.revoke',
    'client.create',
    'client.invite',
    'client.change',
    'client.remove',
    'client.secret-add',
    'client.secret-remove',
    'api-key.create',
    'api-key.change',
    'api-key.rotate',
    'api-key.revoke',
    'service.create',
    'service.change',
    'service.remove',
    'service.secret-add',
    'service.secret-remove',
    'service.token',
    'role.create',
    'role.change',
    'role.remove',
    'policy.create',
    'policy.change',
    'policy.remove',
    'policy.trial-begin',
    'policy.trial-adopt',
    'policy.trial-end',
    'address.block',
    'address.lift',
    'audit.checkpoint',
    'sink.reset',
    'sink.remove',
    'incident.open',
    'incident.acknowledge',
    'incident.contain',
    'incident.assign',
    'incident.note',
    'incident.resolve',
    'incident.reopen',
    'playbook.run',
    'playbook.approve',
    'playbook.reject',
    'playbook.step',
    'playbook.undo',
    'changes.freeze',
    'changes.thaw',
  ],
  client_report: ['reported'],
  system: [
    'start',
    'stop',
    'reload',
    'audit-gap',
    'shared-count-lost',
    'shared-count-found',
    'sink-lost',
    'sink-found',
    'sink-parked',
    'alert-lost',
  ],
} as const

export const results = ['success', 'failure', 'denied', 'error'] as const

/** What an event can be about. */
export const resourceTypes = [
  'route',
  'user',
  'session',
  'signing-key',
  'client',
  'service',
  'api-key',
  'role',
  'policy',
  'token',
  'address',
  'audit',
  'sink',
  'incident',
  'playbook',
  'data',
  'code',
  'house',
] as const

export type AuditType = keyof typeof actions
export type AdminAction = ActionOf<'admin_action'>
export type AuthenticationAction = ActionOf<'authentication'>
export type DataAction = ActionOf<'data_access'>
export type ActionOf<Type extends AuditType> = (typeof actions)[Type][number]

/** A closed union of what is remembered. */
export type AuditEvent = { [Type in AuditType]: Entry<Type, ActionOf<Type>> }[AuditType]

/** Members are declared in the order of RFC 8785 (sorted names), so that writing one out in order is its canonical form. */
export interface Entry<Type extends string, Action extends string> {
  readonly action: Action
  readonly actor: Actor
  /** The client's address, or '' where there is none. */
  readonly address: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly details: Details
  readonly id: string
  /** Details that say something of a person: they are stored under that person's own key, and nowhere else. */
  readonly private?: Details
  readonly request_id: string
  readonly resource: Resource
  readonly result: (typeof results)[number]
  readonly type: Type
  readonly user_agent: string
  /** Version of this form. */
  readonly v: 1
}

export interface Actor {
  readonly id: string
  readonly type: 'user' | 'service' | 'agent' | 'anonymous' | 'system'
}

export interface Resource {
  readonly id: string
  readonly type: (typeof resourceTypes)[number]
}

/** Small facts that help a reader. Never a secret, a token or a body. */
export type Details = Readonly<Record<string, string | number | boolean>>
