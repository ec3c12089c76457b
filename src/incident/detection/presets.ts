import type { AuditType } from '../../audit/event.ts'
import { contract } from '../../wire/contract.ts'
import type { ConditionInput } from './condition.ts'
import type { RuleInput } from './rule-options.ts'
import { suspiciousCodes } from './suspicious.ts'

/** To ask a question as a service does, and to have code run. */
const forOthers: ReadonlySet<string> = new Set(['policies:evaluate', 'sandbox:run'])

/** Permissions over the house itself: what its own endpoints demand, but for what they do for others. */
export const administrativePermissions: readonly string[] = [
  ...new Set(
    Object.values(contract).flatMap(({ access }) =>
      typeof access === 'object' && !forOthers.has(access.permission) ? [access.permission] : [],
    ),
  ),
  'audit:view',
  'incidents:manage',
].filter((permission, at, all) => all.indexOf(permission) === at)

const failedSignIn = {
  type: 'authentication',
  action: ['sign-in', 'second-factor'],
  result: 'failure',
} satisfies ConditionInput
const signIn = { type: 'authentication', action: 'sign-in', result: 'success' } satisfies ConditionInput
const requests: AuditType[] = ['api_access', 'authorization_failure']

/** What is noticed where nobody says otherwise. */
const standard = {
  'brute-force': {
    kind: 'count',
    type: 'brute-force',
    title: 'Somebody guesses the password of an account',
    severity: 'high',
    when: failedSignIn,
    without: signIn,
    by: ['resource', 'address'],
    threshold: 5,
    window: '15m',
  },
  'brute-force-from-many': {
    kind: 'count',
    type: 'brute-force',
    title: 'An account is guessed at from many addresses',
    severity: 'high',
    when: failedSignIn,
    by: 'resource',
    threshold: 30,
    window: '1h',
    targets: ['resource'],
  },
  'password-spraying': {
    kind: 'distinct',
    type: 'password-spraying',
    title: 'One address tries the accounts of many people',
    severity: 'high',
    when: failedSignIn,
    without: signIn,
    by: 'address',
    distinct: 'resource',
    threshold: 10,
    window: '1h',
  },
  'unknown-accounts': {
    kind: 'count',
    type: 'password-spraying',
    title: 'One address tries accounts that do not exist',
    severity: 'medium',
    when: { ...failedSignIn, resource: 'user', id: '', details: { because: ['credentials-invalid', 'locked-out'] } },
    by: 'address',
    threshold: 20,
    window: '1h',
  },
  'credential-stuffing': {
    kind: 'distinct',
    type: 'credential-stuffing',
    title: 'Many addresses try the accounts of many people',
    severity: 'high',
    when: failedSignIn,
    without: signIn,
    by: 'house',
    distinct: ['resource', 'address'],
    threshold: 100,
    window: '15m',
  },
  'sign-in-failures': {
    kind: 'jump',
    type: 'credential-stuffing',
    title: 'Far more sign-ins fail than usually',
    severity: 'medium',
    when: failedSignIn,
    of: { type: 'authentication', action: ['sign-in', 'second-factor'] },
    by: 'house',
    factor: 3,
    windows: 12,
    least: 50,
    window: '15m',
    cooldown: '3h',
  },
  'impossible-travel': {
    kind: 'travel',
    type: 'impossible-travel',
    title: 'Somebody signs in from two places that are too far apart',
    severity: 'medium',
    when: signIn,
    by: 'actor',
  },
  'new-device': {
    kind: 'unseen',
    type: 'new-device',
    title: 'Somebody signs in with a program that they had not used before',
    severity: 'low',
    when: signIn,
    by: 'actor',
    value: 'agent',
    most: 10,
    incident: false,
    cooldown: '1m',
  },
  'token-reuse': {
    kind: 'count',
    type: 'token-reuse',
    title: 'A token or code that was spent came again',
    severity: 'high',
    when: { type: 'security_incident', action: 'token-reuse' },
    by: 'resource',
    threshold: 1,
    window: '1h',
    targets: ['resource', 'session'],
  },
  'key-from-new-network': {
    kind: 'unseen',
    type: 'key-from-new-network',
    title: 'An API key is used from a network that it had not been used from',
    severity: 'medium',
    when: { type: requests, details: { credential: { matches: '^api-key ' } } },
    by: 'details.credential',
    value: 'network',
    most: 5,
    targets: ['api-key'],
  },
  enumeration: {
    kind: 'distinct',
    type: 'enumeration',
    title: 'Somebody asks for many things that are not there, or not theirs',
    severity: 'medium',
    when: { type: requests, details: { status: [403, 404] } },
    by: 'caller',
    distinct: 'details.path',
    threshold: 50,
    window: '5m',
    targets: ['actor', 'address'],
  },
  refusals: {
    kind: 'jump',
    type: 'unusual-use',
    title: 'Far more requests are refused than usually',
    severity: 'medium',
    when: { type: requests, result: 'denied' },
    of: { type: requests },
    by: 'house',
    factor: 3,
    windows: 12,
    least: 500,
    window: '10m',
    cooldown: '3h',
  },
  'privilege-escalation': {
    kind: 'count',
    type: 'privilege-escalation',
    title: 'Somebody asks for an administrative permission that they lack',
    severity: 'high',
    when: { type: 'authorization_failure', details: { lacks: [...administrativePermissions] } },
    by: 'actor',
    threshold: 1,
    window: '1h',
  },
  'rate-limit-violations': {
    kind: 'count',
    type: 'rate-limit-violation',
    title: 'Somebody goes on asking although a limit is used up',
    severity: 'medium',
    when: { type: 'api_access', details: { because: 'rate-limited' } },
    by: 'caller',
    threshold: 10,
    window: '1h',
    targets: ['actor', 'address'],
  },
  'injection-attempts': {
    kind: 'count',
    type: 'injection-attempt',
    title: 'Somebody sends one attack after the other',
    severity: 'high',
    when: { type: requests, details: { score: { atLeast: 0.8 } } },
    by: 'caller',
    threshold: 10,
    window: '10m',
    targets: ['actor', 'address'],
  },
  'sandbox-escapes': {
    kind: 'count',
    type: 'sandbox-escape',
    title: 'Code of somebody reaches for what lies outside its sandbox',
    severity: 'high',
    when: { type: 'api_access', action: 'run', details: { escape_attempt: true } },
    by: 'actor',
    threshold: 3,
    window: '10m',
    targets: ['actor'],
  },
  'forbidden-imports': {
    kind: 'distinct',
    type: 'sandbox-escape',
    title: 'Code of somebody tries one forbidden module after the other',
    severity: 'medium',
    when: { type: 'api_access', action: 'run', details: { outcome: 'import-forbidden' } },
    by: 'actor',
    distinct: 'details.module',
    threshold: 10,
    window: '10m',
    targets: ['actor'],
  },
  'suspicious-patterns': {
    kind: 'count',
    type: 'suspicious-pattern',
    title: 'An address sends requests that honest programs do not send',
    severity: 'medium',
    when: { type: 'api_access', details: { because: [...suspiciousCodes] } },
    by: 'address',
    threshold: 3,
    window: '1h',
  },
} satisfies Readonly<Record<string, RuleInput>>

/** Asks for a permission that only administrators of that system have. */
function escalation(permissions: readonly string[]): RuleInput {
  return {
    ...standard['privilege-escalation'],
    when: { type: 'authorization_failure', details: { lacks: [...administrativePermissions, ...permissions] } },
  }
}

/** Rules by the name of what they are for: a system's are meant to be named behind `standard`. */
export const presets = {
  standard,
  'crazy-gary': {
    'brute-force': { ...standard['brute-force'], threshold: 5, window: '5m' },
    'request-flood': {
      kind: 'count',
      type: 'unusual-use',
      title: 'One user sends a hundred requests in a minute',
      severity: 'medium',
      when: { type: requests },
      by: 'actor',
      threshold: 100,
      window: '1m',
    },
  },
  lazi: { 'brute-force': { ...standard['brute-force'], threshold: 5, window: '15m' } },
  jaf: {
    'rate-limit-violations': { ...standard['rate-limit-violations'], threshold: 10 },
    'suspicious-patterns': { ...standard['suspicious-patterns'], threshold: 3 },
    'privilege-escalation': escalation(['system:admin', 'agent:manage']),
  },
  'ai-assistant': {
    'brute-force': {
      ...standard['brute-force'],
      by: 'resource',
      threshold: 5,
      window: '5m',
      targets: ['resource', 'address'],
    },
    'privilege-escalation': escalation(['user:manage', 'tool:register', 'tool:delete']),
  },
  'ecommerce-analytics': {
    'brute-force': { ...standard['brute-force'], threshold: 5, window: '1h' },
    'privilege-escalation': escalation(['manage_users']),
  },
} satisfies Readonly<Record<string, Readonly<Record<string, RuleInput>>>>

export type PresetName = keyof typeof presets
