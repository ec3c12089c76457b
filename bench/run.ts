// `npm run bench`: Gatehouse and its alternatives side by side, each on one core. bench/README.md tells how to read it.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkContestant } from './check.ts'
import { type Child, startChild, untilItAnswers } from './child.ts'
import { type Contestant, contestants, environmentOf, type Place } from './contestants.ts'
import { connections, type Generator, generatorOn } from './load.ts'
import { cpuSeconds, machineText, programAt, twoCores } from './machine.ts'
import { paced } from './pace.ts'
import { installPackages } from './packages.ts'
import { terminalTable, writeReadme } from './report.ts'
import { goalLines, type Result, type Turn } from './results.ts'
import { signToken } from './token.ts'
import { startUpstream } from './upstream.ts'

const usage = `usage: npm run bench -- [--rounds N] [--seconds S] [--only NAME,NAME]

  --rounds N     3 where nothing else is said
  --seconds S    6 for each turn where nothing else is said
  --only NAMES   of ${contestants.map(({ name }) => name).join(', ')}; bench/README.md stays as it is then`

const warmUpSeconds = 4
const pacedSeconds = 2

/** A contestant that is up and has shown that it does the job. */
interface Runner {
  readonly contestant: Contestant
  readonly child: Child
  readonly url: string
  readonly token: string
}

const options = readOptions()
if (options === undefined) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
try {
  await bench(options.chosen, options.rounds, options.seconds)
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 1
}
process.exit()

function readOptions(): { chosen: readonly Contestant[]; rounds: number; seconds: number } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '6' },
        only: { type: 'string' },
      },
    })
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
    const names = values.only?.split(',') ?? contestants.map(({ name }) => name)
    const chosen = contestants.filter(({ name }) => names.includes(name))
    const sound = [rounds, seconds].every((value) => Number.isInteger(value) && value >= 1 && value <= 600)
    return sound && chosen.length === names.length ? { chosen, rounds, seconds } : undefined
  } catch {
    return undefined // an option that is not there
  }
}

async function bench(chosen: readonly Contestant[], rounds: number, seconds: number): Promise<void> {
  const cores = twoCores()
  const generator = generatorOn(cores?.others)
  const absent = chosen.filter(
    ({ needs }) => needs !== undefined && needs !== 'packages' && programAt(needs) === undefined,
  )
  const present = chosen.filter((contestant) => !absent.includes(contestant))
  if (generator.needsPackages || present.some(({ needs }) => needs === 'packages')) installPackages()

  const upstreamPort = await freePort()
  const upstream = await startUpstream(upstreamPort, cores?.others, folder)
  const secret = randomBytes(48).toString('base64url')
  const runners: Runner[] = []
  for (const contestant of present) runners.push(await start(contestant, cores?.measured, upstreamPort, secret))

  for (const { contestant, url, token } of runners) {
    progress(`warming up ${contestant.name}`)
    await generator.load(url, token, warmUpSeconds)
  }
  const turns = new Map<Runner, Turn[]>(runners.map((runner) => [runner, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const runner of runners) {
      progress(`round ${round} of ${rounds}: ${runner.contestant.name}`)
      turns.get(runner)?.push(await measure(runner, generator, seconds, cores?.others))
    }
  }
  progress('')
  for (const { child } of [...runners, upstream]) await child.end()

  const results: Result[] = runners.map((runner) => ({ contestant: runner.contestant, turns: turns.get(runner) ?? [] }))
  const whole = chosen.length === contestants.length
  const lines = [
    terminalTable(results),
    '',
    ...goalLines(results),
    ...absent.map(({ name }) => `not measured, since it is not installed here: ${name}`),
  ]
  process.stdout.write(`${lines.join('\n')}\nupstream: ${upstream.text}; load: ${generator.text}\n`)
  if (!whole) return
  writeReadme(results, {
    machine: machineText(),
    cores:
      cores === undefined
        ? 'Nothing was pinned to a core: `taskset` or a second core is missing.'
        : 'Contestants were pinned to one core, the upstream and the load to another.',
    upstream: upstream.text,
    load: `${generator.text}, ${connections} keep-alive connections`,
    rounds: `${rounds} rounds of ${seconds} s after ${warmUpSeconds} s to warm up.`,
    command: `npm run bench -- --rounds ${rounds} --seconds ${seconds}`,
    absent: absent.map(({ title }) => title),
  })
  process.stdout.write('the ratios are in bench/README.md\n')
}

async function start(
  contestant: Contestant,
  core: number | undefined,
  upstreamPort: number,
  secret: string,
): Promise<Runner> {
  progress(`starting ${contestant.name}`)
  const dataDir = join(folder, contestant.name)
  mkdirSync(dataDir)
  const admin = { email: 'bench@example.com', password: randomBytes(18).toString('base64url') }
  const place: Place = { port: await freePort(), upstreamPort, secret, dataDir, admin }
  const child = startChild(contestant.name, contestant.command(place), { core, env: environmentOf(place) })
  const url = `http://127.0.0.1:${place.port}/api/item`
  await untilItAnswers(contestant.name, url, child)
  const token =
    contestant.signIn === undefined ? signToken(secret, ['item:read', 'item:write']) : await contestant.signIn(place)
  await checkContestant(contestant, url, token)
  return { contestant, child, url, token }
}

async function measure(
  { contestant, child, url, token }: Runner,
  generator: Generator,
  seconds: number,
  loadCore: number | undefined,
): Promise<Turn> {
  const before = cpuSeconds(child.pid)
  const { requests, perSecond, failures } = await generator.load(url, token, seconds)
  if (child.hasEnded()) throw new Error(`${contestant.name} ended under load:\n${child.said()}`)
  if (failures > 0)
    throw new Error(
      `${contestant.name}: ${failures} of ${requests} requests were not answered with 2xx:\n${child.said()}`,
    )
  const after = cpuSeconds(child.pid)
  const latency = await paced(url, token, pacedSeconds, loadCore)
  if (before === undefined || after === undefined) return { perSecond, cpuMicros: undefined, busy: undefined, latency }
  return { perSecond, cpuMicros: ((after - before) * 1e6) / requests, busy: (after - before) / seconds, latency }
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('expected a port')),
      )
    })
  })
}

/** One line that overwrites itself, on a terminal only. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}
