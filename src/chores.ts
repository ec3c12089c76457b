import type { AuditLog } from './audit/log.ts'
import { ManagedKeys } from './authn/key/managed.ts'
import type { Replays } from './authn/replays.ts'
import type { AuthorizationServer } from './authorization.ts'
import type { Environment, Settings } from './config/settings.ts'
import type { Hearing } from './hearing.ts'
import { Alerts } from './incident/alert/alerts.ts'
import { openChannels } from './incident/alert/open.ts'
import type { PlaybookRunner } from './incident/playbook/runner.ts'
import { Timeline } from './incident/timeline.ts'
import type { Clock } from './kernel/clock.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { repeat } from './kernel/task.ts'
import type { Keyring } from './keys/keyring.ts'
import type { RootKey } from './keys/root.ts'
import type { Machines } from './machines.ts'
import type { OwnActs } from './own-acts.ts'
import type { People } from './people.ts'
import { keepRecord } from './record-keeping.ts'
import type { Store } from './store/database.ts'
import type { Traffic } from './traffic.ts'

interface ChoreParts {
  /** `gate` does what has to be done once for the house; a `thread` beside it only what each has to. */
  readonly role: 'gate' | 'thread'
  readonly settings: Settings
  readonly url: string
  readonly root: RootKey
  readonly store: Store
  readonly audit: AuditLog
  readonly people: People
  readonly machines: Machines
  readonly traffic: Traffic
  readonly authorization: AuthorizationServer | undefined
  readonly replays: Replays
  readonly keyrings: readonly Keyring[]
  readonly heard: Hearing
  readonly acts: OwnActs
  readonly environment: Environment
  /** Writes a line on standard output. */
  readonly print: (line: string) => void
  /** Carries out what is done about them, by the configuration of the day. */
  readonly runner: () => PlaybookRunner
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
}

/**
 * What the house does again and again for as long as it stands. `undo` is told how each is ended, in the order in which they began; what may
 * have been due for long is done before this resolves.
 */
export async function beginChores(parts: ChoreParts, undo: (() => Promise<void> | void)[]): Promise<void> {
  const { role, store, audit, people, machines, traffic, replays, keyrings, heard, acts, clock, random, log } = parts
  const { blockBook } = traffic
  const { outbox } = people
  if (role === 'gate') {
    const { settings } = parts
    const keeper = await keepRecord({
      ...parts,
      audit: settings.audit,
      incidents: settings.incidents,
      sealer: audit.sealer,
      wake: () => audit.wake(),
      logLevel: settings.log.level,
    })
    undo.push(async () => {
      await audit.flush().catch(() => undefined) // what came last is signed too, where it can be had
      await keeper.stop()
    })
    const managed = new ManagedKeys({
      managed: parts.settings.keys.managed,
      ...machines,
      clock,
      random,
      log,
      note: (trx, { action, result, keyId, details }) =>
        acts.enroll(trx, { type: 'admin_action', action, resource: { id: keyId, type: 'api-key' }, details }, result),
    })
    const renew = async (): Promise<void> => {
      await managed.run(store)
      audit.wake()
    }
    await renew()
    again('renew managed keys', minuteMs, renew)
  }
  undo.push(() => machines.keyBook.flush(store.db, true)) // when no turn of it is under way any more
  again('write when keys were used', 10_000, () => machines.keyBook.flush(store.db))
  again('hear what other processes did', hearEveryMs, () => heard.all())
  undo.push(() => blockBook.flush(store, acts.blocked))
  again('write blocks of addresses', 250, () => blockBook.flush(store, acts.blocked))
  again('count blocks of addresses', minuteMs, () => blockBook.recount(store.db))
  if (role === 'thread') return
  const alerts = new Alerts({
    lines: openChannels(parts.settings.incidents.alerts, {
      ...people,
      environment: parts.environment,
      print: parts.print,
      clock,
    }),
    store,
    book: { entry: (trx, id, entry) => new Timeline({ clock }).add(trx, id, entry) },
    note: (trx, act) => acts.enroll(trx, act, 'failure'),
    clock,
    random,
    log,
  })
  undo.push(() => alerts.close())
  again('send alerts', 500, async () => alerts.begin())
  again('carry out playbooks', 500, async () => {
    await parts.runner().advance()
  })
  await rotate()
  again('rotate signing keys', minuteMs, rotate)
  again('forget proofs and requests', minuteMs, async () => {
    await replays.sweep(store.db)
    await parts.authorization?.records.sweep(store.db, clock.now() - minuteMs)
    await blockBook.sweep(store.db)
  })
  again('forget what is over', hourMs, async () => {
    const yesterday = clock.now() - 25 * hourMs // longer than an access token can live
    await people.sessions.sweep(store.db, yesterday)
    await people.revocationList.sweep(store.db)
    await machines.keys.sweep(store.db, clock.now() - 30 * 24 * hourMs)
    for (const { table } of keyrings) await table?.sweep(store.db)
    await people.tickets.sweep(store.db, yesterday)
    await parts.authorization?.registry.registration.sweep(store.db)
    await people.attempts.sweep(store.db, clock.now() - 30 * 24 * hourMs)
    await outbox?.sweep(store.db, clock.now() - 7 * 24 * hourMs)
    await alerts.sweep(store.db, clock.now() - 30 * 24 * hourMs)
  })
  if (outbox !== undefined) {
    again('send letters', 1_000, async () => {
      await outbox.drain(store.db)
    })
    undo.push(() => outbox.close()) // ends the turn under way after its letter
  }

  function again(name: string, pauseMs: number, work: () => Promise<void>): void {
    const task = repeat(name, pauseMs, log, work)
    undo.push(() => task.stop())
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
        await acts.enroll(trx, {
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
}

/** How soon an end that another process has decided holds here (TK4: within a second). */
const hearEveryMs = 500
const minuteMs = 60_000
const hourMs = 3_600_000
