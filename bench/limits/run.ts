// `npm run bench:limits`: what limits cost and what they hold, ours and others', in one run. README.md beside this tells how to read it.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../command.ts'
import { installPackages } from '../packages.ts'
import { forgetKeys, measureCounting, redisAnswers } from './counting.ts'
import {
  countingSection,
  floodSection,
  type Part,
  parts,
  type Section,
  sheddingSection,
  waySection,
  writeReadme,
} from './report.ts'
import { measureFlood, measureShedding, measureWay } from './whole.ts'

const usage = `usage: npm run bench:limits -- [--rounds N] [--ms N] [--seconds S] [--only PART]

  --rounds N     7 where nothing else is said; of the whole way and the flood 3
  --ms N         of each turn of counting: 200 where nothing else is said
  --seconds S    of each turn of the rest: 5 where nothing else is said
  --only PART    ${parts.join(', ')}

Redis is that of TEST_REDIS_URL, or redis://127.0.0.1:6379; keys of a prefix of the run's own are written there, and taken away.`

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
await runCommand(readOptions(), usage, bench)

interface Options {
  readonly rounds: number | undefined
  readonly ms: number
  readonly seconds: number
  readonly only: Part | undefined
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string' },
        ms: { type: 'string', default: '200' },
        seconds: { type: 'string', default: '5' },
        only: { type: 'string' },
      },
    })
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    const [ms, seconds] = [Number(values.ms), Number(values.seconds)]
    const only = parts.find((part) => part === values.only)
    const sound = [rounds ?? 1, ms, seconds].every((value) => Number.isInteger(value) && value >= 1 && value <= 10_000)
    return sound && (values.only === undefined || only !== undefined) ? { rounds, ms, seconds, only } : undefined
  } catch {
    return undefined // an option that is not there
  }
}

async function bench({ rounds, ms, seconds, only }: Options): Promise<void> {
  installPackages()
  const redis = {
    url: process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379',
    prefix: `gatehouse-bench-${randomBytes(6).toString('hex')}`,
  }
  for (const part of only === undefined ? parts : [only]) {
    process.stdout.write(`${part}\n`)
    const section = await measure(part, redis)
    if (section === undefined) continue
    process.stdout.write(`${section.terminal.join('\n')}\n`)
    writeReadme(new Map([[part, section]]), settingOf(part))
  }
  process.stdout.write('the ratios are in bench/limits/README.md\n')

  async function measure(part: Part, redis: { url: string; prefix: string }): Promise<Section | undefined> {
    switch (part) {
      case 'memory':
        return countingSection(await measureCounting('memory', { rounds: rounds ?? 7, ms, redis }))
      case 'redis':
        if (!(await redisAnswers(redis.url))) {
          process.stdout.write(`  not measured: no Redis answers at ${new URL(redis.url).host}\n`)
          return undefined
        }
        try {
          return countingSection(await measureCounting('redis', { rounds: rounds ?? 7, ms: ms * 2, redis }))
        } finally {
          await forgetKeys(redis)
        }
      case 'way':
        return waySection(await measureWay(rounds ?? 3, seconds, folder))
      case 'flood': {
        const { results, unmeasured } = await measureFlood(rounds ?? 3, seconds, folder)
        return floodSection(results, unmeasured)
      }
      case 'shedding':
        return sheddingSection(await measureShedding(seconds * 2, folder))
    }
  }

  function settingOf(part: Part): string {
    if (part === 'memory' || part === 'redis')
      return `${rounds ?? 7} rounds of ${part === 'redis' ? ms * 2 : ms} ms, median of the rounds.`
    return part === 'shedding'
      ? `${seconds * 2} s each.`
      : `${rounds ?? 3} rounds of ${seconds} s, median of the rounds.`
  }
}
