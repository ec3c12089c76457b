import type { Clock } from '../../kernel/clock.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Database } from '../../store/database.ts'
import type { PlaybookStepsTable } from '../../store/schema-incidents.ts'
import type { Target } from '../finding.ts'
import { endOf, type Run, type RunStep, runOf, type StepOutcome } from './run.ts'
import type { Step } from './step.ts'

/** A run as somebody wants it. */
export interface RunDraft {
  readonly playbook: string
  readonly steps: readonly Step[]
  readonly onFailure: Run['onFailure']
  readonly incident: string | undefined
  readonly targets: readonly Target[]
  readonly startedBy: string
  readonly reason: string
}

/** A place in the list of runs. */
export interface RunCursor {
  readonly createdAt: number
  readonly id: string
}

/** Runs of playbooks in the store. Every verb takes the database or transaction first. */
export class RunBook {
  readonly #clock: Clock
  readonly #random: Random

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** Writes a run down; whoever carries runs out does so from there. Answers its id. */
  async begin(trx: Database, draft: RunDraft): Promise<string> {
    const now = this.#clock.now()
    const id = uuidv7(now, this.#random)
    await trx
      .insertInto('playbook_runs')
      .values({
        id,
        playbook: draft.playbook,
        incident_id: draft.incident ?? null,
        status: 'pending',
        targets: JSON.stringify(draft.targets),
        on_failure: draft.onFailure,
        reason: draft.reason,
        started_by: draft.startedBy,
        started_at: now,
        ended_at: null,
        holder: '',
        held_until: 0,
      })
      .execute()
    await trx
      .insertInto('playbook_steps')
      .values(draft.steps.map((step, index) => rowOf(id, index + 1, step)))
      .execute()
    return id
  }

  async find(db: Database, id: string): Promise<Run | undefined> {
    if (!idForm.test(id)) return undefined // PostgreSQL fails over a NUL
    const row = await db.selectFrom('playbook_runs').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) return undefined
    const steps = await db.selectFrom('playbook_steps').selectAll().where('run_id', '=', id).orderBy('number').execute()
    return runOf(row, steps)
  }

  /** A run that nobody else changes until the transaction ends. */
  async hold(trx: Database, id: string): Promise<Run | undefined> {
    if (!idForm.test(id)) return undefined
    await trx
      .updateTable('playbook_runs')
      .set((row) => ({ held_until: row.ref('held_until') }))
      .where('id', '=', id)
      .execute()
    return this.find(trx, id)
  }

  /** The latest first, from a cursor on; those of one incident, where one is named. */
  async page(
    db: Database,
    {
      limit,
      after,
      incident,
    }: { readonly limit: number; readonly after: RunCursor | undefined; readonly incident: string | undefined },
  ): Promise<{ readonly runs: readonly Run[]; readonly next: RunCursor | undefined }> {
    const rows = await db
      .selectFrom('playbook_runs')
      .selectAll()
      .$if(incident !== undefined, (query) => query.where('incident_id', '=', incident ?? ''))
      .$if(after !== undefined, (query) =>
        query.where((is) =>
          is.or([
            is('started_at', '<', after?.createdAt ?? 0),
            is.and([is('started_at', '=', after?.createdAt ?? 0), is('id', '<', after?.id ?? '')]),
          ]),
        ),
      )
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const shown = rows.slice(0, limit)
    const ids = shown.map(({ id }) => id)
    const steps =
      ids.length === 0
        ? []
        : await db.selectFrom('playbook_steps').selectAll().where('run_id', 'in', ids).orderBy('number').execute()
    const byRun = Map.groupBy(steps, ({ run_id }) => run_id)
    const last = shown.at(-1)
    return {
      runs: shown.map((row) => runOf(row, byRun.get(row.id) ?? [])),
      next: rows.length > limit && last !== undefined ? { createdAt: last.started_at, id: last.id } : undefined,
    }
  }

  /** Runs that nobody carries out at the moment, oldest first. */
  async due(db: Database, limit: number): Promise<readonly string[]> {
    const rows = await db
      .selectFrom('playbook_runs')
      .select('id')
      .where('status', 'in', ['pending', 'running'])
      .where('held_until', '<=', this.#clock.now())
      .orderBy('started_at')
      .limit(limit)
      .execute()
    return rows.map(({ id }) => id)
  }

  /** Steps whose time is up. */
  async dueUndos(db: Database, limit: number): Promise<readonly { readonly run: string; readonly number: number }[]> {
    const rows = await db
      .selectFrom('playbook_steps')
      .select(['run_id', 'number'])
      .where('undo_at', '<=', this.#clock.now())
      .where('status', '=', 'done')
      .orderBy('undo_at')
      .limit(limit)
      .execute()
    return rows.map(({ run_id, number }) => ({ run: run_id, number }))
  }

  /** Takes a run, or goes on with it, until a moment. Of many who want to, one does. */
  async take(db: Database, id: string, holder: string, leaseMs: number): Promise<boolean> {
    const now = this.#clock.now()
    const taken = await db
      .updateTable('playbook_runs')
      .set({ holder, held_until: now + leaseMs, status: 'running' })
      .where('id', '=', id)
      .where('status', 'in', ['pending', 'running'])
      .where((is) => is.or([is('held_until', '<=', now), is('holder', '=', holder)]))
      .returning('id')
      .executeTakeFirst()
    return taken !== undefined
  }

  /** Lets go of a run, which is `status` from now on. */
  async settle(trx: Database, id: string, status: Run['status']): Promise<void> {
    const hasEnded = status !== 'waiting' && status !== 'pending'
    await trx
      .updateTable('playbook_runs')
      .set({ status, holder: '', held_until: 0, ended_at: hasEnded ? this.#clock.now() : null })
      .where('id', '=', id)
      .execute()
  }

  async write(
    trx: Database,
    run: string,
    number: number,
    step: Partial<Pick<PlaybookStepsTable, 'status' | 'approved_by' | 'done_at' | 'undo_at' | 'undone_at'>> & {
      readonly told?: StepOutcome
    },
  ): Promise<void> {
    const { told, ...columns } = step
    await trx
      .updateTable('playbook_steps')
      .set({ ...columns, ...(told === undefined ? {} : { outcome: JSON.stringify(told) }) })
      .where('run_id', '=', run)
      .where('number', '=', number)
      .execute()
  }

  /** Somebody has approved a step that waits, or has not: the run goes on. */
  async decide(trx: Database, run: Run, number: number, by: string, approves: boolean): Promise<void> {
    await this.write(
      trx,
      run.id,
      number,
      approves
        ? { status: 'pending', approved_by: by }
        : { status: 'rejected', done_at: this.#clock.now(), told: { told: `${by} has rejected it` } },
    )
    await this.settle(trx, run.id, 'pending')
  }

  /** What failed is tried again, with what stood behind it. Answers how many steps. */
  async retry(trx: Database, run: Run): Promise<number> {
    const failed = run.steps.filter(({ status }) => status === 'failed')
    for (const { number } of failed)
      await this.write(trx, run.id, number, { status: 'pending', done_at: null, told: {} })
    if (failed.length > 0) await this.settle(trx, run.id, 'pending')
    return failed.length
  }

  /** After a step of it was undone. */
  async settleUndone(trx: Database, id: string): Promise<void> {
    const run = await this.find(trx, id)
    if (run === undefined || run.endedAt === undefined) return
    const status = endOf(run.steps)
    await trx.updateTable('playbook_runs').set({ status }).where('id', '=', id).execute()
  }
}

function rowOf(run: string, number: number, step: Step): PlaybookStepsTable {
  return {
    run_id: run,
    number,
    step: JSON.stringify(step),
    status: 'pending',
    outcome: '{}',
    approved_by: null,
    done_at: null,
    undo_at: null,
    undone_at: null,
  }
}

export function stepOfRun(run: Run, number: number): RunStep | undefined {
  return run.steps.find((step) => step.number === number)
}

const idForm = /^[0-9a-f-]{36}$/
