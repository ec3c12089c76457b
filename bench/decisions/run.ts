// `npm run bench:decisions`: decisions a second, ours and others', in one run. README.md beside this tells how to read it.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../command.ts'
import { ask, startForked } from '../forked.ts'
import { installPackages } from '../packages.ts'
import { median } from '../results.ts'
import { type Contestant, contestants } from './contestants.ts'
import { type Cell, terminalText, writeReadme } from './report.ts'
import { questionsOf, rulesOf, type Shape, shapes, sizes } from './shapes.ts'

const usage = `usage: npm run bench:decisions -- [--rounds N] [--ms N] [--only SHAPE]

  --rounds N     9 where nothing else is said
  --ms N         of each turn: 120 where nothing else is said
  --only SHAPE   ${shapes.join(', ')}; README.md stays as it is then`

const warmUpMs = 300
/** So many answers have to be right before anything is timed; of many rules fewer are asked, as some take long over them. */
const sampleOf = (size: number, { remembers }: Contestant): number => (size > 1_000 && !remembers ? 40 : 500)

await runCommand(readOptions(), usage, bench)

interface Options {
  readonly rounds: number
  readonly ms: number
  readonly only: Shape | undefined
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '9' },
        ms: { type: 'string', default: '120' },
        only: { type: 'string' },
      },
    })
    const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
    const only = shapes.find((shape) => shape === values.only)
    const sound = [rounds, ms].every((value) => Number.isInteger(value) && value >= 1 && value <= 10_000)
    return sound && (values.only === undefined || only !== undefined) ? { rounds, ms, only } : undefined
  } catch {
    return undefined // an option that is not there
  }
}

async function bench({ rounds, ms, only }: Options): Promise<void> {
  installPackages()
  const cells: Cell[] = []
  for (const shape of only === undefined ? shapes : [only]) {
    for (const size of sizes) {
      const cell = await measure(shape, size, rounds, ms)
      process.stdout.write(`${terminalText(cell)}\n`)
      cells.push(cell)
    }
  }
  if (only !== undefined) return
  writeReadme(cells, `${rounds} rounds of ${ms} ms after ${warmUpMs} ms to warm up`)
  process.stdout.write('the ratios are in bench/decisions/README.md\n')
}

/** All contestants on the same rules: each in its process, taking turns, so that whatever else the machine does meets all of them. */
async function measure(shape: Shape, size: number, rounds: number, ms: number): Promise<Cell> {
  const runners: { readonly contestant: Contestant; readonly child: ChildProcess; readonly loadMs: number }[] = []
  for (const contestant of contestants) runners.push({ contestant, ...(await start(contestant, shape, size)) })
  const rates = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const { contestant, child } of runners) {
      const { perSecond } = await ask<{ perSecond: number }>(contestant.name, child, round === 0 ? warmUpMs : ms)
      if (round > 0) rates.set(contestant.name, [...(rates.get(contestant.name) ?? []), perSecond])
    }
  }
  for (const { child } of runners) child.disconnect()
  return {
    shape,
    size,
    results: runners.map(({ contestant, loadMs }) => {
      const perSecond = rates.get(contestant.name) ?? []
      return { contestant, loadMs, rates: perSecond, median: median(perSecond) ?? Number.NaN }
    }),
  }
}

/** Starts it and sees that it answers right. */
async function start(contestant: Contestant, shape: Shape, size: number) {
  const child = startForked(join(import.meta.dirname, 'child.ts'), [
    contestant.name,
    shape,
    String(size),
    String(sampleOf(size, contestant)),
  ])
  const { loadMs, answers } = await ask<{ loadMs: number; answers: readonly boolean[] }>(contestant.name, child)
  const questions = questionsOf(shape, rulesOf(shape, size)).slice(0, answers.length)
  const wrong = questions.findIndex(({ allowed }, at) => allowed !== answers[at])
  if (wrong >= 0)
    throw new Error(
      `${contestant.name} answers ${answers[wrong]} with ${size} rules to ${JSON.stringify(questions[wrong])}`,
    )
  return { child, loadMs }
}
