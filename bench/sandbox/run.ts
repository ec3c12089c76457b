// `npm run bench:sandbox`: what it costs to run code of strangers, here and otherwise, in one run. README.md of bench/ has the ratios.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../command.ts'
import { machineText } from '../machine.ts'
import { tableText, writeSections } from '../readme.ts'
import { median } from '../results.ts'
import { type Contestant, contestants, expected } from './contestants.ts'

const usage = `usage: npm run bench:sandbox -- [--runs N] [--seconds S] [--only NAME,NAME]

  --runs N       one after the other, for the latency: 20 where nothing else is said
  --seconds S    of runs at a concurrency of 8: 8 where nothing else is said
  --only NAMES   of contestants; the results in README.md stay as they are`

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
await runCommand(readOptions(), usage, bench)

interface Options {
  readonly runs: number
  readonly seconds: number
  readonly only: readonly string[] | undefined
}

interface Measured {
  readonly contestant: Contestant
  /** Of the first run, everything opened but no child started for it yet. */
  readonly firstMs: number
  readonly latencyMs: number
  readonly perSecond: number
  readonly memoryBytes: number | undefined
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string', default: '20' },
        seconds: { type: 'string', default: '8' },
        only: { type: 'string' },
      },
    })
    const [runs, seconds] = [Number(values.runs), Number(values.seconds)]
    const sound = [runs, seconds].every((value) => Number.isInteger(value) && value >= 1 && value <= 1000)
    return sound ? { runs, seconds, only: values.only?.split(',') } : undefined
  } catch {
    return undefined // an option that is not there
  }
}

async function bench({ runs, seconds, only }: Options): Promise<void> {
  const measured: Measured[] = []
  const [load = 0] = loadavg()
  const unmeasured: string[] = []
  for (const contestant of contestants(join(folder, 'snapshots'))) {
    if (only !== undefined && !only.includes(contestant.name)) continue
    try {
      const one = await measure(contestant, runs, seconds)
      measured.push(one)
      process.stdout.write(
        `${contestant.name.padEnd(28)} first ${ms(one.firstMs)}  then ${ms(one.latencyMs)}  ${one.perSecond.toFixed(1).padStart(8)} runs/s at 8  ${megabytes(one.memoryBytes)}\n`,
      )
    } catch (error) {
      unmeasured.push(`${contestant.title}: ${(error as Error).message}`)
      process.stdout.write(`${contestant.name.padEnd(28)} not measured: ${(error as Error).message}\n`)
    }
  }
  if (only !== undefined) return
  const setting = `${machineText()}. ${runs} runs one after the other, median; then ${seconds} s of runs at a concurrency of 8. Load of the machine before: ${load.toFixed(1)}.`
  const text = [
    tableText(
      ['', 'latency, of the baseline', 'runs/s at 8, of the baseline', 'memory of a child'],
      measured.map((one) => row(one, measured)),
    ),
    '',
    ...unmeasured.map((what) => `- not measured: ${what}`),
    ...(unmeasured.length > 0 ? [''] : []),
    setting,
  ].join('\n')
  writeSections(join(import.meta.dirname, '../README.md'), new Map([['sandbox', text]]))
  process.stdout.write('the ratios are in bench/README.md\n')
}

async function measure(contestant: Contestant, runs: number, seconds: number): Promise<Measured> {
  const opened = await contestant.open()
  try {
    const firstMs = await timed(() => once('first'))
    const times: number[] = []
    for (let run = 0; run < runs; run++) times.push(await timed(() => once('first')))
    const until = performance.now() + seconds * 1000
    const began = performance.now()
    let done = 0
    await Promise.all(
      Array.from({ length: 8 }, async (_, place) => {
        while (performance.now() < until) {
          await once(`tenant-${place}`)
          done++
        }
      }),
    )
    const perSecond = (done / (performance.now() - began)) * 1000
    const latencyMs = median(times) ?? Number.NaN
    return { contestant, firstMs, latencyMs, perSecond, memoryBytes: await opened.memory() }
  } finally {
    await opened.close()
  }

  async function once(tenant: string): Promise<void> {
    const result = await opened.run(tenant)
    if (result !== expected)
      throw new Error(`expected ${expected} of ${contestant.name}, got ${JSON.stringify(result)?.slice(0, 200)}`)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function row(one: Measured, all: readonly Measured[]): string[] {
  const { language } = one.contestant
  const baseline = all.find(({ contestant }) => contestant.isBaseline === true && contestant.language === language)
  const title = `${language === 'python' ? 'Python' : 'JavaScript'}: ${one.contestant.title}`
  if (baseline === undefined) return [title, '–', '–', megabytes(one.memoryBytes)]
  return [
    one.contestant.isBaseline === true ? `${title} (baseline)` : title,
    (one.latencyMs / baseline.latencyMs).toFixed(3),
    (one.perSecond / baseline.perSecond).toFixed(1),
    megabytes(one.memoryBytes),
  ]
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`.padStart(10)
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${Math.round(bytes / 1024 ** 2)} MB`
}
