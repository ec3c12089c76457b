import { generatorOn } from '../load.ts'
import { cpuSeconds, twoCores } from '../machine.ts'
import { median } from '../results.ts'
import { startUpstream } from '../upstream.ts'
import { freePort, type Guard, type House, startGatehouse } from './house.ts'
import { type Offer, type Outcome, offer } from './offer.ts'
import { capacity, startWorkers } from './workers.ts'

/** What the limits cost on the whole way, by rounds: with them, of without them. */
export interface WayResult {
  readonly requests: readonly number[]
  readonly cpu: readonly number[]
  readonly load: string
  readonly upstream: string
}

export async function measureWay(rounds: number, seconds: number, folder: string): Promise<WayResult> {
  const cores = twoCores()
  const generator = generatorOn(cores?.others)
  const port = await freePort()
  const upstream = await startUpstream(port, cores?.others, folder)
  const place = { upstream: `http://127.0.0.1:${port}`, folder, core: cores?.measured }
  const houses = { ample: await startGatehouse('ample', place), off: await startGatehouse('off', place) }
  const turn = async ({ url, token, child }: House, forSeconds: number) => {
    const before = cpuSeconds(child.pid)
    const { requests, perSecond, failures } = await generator.load(`${url}/api/item`, token, forSeconds)
    if (failures > 0) throw new Error(`${failures} of ${requests} requests were not answered with 2xx`)
    const after = cpuSeconds(child.pid)
    return { perSecond, cpu: before === undefined || after === undefined ? Number.NaN : (after - before) / requests }
  }
  for (const house of Object.values(houses)) await turn(house, 3)
  const [requests, cpu]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const [on, off] = [await turn(houses.ample, seconds), await turn(houses.off, seconds)]
    requests.push(on.perSecond / off.perSecond)
    cpu.push(on.cpu / off.cpu)
  }
  for (const { child } of Object.values(houses)) await child.end()
  await upstream.child.end()
  return { requests, cpu, load: generator.text, upstream: upstream.text }
}

/** What the others got while one address asked for nine times as much as all of them together. */
export interface FloodResult {
  readonly guard: Guard
  /** As many times as without the flood, round by round. */
  readonly p50: readonly number[]
  readonly p99: readonly number[]
  /** Of the others' requests, in the middle of the rounds: answered with 200. */
  readonly served: number
  /** Of the abuser's. */
  readonly abuserServed: number
}

const polite = { perSecond: 100, addresses: 50, warmUpSeconds: 2 } as const

export async function measureFlood(
  rounds: number,
  seconds: number,
  folder: string,
): Promise<{ readonly results: readonly FloodResult[]; readonly unmeasured: readonly string[] }> {
  const cores = twoCores()
  const port = await freePort()
  const upstream = await startUpstream(port, cores?.others, folder)
  const place = { upstream: `http://127.0.0.1:${port}`, folder, core: cores?.measured }
  const results: FloodResult[] = []
  const unmeasured: string[] = []
  for (const guard of ['off', 'limits', 'blocks'] as const) {
    const house = await startGatehouse(guard, place).catch((error: unknown) => (error as Error).message)
    if (typeof house === 'string') {
      unmeasured.push(house.split('\n').slice(0, 3).join(' '))
      continue
    }
    results.push({ guard, ...(await flood(house, rounds, seconds, cores?.others)) })
    await house.child.end()
  }
  await upstream.child.end()
  return { results, unmeasured }
}

async function flood(house: House, rounds: number, seconds: number, core: number | undefined) {
  const what = { ...polite, url: `${house.url}/open/item`, seconds }
  const [p50, p99, served, abuserServed]: [number[], number[], number[], number[]] = [[], [], [], []]
  await offer({ ...what, seconds: 2, abuserPerSecond: 0 }, core) // the way is warm
  for (let round = 0; round < rounds; round++) {
    const quiet = await offer({ ...what, abuserPerSecond: 0 }, core)
    const loud = await offer({ ...what, abuserPerSecond: 9 * polite.perSecond }, core)
    p50.push(loud.p50Ms / quiet.p50Ms)
    p99.push(loud.p99Ms / quiet.p99Ms)
    served.push(shareOf(loud.statuses))
    abuserServed.push(shareOf(loud.abuser))
  }
  return { p50, p99, served: median(served) ?? Number.NaN, abuserServed: median(abuserServed) ?? Number.NaN }
}

function shareOf(tally: Outcome['abuser']): number {
  const all = Object.values(tally).reduce((sum, count) => sum + count, 0)
  return (tally['200'] ?? 0) / all
}

/** What came of offering three times as much as the upstream can do. */
export interface SheddingResult {
  readonly shed: boolean
  /** As many times as when half of it was offered. */
  readonly p50: number
  readonly p99: number
  /** Of what the upstream can do. */
  readonly served: number
}

export async function measureShedding(seconds: number, folder: string): Promise<readonly SheddingResult[]> {
  const cores = twoCores()
  const results: SheddingResult[] = []
  for (const shed of [true, false]) {
    const port = await freePort()
    const upstream = await startWorkers(port, cores?.others)
    const house = await startGatehouse(shed ? 'ample' : 'unshed', {
      upstream: `http://127.0.0.1:${port}`,
      folder,
      core: cores?.measured,
    })
    const what: Omit<Offer, 'perSecond'> = {
      url: `${house.url}/open/item`,
      addresses: 200,
      abuserPerSecond: 0,
      seconds,
      warmUpSeconds: 2,
    }
    const calm = await offer({ ...what, perSecond: capacity / 2 }, cores?.others)
    const flood = await offer({ ...what, perSecond: capacity * 3 }, cores?.others)
    results.push({
      shed,
      p50: flood.p50Ms / calm.p50Ms,
      p99: flood.p99Ms / calm.p99Ms,
      served: flood.perSecond / capacity,
    })
    await house.child.end()
    await upstream.end()
  }
  return results
}
