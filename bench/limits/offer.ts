import { Agent, request } from 'node:http'
import { systemClock } from '../../src/kernel/clock.ts'
import { startChild } from '../child.ts'

/** Requests that come at a pace of their own, whether answers come or not. */
export interface Offer {
  readonly url: string
  /** Of callers with an address each, who take turns. */
  readonly perSecond: number
  readonly addresses: number
  /** Of one more, who alone asks for so much. */
  readonly abuserPerSecond: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** What the many got: how often which answer, and how long those of 200 took, in milliseconds. */
export interface Outcome {
  readonly statuses: Readonly<Record<string, number>>
  readonly abuser: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers of 200 in each second. */
  readonly perSecond: number
  /** Requests that were not begun, since too many were open: the load, or the house, could not keep up. */
  readonly held: number
}

/** Beyond that the load waits: it would run out of ports. */
const openMax = 20_000

/** Offers from a process of its own. */
export async function offer(what: Offer, core: number | undefined): Promise<Outcome> {
  let text = ''
  const child = startChild('the offer', [process.execPath, import.meta.filename, JSON.stringify(what)], {
    core,
    onOutput: (more) => (text += more),
  })
  if ((await child.ended) !== 0) throw new Error(`${what.url}: ${child.said()}`)
  return JSON.parse(text) as Outcome
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as Offer)))
  process.exit()
}

async function run({ url, perSecond, addresses, abuserPerSecond, seconds, warmUpSeconds }: Offer): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4_000 })
  const statuses: Record<string, number> = {}
  const abuser: Record<string, number> = {}
  const waits: number[] = []
  let [sent, abused, open, held] = [0, 0, 0, 0]
  const start = systemClock.monotonic()
  const endMs = (warmUpSeconds + seconds) * 1_000
  for (let elapsed = 0; elapsed < endMs; elapsed = systemClock.monotonic() - start) {
    const counts = elapsed >= warmUpSeconds * 1_000
    for (; sent < (elapsed / 1_000) * perSecond; sent++)
      ask(`198.51.100.${sent % addresses}`, counts ? statuses : {}, counts)
    for (; abused < (elapsed / 1_000) * abuserPerSecond; abused++) ask('203.0.113.7', counts ? abuser : {}, false)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const patience = systemClock.monotonic() + 5_000
  while (open > 0 && systemClock.monotonic() < patience) await new Promise((resolve) => setTimeout(resolve, 20))
  waits.sort((a, b) => a - b)
  return { statuses, abuser, p50Ms: at(0.5), p99Ms: at(0.99), perSecond: waits.length / seconds, held }

  function ask(address: string, tally: Record<string, number>, counts: boolean): void {
    if (open >= openMax) {
      held++
      return
    }
    open++
    const askedAt = systemClock.monotonic()
    const finish = (what: string): void => {
      open--
      tally[what] = (tally[what] ?? 0) + 1
    }
    request(url, { agent, headers: { 'x-forwarded-for': address } }, (answer) => {
      answer.resume().once('end', () => {
        if (counts && answer.statusCode === 200) waits.push(systemClock.monotonic() - askedAt)
        finish(String(answer.statusCode))
      })
    })
      .once('error', () => finish('broken'))
      .end()
  }

  function at(share: number): number {
    return waits[Math.floor(share * (waits.length - 1))] ?? Number.NaN
  }
}
