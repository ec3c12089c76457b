import { openCheckpointer } from './audit/checkpoint/checkpointer.ts'
import { type CheckpointKey, openCheckpointKey } from './audit/checkpoint/key.ts'
import type { SignedCheckpoint } from './audit/checkpoint/note.ts'
import { type AuditLog, openAuditLog } from './audit/log.ts'
import type { Accounts } from './authn/account/accounts.ts'
import { Replays } from './authn/replays.ts'
import { Revocations, tokenSlackMs } from './authn/session/revocations.ts'
import type { Sessions } from './authn/session/sessions.ts'
import { openTokens, type TokenService } from './authn/token/tokens.ts'
import { type AuthorizationServer, openAuthorization } from './authorization.ts'
import type { DecisionPoint } from './authz/decision.ts'
import { PolicyBook } from './authz/policy/book.ts'
import { PolicyStore } from './authz/policy/store.ts'
import { RoleBook } from './authz/role/book.ts'
import { RoleStore } from './authz/role/store.ts'
import { beginChores } from './chores.ts'
import { whatNeedsARestart } from './config/restart.ts'
import type { Environment, Settings } from './config/settings.ts'
import { warningsOf } from './config/warnings.ts'
import { CodeRuns, sandboxGauges } from './endpoints/code-runs.ts'
import { type Embedded, embed } from './endpoints/embedded/embedded.ts'
import { type HostRecord, hostRecord } from './endpoints/embedded/host-record.ts'
import { type Floor, furnish, rolesOf } from './floor.ts'
import { type Gate, openGate } from './gate/gate.ts'
import { type Meters, openMeters } from './gate/meters.ts'
import { Hearing, watchBy } from './hearing.ts'
import { BodyMemory } from './http/body-memory.ts'
import { frozenBy } from './incident/freeze.ts'
import type { PlaybookRooms } from './incident/playbook/open.ts'
import type { PlaybookRunner } from './incident/playbook/runner.ts'
import { openInspections } from './inspection/inspections.ts'
import { base64url } from './kernel/bytes.ts'
import type { Clock } from './kernel/clock.ts'
import { Epoch, Follower } from './kernel/epoch.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { openKeyrings } from './keyrings.ts'
import type { Keyring } from './keys/keyring.ts'
import { openRootKey } from './keys/root.ts'
import { type Machines, openMachines } from './machines.ts'
import { openMemory, type SharedMemory, type Thread } from './memory.ts'
import { openOwnActs } from './own-acts.ts'
import { openPeople, type People } from './people.ts'
import { openSandbox } from './sandbox/sandbox.ts'
import { wallWarnings } from './sandbox/warnings.ts'
import { type Database, openStore, type Store } from './store/database.ts'
import { openReading } from './store/reading.ts'
import { openTraffic, type Traffic, trafficGauges } from './traffic.ts'
import type { Upstream } from './upstream/upstream.ts'

/** Everything of the machine that a house lives on. */
export interface Machine {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly environment: Environment
  /** The folder of the root key, and of the store where the configuration names none. */
  readonly dataDir: string
  readonly version: string
  /** `gate` serves and says so in the audit log, `thread` serves beside it, `tool` looks in for a moment. */
  readonly role: 'gate' | 'thread' | 'tool'
  /** Writes a line on standard output: alerts, for one. */
  readonly print?: (line: string) => void
  /** What the threads of this house have in common; memory of its own where it is left out. */
  readonly memory?: SharedMemory
  /** Which of them this is; the only one where it is left out. */
  readonly thread?: Thread
}

/** The house, with its rooms open. */
export interface House extends Embedded {
  readonly settings: Settings
  readonly gate: Gate
  readonly store: Store
  /** Where long questions are asked. */
  readonly reading: Database
  readonly audit: AuditLog & HostRecord
  /** What checkpoints of the record are signed with. */
  readonly checkpointKey: CheckpointKey
  readonly people: People
  readonly accounts: Accounts
  readonly machines: Machines
  readonly traffic: Traffic
  readonly meters: Meters
  readonly roleStore: RoleStore
  readonly roleBook: RoleBook
  readonly policyStore: PolicyStore
  readonly policyBook: PolicyBook
  readonly sessions: Sessions
  readonly tokens: TokenService
  /** Undefined where the house gives no tokens to clients of other people. */
  readonly authorization: AuthorizationServer | undefined
  readonly revocations: Revocations
  /** The signing keys: of access tokens, and of ID tokens where those are others. */
  readonly keyrings: readonly Keyring[]
  readonly decisions: DecisionPoint
  /** What is done about incidents, by the configuration of the day. */
  readonly playbooks: PlaybookRooms
  /** What an operator should know, and nobody is stopped by. */
  readonly warnings: readonly string[]
  /** Makes ready what a new configuration needs; throws where it cannot be taken over. Nothing holds of it yet. */
  prepare(settings: Settings): Promise<Takeover>
  /** Takes a new configuration over, whole; throws and keeps the old one where it cannot. */
  reload(settings: Settings): Promise<void>
  /** Writes out what waits, and closes the rooms in the reverse of their order. Once: whoever asks again waits for the same. */
  close(): Promise<void>
}

/** A configuration that is ready to be taken over. One of the two is to be called, once. */
export interface Takeover {
  adopt(): Promise<void>
  drop(): void
}

export async function openHouse(first: Settings, machine: Machine): Promise<House> {
  const { clock, random, log, environment, dataDir, memory = openMemory(random), thread = alone } = machine
  // Before anything is read: what is changed meanwhile is heard afterwards.
  const epoch = thread.of > 1 ? new Epoch(memory.epoch) : undefined
  let hearing: Hearing | undefined
  const abreast = epoch && new Follower({ epoch, clock, hear: async (changed) => hearing?.some(changed) })
  const undo: (() => Promise<void> | void)[] = []
  try {
    const url = first.store ?? `sqlite:${dataDir}/gatehouse.db`
    const store = await openStore(url, {
      connectionsMax: Math.max(connectionsMin, Math.ceil(connectionsMax / thread.of)),
      ...(epoch && { watch: watchBy(epoch) }),
    })
    undo.push(() => store.close())
    const reading = await openReading(url, store)
    undo.push(() => reading.close())
    const root = await openRootKey({ environment, dataDir, random, db: store.db })
    const audit = await openAuditLog({
      store,
      url,
      clock,
      random,
      log,
      wrappingKey: root.derive('data keys'),
      thread: machine.role === 'gate',
      relay: thread.audit,
      refuses: frozenBy,
    })
    undo.push(() => audit.close())
    const checkpointKey = await openCheckpointKey({ root, db: store.db, random })
    // What it finds wrong its caller hears of, and the record-keeper tells everybody else.
    const checkpointer = openCheckpointer({ store, key: checkpointKey, clock, log, every: 0, onBroken: () => {} })
    const acts = openOwnActs({ store, audit, clock, random, log, version: machine.version })

    const revocations = new Revocations({ clock, ttlMs: first.tokens.accessTtl })
    const people = openPeople({
      settings: first,
      environment,
      root,
      revocations,
      clock,
      random,
      log,
      threads: thread.of,
    })
    const { accounts, sessions, outbox } = people
    undo.push(() => outbox?.close())
    const replays = new Replays({ clock })
    const machines = await openMachines({
      settings: first,
      environment,
      root,
      replays,
      clock,
      random,
      log,
      db: store.db,
    })
    const authorization = openAuthorization({
      settings: first,
      publicUrl: people.publicUrl,
      root,
      clock,
      random,
      db: store.db,
      environment,
      tickets: people.tickets,
      replays,
      log,
    })
    const [keyring, idKeyring] = await openKeyrings(first, { ...machine, root, db: store.db })
    const keyrings = [...new Set([keyring, idKeyring])]
    const tokens = openTokens({
      options: first.tokens,
      keyring,
      idKeyring,
      revocations,
      clock,
      random,
      oauth: authorization && {
        issuer: authorization.issuer,
        audiences: new Set(authorization.resources.all.map(({ audience }) => audience)),
        mayAct: (clients, scopes) => authorization.registry.clients.mayAct(clients, scopes),
      },
    })
    const traffic = await openTraffic({
      settings: first,
      environment,
      root,
      memory,
      node: base64url(new Uint8Array(memory.name)),
      alone: thread.of === 1,
      serves: machine.role !== 'tool',
      clock,
      random,
      log,
      db: store.db,
      noteShared: machine.role === 'gate' ? acts.sharedCount : () => {},
      noteShed: acts.shed,
    })
    undo.push(() => traffic.close())
    const { blockBook } = traffic
    const bodies = new BodyMemory(first.bodyMemory, { memory: memory.bodies, threads: thread.of })
    const redactionKey = root.derive('redaction')
    const inspections = openInspections({ key: redactionKey, clock, random, log, environment })
    undo.push(() => inspections.close())
    const via = `gatehouse-${base64url(new Uint8Array(memory.name))}`
    const runsCode = first.sandbox.enabled && machine.role !== 'tool'
    const sandbox = runsCode
      ? await openSandbox(first.sandbox, { clock, log, snapshots: `${dataDir}/sandbox` })
      : undefined
    undo.push(() => sandbox?.close())
    let gate: Gate | undefined
    const gauges = {
      gatehouse_requests_in_flight: { help: 'Requests on their way', read: () => gate?.inFlight ?? 0 },
      gatehouse_body_bytes: { help: 'Bytes of bodies that are held whole', read: () => bodies.bytes },
      gatehouse_audit_backlog: { help: 'Access events that wait to be written', read: () => audit.backlog },
      gatehouse_audit_dropped_total: { help: 'Access events lost to a full backlog', read: () => audit.dropped },
      ...trafficGauges(traffic),
      ...sandboxGauges(sandbox),
    }
    const meters = openMeters(gauges, { number: thread.number, of: thread.of, house: via, log })
    undo.push(() => meters.close())
    const codeRuns = sandbox && new CodeRuns({ sandbox, audit, meters, clock, random })
    const roleStore = new RoleStore({ clock, random })
    const roleBook = new RoleBook({ store: roleStore, log, rules: rolesOf(first) })
    await roleBook.hear(store.db)
    const policyStore = new PolicyStore({ clock, random })
    const policyBook = new PolicyBook({ store: policyStore, clock, log, count: meters.policyTrial })
    policyBook.follow(first.policies)
    await policyBook.hear(store.db)
    const heard = new Hearing({
      ...people,
      db: store.db,
      clock,
      revocations,
      machines,
      roleBook,
      policyBook,
      blockBook,
      keyrings,
      clients: authorization?.registry.clients,
      since: clock.now() - first.tokens.accessTtl - tokenSlackMs,
    })
    await heard.begin()
    hearing = heard
    const standing = {
      machine,
      traffic,
      authorization,
      store,
      audit,
      reading: reading.db,
      people,
      machines,
      roleStore,
      roleBook,
      policyStore,
      policyBook,
      tokens,
      keyrings,
      checkpointKey,
      checkpoint: signNow,
      idKeyring,
      revocations,
      bodies,
      inspections,
      codeRuns,
      meters,
      jwks: () => idKeyring.jwks(),
      jwksMaxAgeSeconds: idKeyring.jwksMaxAgeSeconds,
      isDraining: () => gate?.draining ?? false,
      via,
      abreast,
    }
    let floor = await makeReady(first)
    let settings = first
    const retiring = new Set<Upstream>()
    let reloading: Promise<void> = Promise.resolve()
    let closing: Promise<void> | undefined
    gate = openGate(floor.plan)
    const opened = gate
    if (machine.role === 'gate') await acts.said('start')
    if (machine.role !== 'tool') {
      const { role, print = (line: string) => void process.stdout.write(`${line}\n`) } = machine
      const runner = (): PlaybookRunner => floor.playbooks.runner
      await beginChores(
        { ...standing, ...machine, role, print, settings: first, url, root, replays, heard, acts, runner },
        undo,
      )
    }

    const decisions: DecisionPoint = { decide: (request) => floor.decisions.decide(request) }
    const house: House = {
      ...embed(opened, {
        grounds: () => ({ decisions, types: floor.resourceTypes }),
        clock,
        random,
        audit,
        codeRuns,
        content: { options: () => settings.inspection, key: redactionKey },
      }),
      gate: opened,
      store,
      reading: reading.db,
      checkpointKey,
      audit: Object.assign(audit, hostRecord({ store, audit, clock, random })),
      people,
      accounts,
      machines,
      traffic,
      meters,
      roleStore,
      roleBook,
      policyStore,
      policyBook,
      sessions,
      tokens,
      authorization,
      revocations,
      keyrings,
      decisions,
      warnings: [...warningsOf(first), ...(sandbox ? wallWarnings(first.sandbox, sandbox.walls) : [])],
      get settings() {
        return settings
      },
      get playbooks() {
        return floor.playbooks
      },
      async prepare(next) {
        const after = await checked(next)
        return { adopt: () => inTurn(() => takeOver(next, after)), drop: () => void retire(after) }
      },
      reload: (next) => inTurn(async () => takeOver(next, await checked(next))),
      close: () => (closing ??= shut()),
    }
    return house

    /** Signs the record as it is. */
    async function signNow(): Promise<SignedCheckpoint | undefined> {
      await audit.flush()
      return checkpointer.make()
    }

    /** One after the other: the last one that was asked for is the one that holds. */
    function inTurn(work: () => Promise<void>): Promise<void> {
      const turn = reloading.then(work)
      reloading = turn.catch(() => undefined)
      return turn
    }

    function checked(next: Settings): Promise<Floor> {
      if (closing !== undefined) throw new Error('the house is closed')
      const fixed = whatNeedsARestart(settings, next)
      if (fixed.length > 0) throw new Error(`${fixed.join(', ')} cannot change while the house stands; restart it`)
      return makeReady(next)
    }

    async function makeReady(next: Settings): Promise<Floor> {
      const shield = await traffic.shieldOf(next.shield)
      try {
        return furnish(next, standing, shield)
      } catch (error) {
        await shield.close()
        throw error
      }
    }

    async function takeOver(next: Settings, after: Floor): Promise<void> {
      try {
        if (machine.role === 'gate') await acts.said('reload') // what cannot be written down does not happen
      } catch (error) {
        void retire(after)
        throw error
      }
      const before = floor
      floor = after
      settings = next
      if (next.shield.load !== false) traffic.shedder.follow(next.shield.load, new Set(Object.keys(next.upstreams)))
      roleBook.follow(rolesOf(next))
      policyBook.follow(next.policies)
      tokens.clear()
      people.browsers.clear()
      void opened.follow(floor.plan).then(() => retire(before))
      for (const upstream of before.upstreams.values()) retiring.add(upstream)
    }

    async function shut(): Promise<void> {
      await reloading
      await floor.shield.close()
      await within(settings.listen.drain, opened.drain())
      for (const upstream of [...retiring, ...floor.upstreams.values()]) await upstream.destroy()
      if (machine.role === 'gate') await acts.said('stop')
      for (const close of undo.reverse()) await close()
    }

    /** What nobody leans on any more is closed: the last request that an earlier configuration admitted has ended. */
    async function retire({ upstreams, shield }: Floor): Promise<void> {
      await shield.close()
      for (const upstream of upstreams.values()) {
        await upstream.close()
        retiring.delete(upstream)
      }
    }
  } catch (error) {
    for (const close of undo.reverse()) await close()
    throw error
  }
}

/** Connections to PostgreSQL: of the house at most, and of one thread at least. */
const connectionsMax = 10
const connectionsMin = 3
const alone: Thread = { number: 1, of: 1, audit: undefined }

/** Waits for it, but not for ever. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}
