/**
 * What is remembered. Remembering something new is adding a member to this closed union.
 * Members are declared in the order of RFC 8785 (sorted names), so that writing one out in order is its canonical form.
 */
export type AuditEvent =
  | Entry<'authentication', AuthenticationAction>
  | Entry<'authorization_failure', 'refused' | 'evaluated'>
  | Entry<'api_access', 'request' | 'evaluated'>
  | Entry<'data_access', DataAction>
  | Entry<'security_incident', IncidentAction>
  | Entry<'consent', 'client-allow' | 'client-deny' | 'client-withdraw'>
  | Entry<'erasure', 'request' | 'complete' | 'refuse'>
  | Entry<'admin_action', AdminAction>
  | Entry<'client_report', 'reported'>
  | Entry<'system', SystemAction>

/** What was read or written that is worth a line of its own: the record itself, or what a host application says (`house.audit.append`). */
export type DataAction =
  | 'read'
  | 'write'
  | 'delete'
  | 'export'
  | 'audit.search'
  | 'audit.count'
  | 'audit.export'
  | 'audit.prove'
  | 'review.make'
  | 'posture.read'

export type IncidentAction =
  | 'brute-force'
  | 'token-reuse'
  | 'address-block'
  | 'load-shed'
  | 'detected'
  | 'record-broken'

export type SystemAction =
  | 'start'
  | 'stop'
  | 'reload'
  | 'audit-gap'
  | 'shared-count-lost'
  | 'shared-count-found'
  | 'sink-lost'
  | 'sink-found'
  | 'sink-parked'
  | 'alert-lost'

export type AuthenticationAction =
  | 'sign-in'
  | 'second-factor-request'
  | 'second-factor'
  | 'step-up'
  | 'sign-out'
  | 'session-end'
  | 'refresh'
  | 'client-token'
  | 'client-refresh'
  | 'client-registration'
  | 'token-revoke'
  | 'device-approve'
  | 'registration'
  | 'invitation-accepted'
  | 'password-change'
  | 'password-reset-request'
  | 'password-reset'
  | 'email-change-request'
  | 'email-change'
  | 'factor-add'
  | 'factor-remove'
  | 'recovery-codes'
  | 'identity-link'
  | 'identity-unlink'

export type AdminAction =
  | 'user.create'
  | 'user.invite'
  | 'user.roles'
  | 'user.sessions-end'
  | 'user.factors-remove'
  | 'user.impersonate'
  | 'user.lock'
  | 'user.unlock'
  | 'user.grant'
  | 'user.withdraw'
  | 'user.reset'
  | 'signing-key.rotate'
  | 'signing-key.remove'
  | 'token.revoke'
  | 'client.create'
  | 'client.invite'
  | 'client.change'
  | 'client.remove'
  | 'client.secret-add'
  | 'client.secret-remove'
  | 'api-key.create'
  | 'api-key.change'
  | 'api-key.rotate'
  | 'api-key.revoke'
  | 'service.create'
  | 'service.change'
  | 'service.remove'
  | 'service.secret-add'
  | 'service.secret-remove'
  | 'service.token'
  | 'role.create'
  | 'role.change'
  | 'role.remove'
  | 'policy.create'
  | 'policy.change'
  | 'policy.remove'
  | 'policy.trial-begin'
  | 'policy.trial-adopt'
  | 'policy.trial-end'
  | 'address.block'
  | 'address.lift'
  | 'audit.checkpoint'
  | 'sink.reset'
  | 'incident.open'
  | 'incident.acknowledge'
  | 'incident.contain'
  | 'incident.assign'
  | 'incident.note'
  | 'incident.resolve'
  | 'incident.reopen'
  | 'playbook.run'
  | 'playbook.approve'
  | 'playbook.reject'
  | 'playbook.step'
  | 'playbook.undo'
  | 'changes.freeze'
  | 'changes.thaw'

export type AuditType = AuditEvent['type']

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
  readonly result: 'success' | 'failure' | 'denied' | 'error'
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
  readonly type:
    | 'route'
    | 'user'
    | 'session'
    | 'signing-key'
    | 'client'
    | 'service'
    | 'api-key'
    | 'role'
    | 'policy'
    | 'token'
    | 'address'
    | 'audit'
    | 'sink'
    | 'incident'
    | 'playbook'
    | 'data'
    | 'house'
}

/** Small facts that help a reader. Never a secret, a token or a body. */
export type Details = Readonly<Record<string, string | number | boolean>>
