// Houses that share a store, and people who are signed in.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/settings.ts'
import type { Run } from '../../src/incident/playbook/run.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { mirror, startUpstream } from '../support/house.ts'
import { type Answer, bearer, type Event, type PeopleHouse, startPeople } from '../support/people.ts'
import type { FreshStore } from './scene.ts'

export interface Somebody {
  readonly id: string
  readonly email: string
  readonly access_token: string
  readonly refresh_token: string
}

export interface Scene {
  /** Moves time on, once nothing is being written: a log that waits for that long is not healthy. */
  advance(ms: number): Promise<void>
  now(): number
  /** Two nodes of one house. */
  readonly here: PeopleHouse
  readonly there: PeopleHouse
  readonly root: Somebody
  /** Another who may see to incidents. */
  readonly second: Somebody
  somebody(...roles: readonly string[]): Promise<Somebody>
  /** Asks as root, on the first node, where nobody says otherwise. */
  ask(method: string, path: string, body?: object, who?: Somebody, at?: PeopleHouse): Promise<Answer>
  /** Whether an access token is let in, by the status. */
  enters(who: Somebody, at?: PeopleHouse): Promise<number>
  refreshes(who: Somebody, at?: PeopleHouse): Promise<number>
  /** Opens an incident by hand; answers its id. */
  incident(type: string, ...targets: readonly object[]): Promise<string>
  run(name: string, body?: object, who?: Somebody): Promise<RunBody>
  step(run: RunBody, number: number, deed: 'approve' | 'reject' | 'undo', who?: Somebody): Promise<Answer>
  events(action: string): Promise<readonly Event[]>
  timeline(incident: string): Promise<readonly string[]>
  /** What both nodes do twice a second. */
  /** Lets both nodes go on with what they can go on with. */
  advanceRuns(): Promise<void>
  turn(): Promise<void>
}

/** A run as the API tells of it. */
export interface RunBody {
  readonly id: string
  readonly status: Run['status']
  readonly steps: readonly {
    readonly do: string
    readonly status: string
    readonly outcome?: string
    readonly undone?: string
    readonly report?: string
  }[]
}

const environment = { GATEHOUSE_SECRET: 'the nodes of one house share this secret' }

export async function playbookScene(
  context: TestContext,
  fresh: FreshStore,
  config: Config = {},
  clock: TestClock = testClock(Date.now()),
): Promise<Scene> {
  const upstream = await startUpstream(context, mirror)
  const store = await fresh(context)
  const whole: Config = {
    store,
    upstreams: { api: upstream.url },
    roles: { user: { permissions: ['notes:read'] }, responder: { permissions: ['incidents:manage', 'notes:read'] } },
    routes: [{ path: '/notes', require: 'notes:read', to: 'api' }],
    ...config,
  }
  const here = await startPeople(context, whole, { environment, clock })
  const there = await startPeople(context, whole, { environment, clock })
  const { accounts, sessions, tokens, store: opened } = here.house
  let made = 0

  const scene: Scene = {
    async advance(ms) {
      await Promise.all([here, there].map(({ house }) => house.audit.flush()))
      clock.advance(ms)
    },
    now: () => clock.now(),
    here,
    there,
    root: await somebody('admin'),
    second: await somebody('admin'),
    somebody,
    ask: (method, path, body, who = scene.root, at = here) => at.api(method, `/api/admin${path}`, body, bearer(who)),
    enters: async (who, at = here) => (await at.api('GET', '/notes', undefined, bearer(who))).status,
    refreshes: async ({ refresh_token }, at = here) =>
      (await at.api('POST', '/api/auth/token/refresh', { refresh_token })).status,
    async incident(type, ...targets) {
      const body = { type, severity: 'high', title: 'For a test', targets }
      const { status, body: incident } = await scene.ask('POST', '/incidents', body)
      assert.equal(status, 201, JSON.stringify(incident))
      return String(incident['id'])
    },
    async run(name, body = {}, who = scene.root) {
      const answer = await scene.ask('POST', `/playbooks/${name}/run`, body, who)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body as unknown as RunBody
    },
    step: (run, number, deed, who = scene.second) =>
      scene.ask('POST', `/playbooks/runs/${run.id}/steps/${number}/${deed}`, undefined, who),
    events: async (action) => (await here.events()).filter((event) => event.action === action),
    async timeline(incident) {
      const { timeline } = here.house.playbooks
      return (await timeline.page(opened.db, incident, 0, 100)).map(({ kind, text }) => `${kind}: ${text}`)
    },
    async advanceRuns() {
      await Promise.all([here, there].map(({ house }) => house.playbooks.runner.advance()))
    },
    async turn() {
      await scene.advanceRuns()
      // The houses carry out runs by themselves too: one that is under way is waited for.
      await eventually(async () => {
        const runs = opened.db.selectFrom('playbook_runs').select('id').where('status', 'in', ['pending', 'running'])
        return (await runs.executeTakeFirst()) === undefined ? true : undefined
      })
    },
  }
  return scene

  async function somebody(...held: readonly string[]): Promise<Somebody> {
    const email = `person-${made++}-${Math.random().toString(36).slice(2)}@people.example`
    const prepared = await accounts.prepare({ email, name: 'Somebody' }, undefined)
    assert.ok(!('code' in prepared))
    const created = await accounts.insert(opened.db, prepared, held, clock.now())
    assert.ok('account' in created)
    const { id: subject, roles: its, name } = created.account
    const proof = { methods: ['password' as const], at: clock.now() }
    const { session, refreshToken } = await sessions.open(opened.db, subject, { address: '', userAgent: '' }, proof)
    const issued = tokens.issue({ subject, session: session.id, roles: its, permissions: [], email, name, proof })
    return { id: subject, email, access_token: issued.token, refresh_token: refreshToken }
  }
}

/** Time that goes on by itself too. */
export function runningClock(): TestClock {
  let passedMs = 0
  return {
    now: () => Date.now() + passedMs,
    monotonic: () => performance.now() + passedMs,
    advance: (ms) => void (passedMs += ms),
  }
}

export function outcomes({ steps }: RunBody): readonly string[] {
  return steps.map((step) => `${step.do} ${step.status}: ${step.outcome ?? ''}`)
}
