/**
 * What a change of the record costs the whole gate: `node bench/audit/gate.ts OLD NEW [--rounds 4] [--seconds 5]` starts the gate of two
 * checkouts (`git worktree add`) in turns, and prints how long each takes to start, its memory, and what a request costs. Linux only.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { startChild, untilItAnswers } from '../child.ts'
import { contestants, environmentOf, type Place } from '../contestants.ts'
import { startUpstream } from '../upstream.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '4' }, seconds: { type: 'string', default: '5' } },
})
if (positionals.length === 0) throw new Error('expected folders of checkouts')
const gatehouse = contestants.find(({ name }) => name === 'gatehouse')
if (gatehouse?.signIn === undefined) throw new Error('expected gatehouse among the contestants')
const connections = 64
const port = 18_431
const upstreamPort = port + 1

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
const upstream = await startUpstream(upstreamPort, undefined, folder)
const figures = new Map<string, Figures[]>(positionals.map((checkout) => [checkout, []]))
for (let round = 1; round <= Number(values.rounds); round++)
  for (const checkout of round % 2 === 0 ? positionals.toReversed() : positionals) {
    const measured = await measure(checkout)
    console.error(round, checkout, measured)
    figures.get(checkout)?.push(measured)
  }
await upstream.child.end()
rmSync(folder, { recursive: true })
for (const [checkout, all] of figures)
  console.log(
    checkout,
    Object.fromEntries(
      Object.keys(all[0] as Figures).map((name) => [name, median(all.map((one) => one[name as keyof Figures]))]),
    ),
  )

interface Figures {
  readonly startMs: number
  readonly startCpuMs: number
  /** Once it has served nothing for two seconds, and after the load. */
  readonly idleMb: number
  readonly loadedMb: number
  readonly perSecond: number
  readonly cpuUs: number
  readonly p99Ms: number
}

async function measure(checkout: string): Promise<Figures> {
  const dataDir = mkdtempSync(join(folder, 'data-'))
  const admin = { email: 'admin@bench.example', password: 'correct horse battery staple 9' }
  const place: Place = { port, upstreamPort, secret: 'a-secret-of-the-bench-that-is-long-enough', dataDir, admin }
  const [program = '', main = '', ...args] = gatehouse?.command(place) ?? []
  const inCheckout = (path: string): string => path.replace(resolve(import.meta.dirname, '../..'), resolve(checkout))
  const begin = performance.now()
  const child = startChild('gatehouse', [program, inCheckout(main), ...args.map(inCheckout)], {
    core: undefined,
    env: environmentOf(place),
  })
  await untilItAnswers('gatehouse', `http://127.0.0.1:${port}/health/live`, child)
  const startMs = performance.now() - begin
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const startCpuMs = cpuMs(child.pid)
  const idleMb = residentMb(child.pid)
  const token = (await gatehouse?.signIn?.(place)) ?? ''
  await load(token, 2)
  const cpuBefore = cpuMs(child.pid)
  const { latencies, seconds } = await load(token, Number(values.seconds))
  const cpu = cpuMs(child.pid) - cpuBefore
  const loadedMb = residentMb(child.pid)
  await child.end()
  latencies.sort((a, b) => a - b)
  return {
    startMs,
    startCpuMs,
    idleMb,
    loadedMb,
    perSecond: latencies.length / seconds,
    cpuUs: (cpu * 1_000) / latencies.length,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  }
}

async function load(token: string, seconds: number): Promise<{ latencies: number[]; seconds: number }> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 })
  const latencies: number[] = []
  const begin = performance.now()
  const end = begin + seconds * 1_000
  const ask = async (): Promise<void> => {
    for (let asked = performance.now(); asked < end; asked = performance.now()) {
      const headers = { authorization: `Bearer ${token}` }
      const { statusCode, body } = await pool.request({ path: '/api/item', method: 'GET', headers })
      await body.dump()
      if (statusCode !== 200) throw new Error(`expected 200, got ${statusCode}`)
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: connections }, ask))
  const took = (performance.now() - begin) / 1_000
  await pool.close()
  return { latencies, seconds: took }
}

/** Of all its threads, in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}
