import { setTimeout as pause } from 'node:timers/promises'
import { base64url } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault, type Refusal, refuse } from '../../kernel/error.ts'
import type { Random } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database, Store } from '../../store/database.ts'
import type { Acted, StepRooms, Turn } from './act.ts'
import { actOf } from './acts.ts'
import { canUndo, endOf, type Run, type RunStep, type StepOutcome } from './run.ts'
import { type RunBook, type RunDraft, stepOfRun } from './run-book.ts'

export interface RunnerParts {
  readonly store: Store
  readonly rooms: StepRooms
  readonly book: RunBook
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Called after what was enrolled: see `AuditLog.wake`. */
  readonly wake: () => void
}

/** Whoever undoes a step: a person, or the house when its time is up. */
export interface Undoer {
  readonly id: string
  note(trx: Database, run: Run, details: Readonly<Record<string, string | number>>): Promise<void>
}

/**
 * Carries out what runs of playbooks say. Each step is one transaction with its events, its line in the timeline and its row: a process
 * that ends between two steps leaves a run that another goes on with, and none is done twice. Of many nodes one has a run at a time.
 */
export class PlaybookRunner {
  readonly #parts: RunnerParts
  /** This process, among those that could carry out a run. */
  readonly #holder: string
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(parts: RunnerParts) {
    this.#parts = parts
    this.#holder = base64url(parts.random.bytes(9))
  }

  /** Writes a run down that this process carries out: nobody else takes it meanwhile. */
  async begin(trx: Database, draft: RunDraft): Promise<string> {
    const { book } = this.#parts
    const id = await book.begin(trx, draft)
    await book.take(trx, id, this.#holder, leaseMs)
    return id
  }

  /** Undoes what is due, and goes on with runs that nobody has: to be called twice a second by whoever serves. */
  async advance(): Promise<void> {
    const { book, store } = this.#parts
    for (const { run, number } of await book.dueUndos(store.db, atOnce)) await this.#undoDue(run, number)
    for (const id of await book.due(store.db, atOnce)) await this.carryOut(id)
  }

  /**
   * Carries out a run until it ends, or waits for somebody; not where another process has it. Behind `stepsMax` it leaves the run to
   * whoever comes next.
   */
  carryOut(id: string, stepsMax = Number.POSITIVE_INFINITY): Promise<void> {
    const known = this.#underWay.get(id)
    if (known !== undefined) return known
    const work = this.#carryOut(id, stepsMax).finally(() => this.#underWay.delete(id))
    this.#underWay.set(id, work)
    return work
  }

  /** Undoes a step in the transaction that says so. */
  async undo(id: string, number: number, by: Undoer): Promise<Run | Refusal> {
    const { store, book, rooms, wake } = this.#parts
    let after: Extract<Acted, { told: string }>['after']
    const outcome = await store.transaction(async (trx): Promise<Run | Refusal> => {
      const run = await book.hold(trx, id)
      const step = run && stepOfRun(run, number)
      if (run === undefined || step === undefined)
        return refuse('not-found', { detail: 'no step of a run is called so' })
      const { undo } = actOf(step.step)
      if (undo === undefined) return refuse('conflict', { detail: `\`${step.step.do}\` cannot be undone` })
      if (!canUndo(step)) return refuse('conflict', { detail: `The step is ${step.status}: there is nothing to undo` })
      const acted = await undo(trx, step.outcome.facts ?? {}, { rooms, run, number, isDry: false })
      const undone = 'skipped' in acted ? acted.skipped : acted.told
      if (!('skipped' in acted)) after = acted.after
      const told = { ...step.outcome, undone }
      await book.write(trx, id, number, { status: 'undone', undone_at: this.#parts.clock.now(), undo_at: null, told })
      await by.note(trx, run, { do: step.step.do, outcome: undone, playbook: run.playbook, step: number })
      await this.#tell(trx, run, by.id, `step ${number} undone (${step.step.do}): ${undone}`)
      await book.settleUndone(trx, id)
      return (await book.find(trx, id)) ?? run
    })
    wake()
    await after?.()
    return outcome
  }

  /**
   * What the steps would come to, one after the other: all of it is done in a transaction, and rolled back. What happens outside of the
   * store, an alert that is sent or a process that hears of a change, does not happen.
   */
  async dryRun(run: Turn['run'], steps: readonly RunStep['step'][]): Promise<readonly DryStep[]> {
    const { store, rooms } = this.#parts
    const lines: DryStep[] = []
    const rollBack = new Error('a dry run is rolled back')
    try {
      await store.transaction(async (trx) => {
        for (const [index, step] of steps.entries()) {
          const turn = { rooms, run, number: index + 1, isDry: true }
          let told: string
          try {
            const acted = await actOf(step).act(trx, step, turn)
            told = 'skipped' in acted ? `skipped: ${acted.skipped}` : acted.told
          } catch (error) {
            // On PostgreSQL nothing more can be asked in this transaction.
            lines.push({ number: index + 1, step, told: `failed: ${reasonOf(error)}` })
            break
          }
          lines.push({ number: index + 1, step, told })
        }
        throw rollBack
      })
    } catch (error) {
      if (error !== rollBack) throw error
    }
    return lines
  }

  async #carryOut(id: string, stepsMax: number): Promise<void> {
    const { store, book } = this.#parts
    while (await book.take(store.db, id, this.#holder, leaseMs)) {
      const run = await book.find(store.db, id)
      const next = run?.steps.find(({ status }) => status === 'pending')
      if (run === undefined) return
      const stopped = run.onFailure === 'stop' && run.steps.some(({ status }) => status === 'failed')
      if (next === undefined || stopped) return this.#end(run)
      if (next.number > stepsMax) return book.settle(store.db, id, 'pending')
      if (next.step.approval === true && next.approvedBy === undefined) return this.#wait(run, next)
      await this.#step(run, next)
    }
  }

  async #step(run: Run, step: RunStep): Promise<void> {
    const { log } = this.#parts
    try {
      if (step.outcome.more !== true) await this.#begin(run, step)
      else await this.#goOn(run, step)
    } catch (error) {
      if (error instanceof Lost) return
      log.error({ run: run.id, step: step.number, err: error }, 'a step of a playbook failed')
      await this.#fail(run, step, reasonOf(error))
    }
  }

  async #begin(run: Run, { number, step }: RunStep): Promise<void> {
    const { store, rooms, clock, wake } = this.#parts
    const act = actOf(step)
    const turn = { rooms, run, number, isDry: false }
    const prepared = await act.prepare?.(turn)
    const acted = await store.transaction(async (trx) => {
      await this.#claim(trx, run.id, number)
      const done = await act.act(trx, step, { ...turn, prepared })
      if ('skipped' in done) {
        await this.#record(trx, run, { number, step }, 'skipped', { told: done.skipped })
        return done
      }
      const { told, facts } = done
      const undoAt =
        act.undo !== undefined && 'for' in step && step.for !== undefined ? clock.now() + step.for : undefined
      if (act.more === undefined) await this.#record(trx, run, { number, step }, 'done', { told, facts }, undoAt)
      else await this.#parts.book.write(trx, run.id, number, { told: { told, facts, more: true } })
      return done
    })
    wake()
    if (!('skipped' in acted)) await acted.after?.()
  }

  /** What is too much for one transaction: so many rows at a time that nobody else is held for long. */
  async #goOn(run: Run, { number, step, outcome }: RunStep): Promise<void> {
    const { store, rooms, book, clock, wake } = this.#parts
    const { more } = actOf(step)
    if (more === undefined) throw new Error(`\`${step.do}\` is done at once`)
    const { turnMs, rowsMax } = paces[store.kind]
    const turn = { rooms, run, number, isDry: false }
    let facts = outcome.facts ?? {}
    let rows = rowsMin
    for (let isAll = false; !isAll; ) {
      const began = clock.monotonic()
      const advanced = await this.#again(() =>
        store.transaction(async (trx) => {
          await this.#claim(trx, run.id, number)
          const done = await more(trx, step, facts, turn, rows)
          if (!done.isAll) await book.write(trx, run.id, number, { told: { ...outcome, facts: done.facts } })
          else {
            const told = `${outcome.told ?? ''}: ${Number(done.facts['ended'])}`
            await this.#record(trx, run, { number, step }, 'done', { told, facts: done.facts })
          }
          return done
        }),
      )
      facts = advanced.facts
      isAll = advanced.isAll
      const tookMs = clock.monotonic() - began
      rows = Math.round(Math.min(Math.max(rows * (tookMs > turnMs ? 0.5 : 1.5), rowsMin), rowsMax))
      await pause(pauseMs) // requests come between, and whoever else wants to write
    }
    wake()
    rooms.keyBook.distrust()
  }

  /** A deadlock or a lost connection is no end of a long step: what was done of it stands, and the rest is tried again. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (error instanceof Lost || tries === triesMax) throw error
        this.#parts.log.warn({ err: error, tries }, 'a part of a step of a playbook failed; it is tried again')
      }
      await pause(tries * againMs)
    }
  }

  /** Goes on only while this process has the run, and the step is still to be done. */
  async #claim(trx: Database, id: string, number: number): Promise<void> {
    const { book } = this.#parts
    if (!(await book.take(trx, id, this.#holder, leaseMs))) throw new Lost()
    const run = await book.find(trx, id)
    if (run === undefined || stepOfRun(run, number)?.status !== 'pending') throw new Lost()
  }

  async #record(
    trx: Database,
    run: Run,
    { number, step }: Pick<RunStep, 'number' | 'step'>,
    status: 'done' | 'skipped' | 'failed',
    told: StepOutcome,
    undoAt?: number,
  ): Promise<void> {
    const { book, rooms, clock } = this.#parts
    await book.write(trx, run.id, number, { status, done_at: clock.now(), undo_at: undoAt ?? null, told })
    await rooms.note(
      trx,
      {
        type: 'admin_action',
        action: 'playbook.step',
        resource: { id: run.id, type: 'playbook' },
        details: { do: step.do, outcome: told.told ?? '', playbook: run.playbook, status, step: number },
      },
      status === 'failed' ? 'failure' : 'success',
    )
    await this.#tell(trx, run, 'gatehouse', `step ${number} ${status} (${step.do}): ${told.told ?? ''}`)
  }

  /** Its own transaction was undone whole. */
  async #fail(run: Run, step: RunStep, reason: string): Promise<void> {
    const { store, wake } = this.#parts
    await store
      .transaction(async (trx) => {
        await this.#claim(trx, run.id, step.number)
        await this.#record(trx, run, step, 'failed', { told: reason })
      })
      .catch((error: unknown) => {
        if (!(error instanceof Lost)) throw error
      })
    wake()
  }

  async #wait(run: Run, { number, step }: RunStep): Promise<void> {
    const { store, book } = this.#parts
    await store.transaction(async (trx) => {
      if (!(await book.take(trx, run.id, this.#holder, leaseMs))) return
      await book.write(trx, run.id, number, { status: 'waiting' })
      await book.settle(trx, run.id, 'waiting')
      await this.#tell(trx, run, 'gatehouse', `step ${number} waits to be approved (${step.do})`)
    })
  }

  async #end(run: Run): Promise<void> {
    const { store, book } = this.#parts
    await store.transaction(async (trx) => {
      if (!(await book.take(trx, run.id, this.#holder, leaseMs))) return
      const status = endOf(run.steps)
      await book.settle(trx, run.id, status)
      await this.#tell(trx, run, 'gatehouse', `playbook ${run.playbook} ${status}`)
    })
  }

  async #undoDue(run: string, number: number): Promise<void> {
    const { rooms, log, store, book, clock } = this.#parts
    try {
      await this.undo(run, number, {
        id: 'gatehouse',
        note: (trx, { id }, details) =>
          rooms.note(trx, {
            type: 'admin_action',
            action: 'playbook.undo',
            resource: { id, type: 'playbook' },
            details: { ...details, because: 'its time is up' },
          }),
      })
    } catch (error) {
      log.error({ run, step: number, err: error }, 'a step of a playbook could not be undone; it is tried again')
      await book.write(store.db, run, number, { undo_at: clock.now() + retryMs })
    }
  }

  async #tell(trx: Database, run: Run, actor: string, text: string): Promise<void> {
    if (run.incident === undefined) return
    const details = { playbook: run.playbook, run: run.id }
    await this.#parts.rooms.timeline.add(trx, run.incident, { actor, kind: 'playbook', text, details })
  }
}

/** What a step would come to. */
export interface DryStep {
  readonly number: number
  readonly step: RunStep['step']
  readonly told: string
}

/** Another process has the run, or somebody has decided about the step meanwhile. */
class Lost extends Error {}

/** What people may read of what failed; the log has the rest. */
function reasonOf(error: unknown): string {
  return error instanceof Fault ? (error.told ?? error.message) : 'something failed inside: the log of the house has it'
}

const atOnce = 20
/** Longer than any step takes: a process that hangs is overtaken after it. */
const leaseMs = 30_000
const retryMs = 60_000
/**
 * Rows of one transaction of a long step, and how long it should take. SQLite has one writer, and works in the thread that answers;
 * PostgreSQL holds nobody but whoever wants the same rows.
 */
const paces = { sqlite: { rowsMax: 4_000, turnMs: 20 }, postgres: { rowsMax: 50_000, turnMs: 1_000 } } as const
const rowsMin = 1_000
const pauseMs = 5
/** Of a part of a long step: some seconds, within the lease. */
const triesMax = 5
const againMs = 500
