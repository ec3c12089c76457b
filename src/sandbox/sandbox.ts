import { availableParallelism } from 'node:os'
import type { Clock } from '../kernel/clock.ts'
import { Fault, type Refusal, refuse } from '../kernel/error.ts'
import { type Log, silent } from '../kernel/log.ts'
import { Pool, type SandboxCensus } from './children/pool.ts'
import { Starter } from './children/starter.ts'
import { checkAsked } from './limits.ts'
import type { SandboxOptions } from './options.ts'
import type { CodeToRun, RunOutcome } from './run.ts'
import type { WallState } from './walls/wall.ts'
import { surveyWalls, type Walls } from './walls/walls.ts'
import { closedSentence, demandedSentence, demandedWalls, lackingWalls } from './warnings.ts'

/** Runs code of people whom nobody has to trust. */
export interface Sandbox {
  readonly walls: readonly WallState[]
  /** Why nothing is run here, in one sentence that says what to do; `undefined` where code is run. It may change while the house runs. */
  readonly closedBecause: string | undefined
  /** What a run may use where its caller says nothing. */
  readonly usual: { readonly timeMs: number; readonly memoryMb: number }
  /** For metrics and the doctor. */
  readonly census: () => SandboxCensus
  /**
   * Runs code for a tenant: whoever must not see what others leave behind. Resolves with an outcome whatever the code does, and with a
   * refusal where it is not run at all: `sandbox-unavailable`, `overloaded`, `draining`, `body-invalid` (with `errors` by field); or
   * `client-left`, where `left` ended it.
   *
   * @param tenant never shares a child with another
   * @param hear output while the run goes on
   * @param left ends a run that nobody waits for any more
   */
  run(
    tenant: string,
    asked: CodeToRun,
    hear?: (output: string) => void,
    left?: AbortSignal,
  ): Promise<RunOutcome | Refusal>
  close(): Promise<void>
}

export interface SandboxPremises {
  readonly clock: Clock
  readonly log?: Log
  /** Where a snapshot of the interpreter outlives the house, if anywhere; `false` where so few children start that none is worth making. */
  readonly snapshots: string | undefined | false
  /** Those of this machine, where nothing is said. */
  readonly walls?: Walls
  /** How long a child may take to start: 15 seconds where nothing is said. */
  readonly startMs?: number
}

/**
 * Opens a sandbox: its first children start beside. Throws a `Fault` where a wall is missing without which the operator does not
 * want to start at all. The pool is its own: a house with several threads has one in each.
 */
export async function openSandbox(options: SandboxOptions, premises: SandboxPremises): Promise<Sandbox> {
  const { clock, log = silent, snapshots, startMs } = premises
  const walls = premises.walls ?? (await surveyWalls())
  const demanded = demandedWalls(options, walls.states)
  if (demanded.length > 0) throw new Fault('sandbox-unavailable', demandedSentence(demanded))
  const lacking = lackingWalls(options, walls.states)
  const usual = { timeMs: options.limits.time, memoryMb: options.limits.memory / 1024 ** 2 }
  if (lacking.length > 0) return closedSandbox(walls.states, usual, closedSentence(lacking))

  const starter = new Starter(options, { clock, log, snapshots, walls, startMs })
  const pool = new Pool(options.pool, options.languages, {
    clock,
    log,
    start: (language) => starter.start(language),
    cores: availableParallelism(),
  })

  return {
    walls: walls.states,
    usual,
    get closedBecause() {
      return pool.failure
    },
    census: () => pool.census(),
    async run(tenant, asked, hear, left) {
      const checked = checkAsked(asked, options)
      if ('errors' in checked) return refuse('body-invalid', { errors: checked.errors })
      const question = { ...checked.question, live: hear !== undefined }
      for (let tries = 0; tries < triesMax; tries++) {
        const child = await pool.take(tenant, checked.language, left)
        if ('code' in child) return child
        const onLeft = (): void => void child.end({ is: 'left' })
        left?.addEventListener('abort', onLeft, { once: true })
        if (left?.aborted === true) onLeft()
        const end = await child.run(question, hear)
        left?.removeEventListener('abort', onLeft)
        pool.giveBack(child)
        if ('outcome' in end) return end.outcome
        if (end.ended === 'left' || left?.aborted === true) return refuse('client-left')
        if (end.ended === 'draining') return refuse('draining', { retryAfterMs: 1000 })
      }
      return refuse('sandbox-unavailable', { detail: 'children end before they run anything', retryAfterMs: 1000 })
    },
    async close() {
      const closed = pool.close()
      await Promise.all([closed, starter.close()])
    },
  }
}

/** One that runs nothing. */
function closedSandbox(states: readonly WallState[], usual: Sandbox['usual'], closedBecause: string): Sandbox {
  return {
    walls: states,
    usual,
    closedBecause,
    census: () => ({ children: 0, warm: 0, busy: 0, waiting: 0 }),
    run: () => Promise.resolve(refuse('sandbox-unavailable', { detail: closedBecause })),
    close: () => Promise.resolve(),
  }
}

/** A child may end by itself between two runs. */
const triesMax = 3
