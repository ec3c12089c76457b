import { type AuditLog, openAuditLog } from './audit/log.ts'
import type { Accounts } from './authn/account/accounts.ts'
import { Revocations } from './authn/session/revocations.ts'
import type { Sessions } from './authn/session/sessions.ts'
import { openTokens, type TokenService } from './authn/token/tokens.ts'
import type { DecisionPoint } from './authz/decision.ts'
import type { Environment, Settings } from './config.ts'
import { type Embedded, embed } from './endpoints/embedded.ts'
import { furnish } from './floor.ts'
import { type Gate, openGate } from './gate/gate.ts'
import { openMeters } from './gate/meters.ts'
import { base64url } from './kernel/bytes.ts'
import type { Clock } from './kernel/clock.ts'
import { type Random, uuidv7 } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { repeat } from './kernel/task.ts'
import { openKeyring } from './keys/keyring.ts'
import { openRootKey } from './keys/root.ts'
import { openLimiter } from './limits/window.ts'
import { openPeople, type People, secretOf } from './people.ts'
import { openStore, type Store } from './store/database.ts'

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
  readonly sessions: Sessions
  readonly tokens: TokenService
  readonly decisions: DecisionPoint
  /** What an operator should know, and nobody is stopped by. */
  readonly warnings: readonly string[]
  /** Takes a new configuration over, whole; throws and keeps the old one where it cannot. */
  reload(settings: Settings): Promise<void>
  /** Writes out what waits, and closes the rooms in the reverse of their order. */
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

    const keyring = await openKeyring({
      db: store.db,
      root,
      clock,
      random,
      algorithm: first.tokens.algorithm,
      secret: secretOf(first.tokens.secret, environment),
    })
    const revocations = new Revocations({ clock, ttlMs: first.tokens.accessTtl })
    const people = openPeople({ settings: first, environment, root, revocations, clock, random, log })
    const { accounts, sessions, outbox } = people
    undo.push(() => outbox?.close())
    let heardAt = clock.now()
    revocations.load(await sessions.endedSince(store.db, clock.now() - first.tokens.accessTtl - tokenSlackMs))
    const tokens = openTokens({ options: first.tokens, keyring, revocations, clock, random })
    const limiter = openLimiter(clock)
    let gate: Gate | undefined
    const meters = openMeters({
      gatehouse_requests_in_flight: { help: 'Requests on their way', read: () => gate?.inFlight ?? 0 },
      gatehouse_audit_backlog: { help: 'Access events that wait to be written', read: () => audit.backlog },
      gatehouse_audit_dropped_total: { help: 'Access events lost to a full backlog', read: () => audit.dropped },
    })
    const standing = {
      machine,
      store,
      audit,
      people,
      tokens,
      revocations,
      limiter,
      meters,
      jwks: () => keyring.jwks(),
      isDraining: () => gate?.draining ?? false,
      via: `gatehouse-${base64url(random.bytes(6))}`,
    }
    let floor = furnish(first, standing)
    let settings = first
    gate = openGate(floor.plan)
    const opened = gate
    if (machine.role === 'gate') {
      await say('start')
      const hearing = repeat('hear what other processes ended', hearEveryMs, log, hear)
      undo.push(() => hearing.stop())
      const sweeping = repeat('forget sessions that are over', hourMs, log, async () => {
        const yesterday = clock.now() - 24 * hourMs
        await sessions.sweep(store.db, yesterday)
        await people.tickets.sweep(store.db, yesterday)
        await people.attempts.sweep(store.db, clock.now() - 30 * 24 * hourMs)
        await outbox?.sweep(store.db, clock.now() - 7 * 24 * hourMs)
      })
      undo.push(() => sweeping.stop())
      if (outbox !== undefined) {
        const posting = repeat('send letters', 1_000, log, async () => {
          await outbox.drain(store.db)
        })
        undo.push(() => {
          outbox.close() // ends the turn under way after its letter
          return posting.stop()
        })
      }
    }

    const decisions: DecisionPoint = { decide: (request) => floor.decisions.decide(request) }
    const house: House = {
      ...embed(opened, decisions),
      gate: opened,
      store,
      audit,
      people,
      accounts,
      sessions,
      tokens,
      decisions,
      warnings: warningsOf(first),
      get settings() {
        return settings
      },
      async reload(next) {
        const fixed = whatNeedsARestart(settings, next)
        if (fixed.length > 0) throw new Error(`${fixed.join(', ')} cannot change while the house stands; restart it`)
        const before = floor
        floor = furnish(next, standing)
        settings = next
        tokens.clear() // principals were made from the old roles
        people.browsers.clear()
        opened.follow(floor.plan)
        for (const upstream of before.upstreams.values()) void upstream.close()
        await say('reload')
      },
      async close() {
        await within(settings.listen.drain, opened.drain())
        for (const upstream of floor.upstreams.values()) await upstream.destroy()
        if (machine.role === 'gate') await say('stop')
        for (const close of undo.reverse()) await close()
      },
    }
    return house

    /**
     * Sessions that another node or a command has ended, since the store was last heard; and a little before that, because
     * clocks and commits differ. What was ended while the store could not be reached is heard when it can be again.
     */
    async function hear(): Promise<void> {
      const now = clock.now()
      const ended = await sessions.endedSince(store.db, heardAt - overlapMs)
      heardAt = now
      revocations.load(ended.filter(({ id }) => !revocations.isRevoked(id, '')))
    }

    async function say(action: 'start' | 'stop' | 'reload'): Promise<void> {
      const at = clock.now()
      await store.transaction((trx) =>
        audit.enroll(trx, {
          action,
          actor: { id: 'gatehouse', type: 'system' },
          address: '',
          at,
          details: { version: machine.version },
          id: uuidv7(at, random),
          request_id: '',
          resource: { id: 'house', type: 'house' },
          result: 'success',
          type: 'system',
          user_agent: '',
          v: 1,
        }),
      )
      audit.wake()
    }
  } catch (error) {
    for (const close of undo.reverse()) await close()
    throw error
  }
}

/** How soon an end that another process has decided holds here (TK4: within a second). */
const hearEveryMs = 500
const overlapMs = 15_000
const hourMs = 3_600_000

/** A refresh that was under way when its session ended issues one more access token, a moment after the end. */
const tokenSlackMs = 60_000

/** Waits for it, but not for ever. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

/** Sections that open files, sockets or keys: a running house does not change them under its own feet. */
function whatNeedsARestart(now: Settings, next: Settings): string[] {
  return (['listen', 'store', 'tokens', 'identity', 'mail', 'publicUrl', 'pages'] as const).filter(
    (section) => JSON.stringify(now[section]) !== JSON.stringify(next[section]),
  )
}

function warningsOf(settings: Settings): string[] {
  const warnings: string[] = []
  if (settings.limits === false) warnings.push('all limits are off')
  if (settings.cors === undefined) warnings.push('no CORS origins: pages of other origins cannot read answers')
  if (settings.routes.length === 0) warnings.push('no routes: everything but the house’s own endpoints is closed')
  return warnings
}
