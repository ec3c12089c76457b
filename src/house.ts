import type { AuditEvent } from './audit/event.ts'
import { type AuditLog, openAuditLog } from './audit/log.ts'
import type { Accounts } from './authn/account/accounts.ts'
import { ManagedKeys } from './authn/key/managed.ts'
import { Replays } from './authn/replays.ts'
import { Revocations, tokenSlackMs } from './authn/session/revocations.ts'
import type { Sessions } from './authn/session/sessions.ts'
import { idTokenTtlMs } from './authn/token/id-token.ts'
import { openTokens, type TokenService } from './authn/token/tokens.ts'
import { type AuthorizationServer, openAuthorization } from './authorization.ts'
import type { DecisionPoint } from './authz/decision.ts'
import { PolicyBook } from './authz/policy/book.ts'
import { PolicyStore } from './authz/policy/store.ts'
import { RoleBook } from './authz/role/book.ts'
import { RoleStore } from './authz/role/store.ts'
import type { Environment, Settings } from './config/settings.ts'
import { type Embedded, embed } from './endpoints/embedded/embedded.ts'
import { type Floor, furnish, rolesOf } from './floor.ts'
import { type Gate, openGate } from './gate/gate.ts'
import { openMeters } from './gate/meters.ts'
import { BodyMemory } from './http/body-memory.ts'
import { base64url } from './kernel/bytes.ts'
import type { Clock } from './kernel/clock.ts'
import { Fault } from './kernel/error.ts'
import { type Random, uuidv7 } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { repeat } from './kernel/task.ts'
import { type Keyring, type KeyringPlace, openKeyring } from './keys/keyring.ts'
import { openRootKey } from './keys/root.ts'
import { openLimiter } from './limits/window.ts'
import { type Machines, openMachines } from './machines.ts'
import { openPeople, type People, secretOf } from './people.ts'
import { type Database, openStore, type Store } from './store/database.ts'
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
  /** `gate` serves and says so in the audit log; `tool` looks in for a moment. */
  readonly role: 'gate' | 'tool'
}

/** The house, with its rooms open. */
export interface House extends Embedded {
  readonly settings: Settings
  readonly gate: Gate
  readonly store: Store
  readonly audit: AuditLog
  readonly people: People
  readonly accounts: Accounts
  readonly machines: Machines
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
  /** What an operator should know, and nobody is stopped by. */
  readonly warnings: readonly string[]
  /** Takes a new configuration over, whole; throws and keeps the old one where it cannot. */
  reload(settings: Settings): Promise<void>
  /** Writes out what waits, and closes the rooms in the reverse of their order. Once: whoever asks again waits for the same. */
  close(): Promise<void>
}

export async function openHouse(first: Settings, machine: Machine): Promise<House> {
  const { clock, random, log, environment, dataDir } = machine
  const undo: (() => Promise<void> | void)[] = []
  try {
    const url = first.store ?? `sqlite:${dataDir}/gatehouse.db`
    const store = await openStore(url)
    undo.push(() => store.close())
    const root = await openRootKey({ environment, dataDir, random, db: store.db })
    const audit = await openAuditLog({ store, url, clock, random, log, thread: machine.role === 'gate' })
    undo.push(() => audit.close())

    const revocations = new Revocations({ clock, ttlMs: first.tokens.accessTtl })
    const people = openPeople({ settings: first, environment, root, revocations, clock, random, log })
    const { accounts, sessions, revocationList, outbox } = people
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
    let heardAt = clock.now()
    await hearOfEnds(heardAt - first.tokens.accessTtl - tokenSlackMs)
    const limiter = openLimiter(clock)
    const bodies = new BodyMemory(first.bodyMemory)
    let gate: Gate | undefined
    const meters = openMeters({
      gatehouse_requests_in_flight: { help: 'Requests on their way', read: () => gate?.inFlight ?? 0 },
      gatehouse_body_bytes: { help: 'Bytes of bodies that are held whole', read: () => bodies.bytes },
      gatehouse_audit_backlog: { help: 'Access events that wait to be written', read: () => audit.backlog },
      gatehouse_audit_dropped_total: { help: 'Access events lost to a full backlog', read: () => audit.dropped },
    })
    const roleStore = new RoleStore({ clock, random })
    const roleBook = new RoleBook({ store: roleStore, log, rules: rolesOf(first) })
    await roleBook.hear(store.db)
    const policyStore = new PolicyStore({ clock, random })
    const policyBook = new PolicyBook({ store: policyStore, clock, log, count: meters.policyTrial })
    policyBook.follow(first.policies)
    await policyBook.hear(store.db)
    const standing = {
      machine,
      authorization,
      store,
      audit,
      people,
      machines,
      roleStore,
      roleBook,
      policyStore,
      policyBook,
      tokens,
      idKeyring,
      revocations,
      limiter,
      bodies,
      meters,
      jwks: () => idKeyring.jwks(),
      jwksMaxAgeSeconds: idKeyring.jwksMaxAgeSeconds,
      isDraining: () => gate?.draining ?? false,
      via: `gatehouse-${base64url(random.bytes(6))}`,
    }
    let floor = furnish(first, standing)
    let settings = first
    const retiring = new Set<Upstream>()
    let reloading: Promise<void> = Promise.resolve()
    let closing: Promise<void> | undefined
    gate = openGate(floor.plan)
    const opened = gate
    if (machine.role === 'gate') {
      await say('start')
      const managed = new ManagedKeys({
        managed: first.keys.managed,
        ...machines,
        clock,
        random,
        log,
        note: (trx, { action, result, keyId, details }) =>
          enroll(trx, { type: 'admin_action', action, resource: { id: keyId, type: 'api-key' }, details }, result),
      })
      const renew = async (): Promise<void> => {
        await managed.run(store)
        audit.wake()
      }
      await renew()
      again('renew managed keys', minuteMs, renew)
      undo.push(() => machines.keyBook.flush(store.db, true)) // when no turn of it is under way any more
      again('write when keys were used', 10_000, () => machines.keyBook.flush(store.db))
      again('hear what other processes did', hearEveryMs, hear)
      await rotate() // it may have been time for long
      again('rotate signing keys', minuteMs, rotate)
      again('forget proofs and requests', minuteMs, async () => {
        await replays.sweep(store.db)
        await authorization?.records.sweep(store.db, clock.now() - minuteMs)
      })
      again('forget what is over', hourMs, async () => {
        const yesterday = clock.now() - 25 * hourMs // longer than an access token can live
        await sessions.sweep(store.db, yesterday)
        await revocationList.sweep(store.db)
        await machines.keys.sweep(store.db, clock.now() - 30 * 24 * hourMs)
        for (const { table } of keyrings) await table?.sweep(store.db)
        await people.tickets.sweep(store.db, yesterday)
        await authorization?.registry.registration.sweep(store.db)
        await people.attempts.sweep(store.db, clock.now() - 30 * 24 * hourMs)
        await outbox?.sweep(store.db, clock.now() - 7 * 24 * hourMs)
      })
      if (outbox !== undefined) {
        again('send letters', 1_000, async () => {
          await outbox.drain(store.db)
        })
        undo.push(() => outbox.close()) // ends the turn under way after its letter
      }
    }

    const decisions: DecisionPoint = { decide: (request) => floor.decisions.decide(request) }
    const house: House = {
      ...embed(opened, { grounds: () => ({ decisions, types: floor.resourceTypes }), clock, random, audit }),
      gate: opened,
      store,
      audit,
      people,
      accounts,
      machines,
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
      warnings: warningsOf(first),
      get settings() {
        return settings
      },
      reload(next) {
        // One after the other: the last one that was asked for is the one that holds.
        const turn = reloading.then(() => takeOver(next))
        reloading = turn.catch(() => undefined)
        return turn
      },
      close: () => (closing ??= shut()),
    }
    return house

    async function takeOver(next: Settings): Promise<void> {
      if (closing !== undefined) throw new Error('the house is closed')
      const fixed = whatNeedsARestart(settings, next)
      if (fixed.length > 0) throw new Error(`${fixed.join(', ')} cannot change while the house stands; restart it`)
      const after = furnish(next, standing)
      await say('reload') // what cannot be written down does not happen
      const before = floor
      floor = after
      settings = next
      roleBook.follow(rolesOf(next))
      policyBook.follow(next.policies)
      tokens.clear()
      people.browsers.clear()
      void opened.follow(floor.plan).then(() => retire(before))
      for (const upstream of before.upstreams.values()) retiring.add(upstream)
    }

    async function shut(): Promise<void> {
      await reloading
      await within(settings.listen.drain, opened.drain())
      for (const upstream of [...retiring, ...floor.upstreams.values()]) await upstream.destroy()
      if (machine.role === 'gate') await say('stop')
      for (const close of undo.reverse()) await close()
    }

    /** What nobody leans on any more is closed: the last request that an earlier configuration admitted has ended. */
    async function retire({ upstreams }: Floor): Promise<void> {
      for (const upstream of upstreams.values()) {
        await upstream.close()
        retiring.delete(upstream)
      }
    }

    /** Does it again and again for as long as the house stands. */
    function again(name: string, pauseMs: number, work: () => Promise<void>): void {
      const task = repeat(name, pauseMs, log, work)
      undo.push(() => task.stop())
    }

    /**
     * What another node or a command has done, since the store was last heard; and a minute before that, because clocks and
     * commits differ. What happened while the store could not be reached is heard when it can be again.
     */
    async function hear(): Promise<void> {
      const now = clock.now()
      await roleBook.hear(store.db) // and then of whom a change of roles ended
      await hearOfEnds(heardAt - overlapMs)
      heardAt = now
      await machines.hear(store.db)
      await policyBook.hear(store.db)
      for (const ring of keyrings) await ring.hear(store.db)
    }

    async function hearOfEnds(sinceMs: number): Promise<void> {
      for (const { id, endedAt } of await sessions.endedSince(store.db, sinceMs)) revocations.endSession(id, endedAt)
      await revocationList.tell(store.db, sinceMs, revocations)
    }

    /** Of many nodes, the first to find that it is time does it. */
    async function rotate(): Promise<void> {
      for (const ring of keyrings) {
        const { table } = ring
        if (table === undefined || !(await table.isDue(store.db))) continue
        await store.transaction(async (trx) => {
          const successor = await table.rotateWhenDue(trx)
          if (successor === undefined) return
          const { kid, activeFrom } = successor
          await enroll(trx, {
            type: 'admin_action',
            action: 'signing-key.rotate',
            resource: { id: kid, type: 'signing-key' },
            details: { 'active-from': activeFrom, algorithm: ring.algorithm, because: 'schedule' },
          })
        })
        audit.wake()
        await ring.hear(store.db)
      }
    }

    async function say(action: 'start' | 'stop' | 'reload'): Promise<void> {
      const details = { version: machine.version }
      await store.transaction((trx) =>
        enroll(trx, { type: 'system', action, resource: { id: 'house', type: 'house' }, details }),
      )
      audit.wake()
    }

    /** What the house does of its own accord. */
    function enroll(
      trx: Database,
      what: Pick<Extract<AuditEvent, { type: 'system' | 'admin_action' }>, 'type' | 'action' | 'resource' | 'details'>,
      result: AuditEvent['result'] = 'success',
    ): Promise<void> {
      const at = clock.now()
      return audit.enroll(trx, {
        ...what,
        actor: { id: 'gatehouse', type: 'system' },
        address: '',
        at,
        id: uuidv7(at, random),
        request_id: '',
        result,
        user_agent: '',
        v: 1,
      } as AuditEvent)
    }
  } catch (error) {
    for (const close of undo.reverse()) await close()
    throw error
  }
}

/** How soon an end that another process has decided holds here (TK4: within a second). */
const hearEveryMs = 500
const overlapMs = 60_000
const minuteMs = 60_000
const hourMs = 3_600_000

/** The keys of access tokens, and those of what others verify too: the same, unless only we can verify the first. */
async function openKeyrings(
  { tokens, oauth }: Settings,
  { environment, ...place }: Pick<Machine, 'clock' | 'random' | 'environment'> & Pick<KeyringPlace, 'root' | 'db'>,
): Promise<readonly [keyring: Keyring, idKeyring: Keyring]> {
  const { algorithm, rotation, accessTtl } = tokens
  const shared = { ...place, rotation, tokenTtlMs: oauth === undefined ? accessTtl : Math.max(accessTtl, idTokenTtlMs) }
  const previousSecrets = tokens.previousSecrets.map((reference, index) => {
    const secret = secretOf(reference, environment)
    if (secret === undefined) throw new Fault('unavailable', `tokens.previousSecrets[${index}] cannot be had`)
    return secret
  })
  const keyring = await openKeyring({
    ...shared,
    algorithm,
    secret: secretOf(tokens.secret, environment),
    previousSecrets,
  })
  if (algorithm !== 'HS256') return [keyring, keyring]
  return [keyring, await openKeyring({ ...shared, algorithm: 'EdDSA', secret: undefined })]
}

/** Waits for it, but not for ever. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

/** Sections that open files, sockets or keys: a running house does not change them under its own feet. */
function whatNeedsARestart(now: Settings, next: Settings): string[] {
  return (
    [
      'listen',
      'store',
      'tokens',
      'oauth',
      'identity',
      'keys',
      'services',
      'mail',
      'publicUrl',
      'pages',
      'bodyMemory',
    ] as const
  ).filter((section) => JSON.stringify(now[section]) !== JSON.stringify(next[section]))
}

function warningsOf(settings: Settings): string[] {
  const warnings: string[] = []
  if (settings.limits === false) warnings.push('all limits are off')
  if (settings.cors === undefined) warnings.push('no CORS origins: pages of other origins cannot read answers')
  if (settings.routes.length === 0) warnings.push('no routes: everything but the house’s own endpoints is closed')
  const managed = new Set(settings.policies.flatMap(({ name, document }) => (document === undefined ? [name] : [])))
  for (const { path, access, policy = [], owner } of settings.routes)
    if (access === 'authenticated' && !owner && policy.length > 0 && policy.every((name) => managed.has(name)))
      warnings.push(`\`${path}\` demands no permission: whoever may manage policies says who comes there`)
  const areas = new Set(settings.routes.flatMap(({ area }) => area ?? []))
  const ofRoles = new Set(Object.values(settings.roles).flatMap(({ scope }) => scope ?? []))
  for (const [name, { scope = 'global' }] of Object.entries(settings.roles))
    if (scope !== 'global' && !areas.has(scope))
      warnings.push(`the role \`${name}\` counts in \`${scope}\`, and no route is in that area`)
  for (const area of areas)
    if (!ofRoles.has(area))
      warnings.push(`routes are in the area \`${area}\`, and no role of the configuration counts there alone`)
  return warnings
}
