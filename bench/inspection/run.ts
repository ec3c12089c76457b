// `npm run bench:inspection`: what it costs to look into a body, ours and others', in one run. README.md beside this tells how to read it.
import type { ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../command.ts'
import { ask, startForked } from '../forked.ts'
import { installPackages } from '../packages.ts'
import { kinds, sizes } from './bodies.ts'
import type { Shown, Turn, Turned } from './child.ts'
import { type Job, jobs, kindsFor } from './jobs.ts'
import { type Cell, type Measured, sectionsOf, terminalText, writeReadme } from './report.ts'

const tables = ['parts', 'families', 'data', 'html'] as const

const usage = `usage: npm run bench:inspection -- [--rounds N] [--ms N] [--only TABLE]

  --rounds N     5 where nothing else is said
  --ms N         of each turn: 40 where nothing else is said
  --only TABLE   ${tables.join(', ')}; README.md stays as it is then`

await runCommand(readOptions(), usage, bench)

interface Options {
  readonly rounds: number
  readonly ms: number
  readonly only: Job['table'] | undefined
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        ms: { type: 'string', default: '40' },
        only: { type: 'string' },
      },
    })
    const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
    const only = tables.find((table) => table === values.only)
    const sound = [rounds, ms].every((value) => Number.isInteger(value) && value >= 1 && value <= 10_000)
    return sound && (values.only === undefined || only !== undefined) ? { rounds, ms, only } : undefined
  } catch {
    return undefined // an option that is not there
  }
}

interface Runner {
  readonly job: Job
  readonly child: ChildProcess
  readonly shown: Shown
}

async function bench({ rounds, ms, only }: Options): Promise<void> {
  installPackages()
  const chosen = jobs.filter(({ table }) => only === undefined || table === only)
  const runners = await startAll(chosen)
  const cells = await measure(runners, rounds, ms)
  for (const child of new Set(runners.map(({ child }) => child))) child.disconnect()
  const measured: Measured = { cells, shown: new Map(runners.map(({ job, shown }) => [job, shown])) }
  process.stdout.write(`${terminalText(measured)}\n`)
  if (only !== undefined) return
  const setting = `${rounds} rounds of ${ms} ms, median of the rounds.`
  writeReadme(sectionsOf(measured, setting))
  process.stdout.write('the results are in bench/inspection/README.md\n')
}

/** As many processes at a time as there are processors: to be ready is not timed. */
async function startAll(chosen: readonly Job[]): Promise<readonly Runner[]> {
  const runners: Runner[] = []
  const waiting = [...Map.groupBy(chosen, ({ name, table }) => (table === 'families' ? table : name)).values()]
  const starting = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift())
      runners.push(...(await start(group)))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, starting))
  return chosen.map((job) => runners.find((runner) => runner.job === job) as Runner)
}

/** Starts a process for some jobs, and sees that they do what they are there for. */
async function start(group: readonly Job[]): Promise<readonly Runner[]> {
  const names = group.map(({ name }) => name)
  const child = startForked(join(import.meta.dirname, 'child.ts'), names)
  const all = await ask<Readonly<Record<string, Shown>>>(names[0] ?? '', child)
  return group.map((job) => {
    const shown = all[job.name] as Shown
    if (shown.missed.length > 0) throw new Error(`${job.name} does not find ${shown.missed.join(', ')}`)
    const left = job.looksFor?.filter((kind) => (shown.struckOut?.[kind] ?? 0) < 0.5) ?? []
    if (left.length > 0) throw new Error(`${job.name} leaves most of what is planted: ${left.join(', ')}`)
    return { job, child, shown }
  })
}

/** They take turns, all of them in each round, so that whatever else the machine does meets all of them. */
async function measure(runners: readonly Runner[], rounds: number, ms: number): Promise<readonly Cell[]> {
  const cells = new Map<string, Cell & { readonly turns: Turned[] }>()
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`)
    for (const kind of kinds) {
      for (const size of sizes) {
        for (const { job, child } of runners) {
          if (!kindsFor(job).includes(kind)) continue
          const turned = await ask<Turned>(job.name, child, { job: job.name, kind, size, ms } satisfies Turn)
          const name = `${job.name} ${kind} ${size}`
          const cell = cells.get(name) ?? { job, kind, size, turns: [] }
          cell.turns.push(turned)
          cells.set(name, cell)
        }
      }
    }
  }
  return [...cells.values()]
}
