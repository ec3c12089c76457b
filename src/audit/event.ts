/**
 * What is remembered. Remembering something new is adding a member to this closed union.
 * Members are declared in the order of RFC 8785 (sorted names), so that writing one out in order is its canonical form.
 */
export type AuditEvent =
  | Entry<'authentication', 'sign-in' | 'sign-out' | 'refresh' | 'refresh-reuse'>
  | Entry<'authorization_failure', 'refused'>
  | Entry<'api_access', 'request'>
  | Entry<'admin_action', AdminAction>
  | Entry<'system', 'start' | 'stop' | 'reload' | 'audit-gap'>

export type AdminAction =
  | 'user.create'
  | 'user.lock'
  | 'user.unlock'
  | 'user.grant'
  | 'user.withdraw'
  | 'user.reset'
  | 'signing-key.rotate'

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
  readonly type: 'route' | 'user' | 'session' | 'signing-key' | 'house'
}

/** Small facts that help a reader. Never a secret, a token or a body. */
export type Details = Readonly<Record<string, string | number | boolean>>
