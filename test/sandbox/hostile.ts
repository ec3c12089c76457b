import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Refusal } from '../../src/kernel/error.ts'
import { type Log, type LogFields, silent } from '../../src/kernel/log.ts'
import { sandboxOptions } from '../../src/sandbox/options.ts'
import type { RunOutcome } from '../../src/sandbox/run.ts'
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { essentialWalls, type Wall, walls } from '../../src/sandbox/walls/wall.ts'
import { surveyWalls, type Walls } from '../../src/sandbox/walls/walls.ts'

const program = fileURLToPath(new URL('./hostile-child.ts', import.meta.url))

/** What a child does when it is started: `hostile-child.ts` knows them by name. */
export type Birth =
  | 'honest'
  | 'slow'
  | 'stillborn'
  | 'silent'
  | 'babbling'
  | 'early'
  | 'shouting'
  | 'wandering'
  | 'absent'

/** No walls at all around children that do whatever their code says, so that the house's side can be looked at alone. */
export function wallsAroundHostile(birth: () => Birth = () => 'honest', missing: readonly Wall[] = []): Walls {
  return {
    states: walls.map((wall) => {
      const stands = !missing.includes(wall)
      return { wall, stands, by: stands ? 'a test' : 'install bubblewrap' }
    }),
    at: ({ outside }) => outside,
    node: process.execPath,
    around() {
      const born = birth()
      return { command: born === 'absent' ? '/nowhere/node' : process.execPath, args: [program, born], feeds: [] }
    },
  }
}

/** The same children, behind the walls of this machine. */
export async function hostileBehindWalls(): Promise<Walls> {
  const real = await surveyWalls()
  const seen = { outside: program, inside: '/app/hostile-child.ts' }
  return {
    ...real,
    around: (_, __, cpuSeconds) => real.around([real.node, '--no-warnings', real.at(seen)], [seen], cpuSeconds),
  }
}

/** Why what needs the walls of the system cannot be tried on this machine. */
export async function missingWalls(): Promise<string | false> {
  const missing = (await surveyWalls()).states.filter(({ wall, stands }) => !stands && essentialWalls.includes(wall))
  return missing.length > 0 && missing.map(({ wall, by }) => `no wall around \`${wall}\`: ${by}`).join('; ')
}

export interface Opened {
  readonly sandbox: Sandbox
  /** What the log was told, one entry a line. */
  readonly logged: readonly string[]
  /** Runs as JavaScript, which here means: tells a child what to do. */
  run(tenant: string, code: string, more?: { input?: unknown; timeMs?: number }): Promise<RunOutcome | Refusal>
}

/** A sandbox around hostile children, for as long as one test runs. */
export async function openHostile(
  context: TestContext,
  options: Readonly<Record<string, unknown>> = {},
  { birth, startMs }: { readonly birth?: () => Birth; readonly startMs?: number } = {},
): Promise<Opened> {
  const logged: string[] = []
  const write = (fields: LogFields, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { ...silent, warn: write, error: write }
  const sandbox = await openSandbox(sandboxOptions.parse({ languages: ['javascript'], ...options }), {
    clock: systemClock,
    log,
    snapshots: undefined,
    walls: wallsAroundHostile(birth),
    ...(startMs !== undefined && { startMs }),
  })
  context.after(() => sandbox.close())
  return {
    sandbox,
    logged,
    run: (tenant, code, { input, timeMs } = {}) =>
      sandbox.run(tenant, { language: 'javascript', code, input, limits: { timeMs } }),
  }
}

export function outcomeOf(answer: RunOutcome | Refusal): RunOutcome {
  if ('usage' in answer) return answer
  throw new Error(`expected an outcome, got a refusal: ${JSON.stringify(answer)}`)
}

export function refusalOf(answer: RunOutcome | Refusal): Refusal {
  if ('detail' in answer) return answer
  throw new Error(`expected a refusal, got an outcome: ${JSON.stringify(answer)}`)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
