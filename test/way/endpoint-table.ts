// What each endpoint answers, by hand: to whoever the gate lets in, and once to somebody who does it rightly.
import assert from 'node:assert/strict'
import { openIncidents } from '../../src/incident/open.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { EndpointName } from '../../src/wire/contract.ts'
import { checkpointing } from '../audit/checkpoint-support.ts'
import type { Caller, Scene } from './callers.ts'

/** What a request needs beside who asks. */
export interface Asked {
  /** In the place of the parameters of the path, in their order. */
  readonly params?: readonly string[] | undefined
  readonly body?: object | undefined
  readonly query?: string
}

export interface Row {
  /** Names that lead nowhere, in the form of those that do. */
  readonly absent?: readonly string[]
  /** A body that fits. Whoever is let in sends it with fields that are not theirs to say, and is told so. */
  readonly body?: object
  /** Members of the usual forgeries that this body does have. */
  readonly takes?: readonly string[]
  /** What whoever is let in is answered, where there is neither a body nor a name in the path. */
  readonly letIn?: number | ((caller: Caller) => number)
  /** It ends sessions of whoever asks. */
  readonly ends?: true
  /** Done rightly: by whom, with what, and what is answered. */
  readonly done: readonly [by: string, status: number, ask?: (scene: Scene, root: Root) => Asked | Promise<Asked>]
}

/** What an administrator made for somebody to be done with. */
export interface Root {
  key(): Promise<string>
  client(): Promise<readonly [id: string, secret: string]>
  service(): Promise<readonly [name: string, secret: string]>
  role(): Promise<string>
  /** One with a document, and another that is tried out. */
  policy(): Promise<string>
  /** The session that a person has at another place. */
  session(account: string): Promise<string>
}

export const uuid = '01900000-0000-7000-8000-000000000000'
const noKey = 'AAAAAAAAAAAAAAA'
const password = 'seven violet rivers run'
const other = 'eight crimson valleys sing'
const challenge = { challenge: 'none' }
const isAccount = ({ account }: Caller): number => (account === undefined ? 404 : 200)
const byId = async ({ newPerson }: Scene): Promise<Asked> => ({ params: [(await newPerson()).id] })
const noRules = { version: '1.0', rules: [] }
const client = { client_name: 'A client', redirect_uris: ['https://client.example/cb'] }
const theBlock = async ({ people }: Scene): Promise<Asked> => {
  const { traffic, store } = people.house
  const block = { network: '198.51.100.0/24', reason: 'for a test', createdBy: 'root', createdAt: Date.now() }
  await store.transaction((trx) =>
    traffic.blockStore.put(trx, { ...block, source: 'administrator', expiresAt: undefined }),
  )
  return { params: ['198.51.100.0_24'] }
}
const anIncident = { type: 'data-breach', severity: 'high', title: 'For a test' } as const
const theIncident =
  (body?: object) =>
  async ({ people }: Scene): Promise<Asked> => {
    const { store, settings } = people.house
    const { incidentBook } = openIncidents({
      options: settings.incidents,
      clock: systemClock,
      random: systemRandom,
      onOpened: [],
    })
    const draft = { ...anIncident, description: '', targets: [] }
    const { id } = await store.transaction((trx) => incidentBook.open(trx, draft, 'root'))
    return { params: [id], body }
  }
const theEvent = async ({ people }: Scene): Promise<Asked> => {
  const { audit, store } = people.house
  await audit.flush()
  const { id } = await store.db.selectFrom('audit_events').select('id').executeTakeFirstOrThrow()
  return { params: [id] }
}
const theSignedEvent = async ({ people }: Scene): Promise<Asked> => {
  const { audit, checkpointKey: key, store } = people.house
  await audit.flush()
  const { checkpointer } = await checkpointing(store, { key })
  await checkpointer.make()
  const { id } = await store.db.selectFrom('audit_events').select('id').executeTakeFirstOrThrow()
  return { params: [id] }
}
const theRun = async ({ people }: Scene): Promise<Asked> => {
  const { playbooks, store } = people.house
  const draft = { playbook: 'data-breach', steps: [{ do: 'alert' as const }], onFailure: 'continue' as const }
  const more = { incident: undefined, targets: [], startedBy: 'gatehouse', reason: 'for a test' }
  const id = await store.transaction((trx) => playbooks.runBook.begin(trx, { ...draft, ...more }))
  await playbooks.runner.carryOut(id)
  return { params: [id] }
}
const theStep = async (scene: Scene): Promise<Asked> => ({ params: [...((await theRun(scene)).params ?? []), '1'] })
const theKey = async (_: Scene, root: Root): Promise<Asked> => ({ params: [await root.key()] })
const theClient = async (_: Scene, root: Root): Promise<Asked> => ({ params: [(await root.client())[0]] })
const thePolicy = async (_: Scene, root: Root): Promise<Asked> => ({ params: [await root.policy()] })
const theRole = async (_: Scene, root: Root): Promise<Asked> => ({ params: [await root.role()] })
const theService = async (_: Scene, root: Root): Promise<Asked> => ({ params: [(await root.service())[0]] })

// biome-ignore format: a table, one line to an endpoint
export const table: Readonly<Record<EndpointName, Row>> = {
  register: { body: { email: 'new@people.example', name: 'New', password }, done: ['nobody', 202] },
  signIn: { body: { email: 'ada@people.example', password }, done: ['nobody', 200] },
  signInTotp: { body: { challenge: 'none', code: '000000' }, done: ['nobody', 401] }, // the ceremonies themselves: test/people
  signInRecoveryCode: { body: { challenge: 'none', code: '000000' }, done: ['nobody', 401] },
  signInPasskeyOptions: { body: {}, done: ['nobody', 200] },
  signInPasskey: { body: { ...challenge, credential: {} }, done: ['nobody', 401] },
  refresh: { body: { refresh_token: 'none' }, done: ['nobody', 200, async ({ people, caller }) => {
    const { account } = caller('ada')
    const proof = { methods: ['password' as const], at: 0 }
    const opened = await people.house.sessions.open(people.house.store.db, account?.id ?? '', { address: '', userAgent: '' }, proof)
    return { body: { refresh_token: opened.refreshToken } }
  }] },
  signOut: { letIn: 200, ends: true, done: ['ada', 200] },
  validate: { letIn: 200, done: ['ada', 200] },
  me: { letIn: isAccount, done: ['ada', 200] },
  forgotPassword: { body: { email: 'nobody@people.example' }, done: ['nobody', 202] },
  resetPassword: { body: { token: 'none', password: other }, done: ['nobody', 400] },
  changePassword: { body: { current_password: password, password: other }, done: ['ada', 200] },
  verifyEmail: { body: { token: 'none' }, done: ['nobody', 400] },
  changeEmail: { body: { email: 'elsewhere@people.example' }, done: ['ada', 202] },
  acceptInvitation: { body: { token: 'none', password: other }, done: ['nobody', 400] },
  stepUp: { body: { password: other }, done: ['ada', 200] },
  stepUpPasskeyOptions: { letIn: 200, done: ['ada', 200] },
  sessions: { letIn: 200, done: ['ada', 200] },
  endSessions: { letIn: 200, ends: true, done: ['ada', 200] },
  endOtherSessions: { letIn: 200, ends: true, done: ['ada', 200] },
  endSession: { absent: [uuid], done: ['ada', 200, async ({ caller }, root) => ({ params: [await root.session(caller('ada').account?.id ?? '')] })] },
  factors: { letIn: 200, done: ['ada', 200] },
  beginTotp: { letIn: 201, done: ['ada', 201] },
  confirmTotp: { body: { code: '000000' }, done: ['ada', 422] },
  removeTotp: { letIn: 404, done: ['ada', 404] },
  renewRecoveryCodes: { letIn: 409, done: ['ada', 409] },
  passkeys: { letIn: 200, done: ['ada', 200] },
  newPasskeyOptions: { letIn: 200, done: ['ada', 200] },
  addPasskey: { body: { ...challenge, credential: {} }, done: ['ada', 401] },
  removePasskey: { absent: ['bm9ib2R5J3MgcGFzc2tleSwgb24gbm8gcGhvbmUuLi4'], done: ['ada', 404] },
  grants: { letIn: 200, done: ['ada', 200] },
  withdrawGrant: { absent: ['AAAAAAAAAAAAAAAAAAAAAA'], done: ['ada', 200, async ({ people, caller }) => {
    const { grants } = people.house.people
    const userId = caller('ada').account?.id ?? ''
    const allowed = { clientId: 'other', clientName: 'Other', allowed: { openid: ['openid'] } }
    await people.house.store.transaction((trx) => grants.allow(trx, { userId, ...allowed }))
    return { params: [(await grants.of(people.house.store.db, userId))[0]?.handle ?? assert.fail('no grant')] }
  }] },
  providers: { letIn: 200, done: ['nobody', 200] },
  identities: { letIn: 200, done: ['ada', 200] },
  unlinkIdentity: { absent: ['gitlab'], done: ['ada', 200, async ({ people, caller }) => {
    const linked = { issuer: 'https://forge.example', subject: 'ada', provider: 'forge', email: undefined }
    await people.house.people.identities.link(people.house.store.db, { ...linked, userId: caller('ada').account?.id ?? '' })
    return { params: ['forge'] }
  }] },

  listUsers: { letIn: 200, done: ['an administrator with users:manage', 200] },
  inviteUser: { body: { email: 'guest@people.example' }, takes: ['roles'], done: ['an administrator with users:manage', 202] },
  showUser: { absent: [uuid], done: ['an administrator with users:manage', 200, byId] },
  lockUser: { absent: [uuid], body: { reason: 'for a test' }, done: ['root', 200, byId] },
  unlockUser: { absent: [uuid], done: ['root', 200, byId] },
  setUserRoles: { absent: [uuid], body: { roles: ['user'] }, takes: ['roles'], done: ['root', 200, byId] },
  resetUser: { absent: [uuid], done: ['root', 200, byId] },
  endUserSessions: { absent: [uuid], done: ['root', 200, byId] },
  removeUserFactors: { absent: [uuid], done: ['root', 200, byId] },
  impersonate: { absent: [uuid], body: { reason: 'to see what they see' }, done: ['root', 200, byId] },
  revoke: { body: { session: uuid }, done: ['an administrator with system:config', 200, async ({ newPerson }) => ({ body: { user: (await newPerson()).id } })] },

  listClients: { letIn: 200, done: ['an administrator with clients:manage', 200] },
  createClient: { body: client, done: ['an administrator with clients:manage', 201] },
  showClient: { absent: ['no-client'], done: ['an administrator with clients:manage', 200, theClient] },
  changeClient: { absent: ['no-client'], body: client, done: ['an administrator with clients:manage', 200, theClient] },
  removeClient: { absent: ['no-client'], done: ['an administrator with clients:manage', 200, theClient] },
  addClientSecret: { absent: ['no-client'], body: {}, done: ['an administrator with clients:manage', 201, theClient] },
  removeClientSecret: { absent: ['no-client', uuid], done: ['an administrator with clients:manage', 200, async (_, root) => ({ params: await root.client() })] },
  disableClient: { absent: ['no-client'], done: ['an administrator with clients:manage', 200, theClient] },
  enableClient: { absent: ['no-client'], done: ['an administrator with clients:manage', 409, theClient] },
  createRegistrationToken: { body: {}, done: ['an administrator with clients:manage', 201] },

  listKeys: { letIn: 200, done: ['ada', 200] },
  createKey: { body: { name: 'hers' }, takes: ['permissions'], done: ['ada', 201] },
  rotateCurrentKey: { body: {}, done: ['a key of ada’s that lends nothing', 201] },
  showKey: { absent: [noKey], done: ['root', 200, theKey] },
  revokeKey: { absent: [noKey], done: ['root', 200, theKey] },
  rotateKey: { absent: [noKey], body: {}, done: ['root', 201, theKey] },
  listAllKeys: { letIn: 200, done: ['an administrator with keys:manage', 200] },
  createKeyFor: { body: { name: 'theirs', owner: { type: 'organisation', id: 'acme' } }, takes: ['permissions', 'owner'], done: ['an administrator with keys:manage', 201] },
  showAnyKey: { absent: [noKey], done: ['an administrator with keys:manage', 200, theKey] },
  revokeAnyKey: { absent: [noKey], done: ['an administrator with keys:manage', 200, theKey] },
  rotateAnyKey: { absent: [noKey], body: {}, done: ['root', 201, theKey] },

  listServices: { letIn: 200, done: ['an administrator with services:manage', 200] },
  createService: { body: { name: 'made-once' }, takes: ['roles', 'permissions'], done: ['an administrator with services:manage', 201] },
  showService: { absent: ['no-service'], done: ['an administrator with services:manage', 200, theService] },
  changeService: { absent: ['no-service'], body: {}, takes: ['roles', 'permissions'], done: ['an administrator with services:manage', 200, theService] },
  removeService: { absent: ['no-service'], done: ['an administrator with services:manage', 200, theService] },
  rotateServiceSecret: { absent: ['no-service'], body: {}, done: ['an administrator with services:manage', 201, theService] },
  removeServiceSecret: { absent: ['no-service', uuid], done: ['an administrator with services:manage', 200, async (_, root) => ({ params: await root.service() })] },
  disableService: { absent: ['no-service'], done: ['an administrator with services:manage', 200, theService] },
  enableService: { absent: ['no-service'], done: ['an administrator with services:manage', 409, theService] },

  listRoles: { letIn: 200, done: ['an administrator with roles:manage', 200] },
  createRole: { body: { name: 'made-once' }, takes: ['permissions'], done: ['an administrator with roles:manage', 201] },
  showRole: { absent: ['no-role'], done: ['an administrator with roles:manage', 200, theRole] },
  changeRole: { absent: ['no-role'], body: {}, takes: ['permissions'], done: ['an administrator with roles:manage', 200, theRole] },
  removeRole: { absent: ['no-role'], done: ['an administrator with roles:manage', 200, theRole] },

  listPolicies: { letIn: 200, done: ['an administrator with policies:manage', 200] },
  showPolicy: { absent: ['no-policy'], done: ['an administrator with policies:manage', 200, thePolicy] },
  putPolicy: { absent: ['no-policy'], body: { document: noRules }, done: ['an administrator with policies:manage', 200, thePolicy] },
  removePolicy: { absent: ['no-policy'], done: ['an administrator with policies:manage', 200, thePolicy] },
  showPolicyTrial: { absent: ['no-policy'], done: ['an administrator with policies:manage', 200, thePolicy] },
  tryPolicy: { absent: ['no-policy'], body: { document: noRules }, done: ['an administrator with policies:manage', 200, thePolicy] },
  endPolicyTrial: { absent: ['no-policy'], done: ['an administrator with policies:manage', 200, thePolicy] },
  adoptPolicyTrial: { absent: ['no-policy'], body: {}, done: ['an administrator with policies:manage', 200, thePolicy] },
  explainPolicy: { absent: ['no-policy'], body: { request: {} }, done: ['an administrator with policies:manage', 200, thePolicy] },
  recordedRequests: { absent: ['no-policy'], done: ['an administrator with policies:manage', 200, thePolicy] },

  listAddressBlocks: { letIn: 200, done: ['an administrator with traffic:manage', 200] },
  blockAddress: { body: { address: '203.0.113.7', reason: 'for a test', duration: '1h' }, done: ['an administrator with traffic:manage', 201] },
  liftAddressBlock: { absent: ['192.0.2.77_32'], done: ['an administrator with traffic:manage', 200, theBlock] },
  searchAudit: { letIn: 200, done: ['an administrator with audit:view', 200] },
  countAudit: { letIn: 200, done: ['an administrator with audit:view', 200] },
  exportAudit: { letIn: 200, done: ['an administrator with audit:view', 200] },
  auditProof: { absent: [uuid], done: ['an administrator with audit:view', 200, theSignedEvent] },
  listCheckpoints: { letIn: 200, done: ['an administrator with audit:view', 200] },
  auditConsistency: { letIn: 422, done: ['an administrator with audit:view', 422] }, // two checkpoints: test/audit/proof-http
  auditKey: { letIn: 200, done: ['nobody', 200] },
  showAuditEvent: { absent: [uuid], done: ['an administrator with audit:view', 200, theEvent] },
  reportSecurityEvents: { body: { events: [{ type: 'sign_in_failed', success: false, details: { screen: 'login' } }] }, done: ['nobody', 202] },

  listIncidents: { letIn: 200, done: ['an administrator with incidents:manage', 200] },
  openIncident: { body: anIncident, done: ['an administrator with incidents:manage', 201] },
  incidentMetrics: { letIn: 200, done: ['an administrator with incidents:manage', 200] },
  incident: { absent: [uuid], done: ['an administrator with incidents:manage', 200, theIncident()] },
  acknowledgeIncident: { absent: [uuid], body: { version: 1 }, done: ['an administrator with incidents:manage', 200, theIncident({ version: 1 })] },
  assignIncident: { absent: [uuid], body: { version: 1, assignee: null }, done: ['an administrator with incidents:manage', 200, theIncident({ version: 1, assignee: null })] },
  noteIncident: { absent: [uuid], body: { text: 'seen' }, done: ['an administrator with incidents:manage', 200, theIncident({ text: 'seen' })] },
  containIncident: { absent: [uuid], body: { version: 1 }, done: ['an administrator with incidents:manage', 200, theIncident({ version: 1 })] },
  resolveIncident: { absent: [uuid], body: { version: 1, text: 'over' }, done: ['an administrator with incidents:manage', 200, theIncident({ version: 1, text: 'over' })] },
  reopenIncident: { absent: [uuid], body: { version: 1 }, done: ['an administrator with incidents:manage', 409, theIncident({ version: 1 })] },

  makeReview: { letIn: 200, done: ['an administrator with audit:view', 200] },
  readPosture: { letIn: 200, done: ['an administrator with system:config', 200] },

  listPlaybooks: { letIn: 200, done: ['an administrator with incidents:manage', 200] },
  runPlaybook: { absent: ['nothing'], body: { reason: 'for a test' }, done: ['an administrator with incidents:manage', 200, () => ({ params: ['privilege-escalation'] })] },
  listRuns: { letIn: 200, done: ['an administrator with incidents:manage', 200] },
  showRun: { absent: [uuid], done: ['an administrator with incidents:manage', 200, theRun] },
  retryRun: { absent: [uuid], done: ['an administrator with incidents:manage', 409, theRun] },
  approveStep: { absent: [uuid, '1'], done: ['an administrator with incidents:manage', 409, theStep] },
  rejectStep: { absent: [uuid, '1'], done: ['an administrator with incidents:manage', 409, theStep] },
  undoStep: { absent: [uuid, '1'], done: ['an administrator with incidents:manage', 409, theStep] },
  emergency: { body: { reason: 'for a test', user: uuid }, done: ['an administrator with incidents:manage', 200, () => ({ body: { reason: 'for a test', all: true, dry_run: true } })] },
  showFreeze: { letIn: 200, done: ['an administrator with incidents:manage', 200] },
  freezeChanges: { body: { reason: 'for a test', incident: uuid }, done: ['an administrator with incidents:manage', 422, () => ({ body: { reason: 'for a test', incident: uuid } })] },
  thawChanges: { letIn: 409, done: ['an administrator with incidents:manage', 409] },

  evaluate: { letIn: 400, done: ['an administrator with policies:evaluate', 400] }, // the questions themselves: test/decisions
  evaluateMany: { letIn: 400, done: ['an administrator with policies:evaluate', 400] },
  decisionPoint: { letIn: 200, done: ['nobody', 200] },
  explainDecision: { body: { subject: { type: 'user', id: uuid }, action: { name: 'widgets:read' } }, done: ['an administrator with policies:manage', 200] },

  health: { letIn: 200, done: ['nobody', 200] },
  live: { letIn: 200, done: ['nobody', 200] },
  ready: { letIn: 200, done: ['nobody', 200] },
  metrics: { letIn: 200, done: ['nobody', 200] },
  problem: { absent: ['no-problem'], done: ['nobody', 200, () => ({ params: ['not-found'] })] },
  runCode: { body: { language: 'python', code: 'result = 1' }, done: ['an administrator with sandbox:run', 404] }, // runs: test/sandbox
  jwks: { letIn: 200, done: ['nobody', 200] },
}

/** What declarations of endpoints leave open, so that none is left open unseen. */
export const open = {
  /** To everybody. */
  public:
    'acceptInvitation auditKey decisionPoint forgotPassword health jwks live metrics problem providers ready refresh register reportSecurityEvents resetPassword signIn signInPasskey signInPasskeyOptions signInRecoveryCode signInTotp verifyEmail',
  /** To clients of other people’s and to machines, though no permission is demanded. */
  delegable: 'me rotateCurrentKey validate',
  /** To somebody who acts as the person, and changes something. */
  acting: 'evaluate evaluateMany explainDecision explainPolicy rotateCurrentKey runCode signOut',
  /** To somebody who changes something, and signed in long ago: it takes away and gives nothing, or is proven by itself. */
  old: 'acknowledgeIncident assignIncident changePassword containIncident endOtherSessions endSession endSessions endUserSessions evaluate evaluateMany explainDecision explainPolicy freezeChanges lockUser noteIncident rejectStep reopenIncident resetUser revokeAnyKey revokeKey rotateCurrentKey runCode signOut stepUp stepUpPasskeyOptions unlockUser withdrawGrant',
} as const

/** A page: what it answers to a stranger, and to somebody who is signed in, in person and lately. */
export interface PageRow {
  readonly stranger: number
  readonly known: number
  /** To somebody who acts as the person; to one who signed in long ago; to one whose sign-in is no cookie. */
  readonly acting?: number
  readonly stale?: number
  readonly byToken?: number
  readonly form?: Readonly<Record<string, string>>
  readonly ends?: true
}

const dull = (status: number, form?: PageRow['form']): PageRow => ({
  stranger: status,
  known: status,
  ...(form && { form }),
})
/** A form of the account page: for nobody but the person, who was lately at the door where it changes what proves them. */
const own = (known: number, form: PageRow['form'] = {}): PageRow => ({ stranger: 303, known, acting: 403, form })
const proving = (known: number, form: PageRow['form'] = {}): PageRow => ({ ...own(known, form), stale: 303 })
const ceremony = { challenge: 'none', credential: '{}' }

/** The hosted pages by method and pattern. What a wrong password costs is asked elsewhere: here a passkey is wrong. */
// biome-ignore format: a table, one line to a page
export const pages: Readonly<Record<string, PageRow>> = {
  'GET /auth/sign-in': { stranger: 200, known: 303 },
  'POST /auth/sign-in': dull(401, ceremony),
  'POST /auth/second-factor': dull(401, ceremony),
  'GET /auth/register': dull(200),
  'POST /auth/register': dull(422, { email: 'none' }),
  'GET /auth/forgot': dull(200),
  'POST /auth/forgot': dull(422, { email: 'none' }),
  'GET /auth/reset': dull(200),
  'POST /auth/reset': dull(400, { token: 'none' }),
  'GET /auth/verify': dull(400),
  'POST /auth/verify': dull(400, { token: 'none' }),
  'GET /auth/invitation': dull(400),
  'POST /auth/invitation': dull(400, { token: 'none' }),
  'GET /auth/sign-out': { stranger: 303, known: 200 },
  'POST /auth/sign-out': { ...dull(303, {}), ends: true },
  'GET /auth/login/:provider': dull(404),
  'GET /auth/callback/:provider': dull(401),
  'GET /auth/account': { stranger: 303, known: 200 },
  'POST /auth/account/sessions/end': own(404, { session: uuid }),
  'POST /auth/account/sessions/end-others': { ...own(303), ends: true },
  'POST /auth/account/password': proving(422, { current_password: '', password: '' }),
  'POST /auth/account/email': proving(422, { email: 'none' }),
  'POST /auth/account/totp': proving(200),
  'POST /auth/account/totp/confirm': proving(422, { code: '000000' }),
  'POST /auth/account/totp/remove': proving(404),
  'POST /auth/account/recovery-codes': proving(409),
  'POST /auth/account/passkeys': proving(401, ceremony),
  'POST /auth/account/passkeys/remove': proving(404, { passkey: 'none' }),
  'POST /auth/account/identities/link': proving(404, { provider: 'none' }),
  'POST /auth/account/identities/unlink': proving(404, { provider: 'none' }),
  'POST /auth/account/applications/withdraw': own(404, { application: 'none' }),
  'GET /auth/step-up': { stranger: 303, known: 200 },
  'POST /auth/step-up': own(401, { code: '000000' }),
  'GET /oauth/authorize': dull(400),
  'GET /oauth/authorize/:uid': dull(400),
  'GET /auth/consent/:uid': dull(400),
  'POST /auth/consent/:uid': dull(400, {}),
  'GET /auth/device': { stranger: 303, known: 200, byToken: 303 },
  'POST /auth/device': { stranger: 303, known: 422, byToken: 303, form: { user_code: 'none' } },
}

/** What programs of other people speak to: it reads no credential but a client's own, so that `Authorization` is all that counts. */
export interface MachineRow {
  readonly unnamed: number
  readonly named: number
  readonly form?: PageRow['form']
  readonly json?: object
}

const asked = { token: 'none', user_id: 'bob', sub: 'bob', roles: 'admin' }

// biome-ignore format: a table, one line to an endpoint
export const machine: Readonly<Record<string, MachineRow>> = {
  'POST /oauth/token': { unnamed: 401, named: 401, form: { grant_type: 'client_credentials', ...asked } },
  'POST /oauth/introspect': { unnamed: 401, named: 401, form: asked },
  'POST /oauth/par': { unnamed: 401, named: 401, form: asked },
  'POST /oauth/device': { unnamed: 401, named: 401, form: asked },
  'POST /oauth/revoke': { unnamed: 200, named: 401, form: asked },
  'POST /oauth/token/refresh': { unnamed: 401, named: 401, form: { refresh_token: 'none', ...asked } },
  'POST /oauth/register': { unnamed: 401, named: 401, json: { ...client, owner: 'bob', user_id: 'bob' } },
  'GET /.well-known/oauth-authorization-server': { unnamed: 200, named: 200 },
  'GET /.well-known/openid-configuration': { unnamed: 200, named: 200 },
  'GET /.well-known/oauth-protected-resource': { unnamed: 200, named: 200 },
  'GET /.well-known/oauth-protected-resource/mcp': { unnamed: 200, named: 200 },
}
