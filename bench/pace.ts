import { Agent, request } from 'node:http'
import { systemClock } from '../src/kernel/clock.ts'
import { startChild } from './child.ts'

/** Requests a second that are offered, whether answers come or not: below what the slowest contestant can do. */
export const offeredPerSecond = 500

/** How long answers took, in milliseconds. */
export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

const unmeasuredMs = 1_000 // the generator warms up, too

/**
 * Offers requests at a fixed pace for `seconds` after one to warm up. A load that waits for its answers shows how long its
 * own queue is; only one that does not wait shows what a caller would feel.
 */
export async function paced(url: string, token: string, seconds: number, core: number | undefined): Promise<Latency> {
  let text = ''
  const child = startChild('the pace', [process.execPath, import.meta.filename, url, String(seconds)], {
    core,
    env: { BENCH_TOKEN: token },
    onOutput: (more) => (text += more),
  })
  if ((await child.ended) !== 0) throw new Error(`${url} at a fixed pace: ${child.said()}`)
  return JSON.parse(text) as Latency
}

if (import.meta.main) {
  const [url = '', seconds = '1'] = process.argv.slice(2)
  process.stdout.write(JSON.stringify(await offer(url, Number(seconds))))
  process.exit()
}

async function offer(url: string, seconds: number): Promise<Latency> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const headers = { authorization: `Bearer ${process.env.BENCH_TOKEN}` }
  const durations: number[] = []
  const pending: Promise<void>[] = []
  const start = systemClock.monotonic()
  const endMs = unmeasuredMs + seconds * 1_000
  for (let elapsed = 0; elapsed < endMs; elapsed = systemClock.monotonic() - start) {
    while (pending.length < (elapsed / 1_000) * offeredPerSecond) pending.push(askOnce(elapsed >= unmeasuredMs))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  durations.sort((a, b) => a - b)
  return { p50Ms: at(0.5), p99Ms: at(0.99) }

  function askOnce(counts: boolean): Promise<void> {
    const offeredAt = systemClock.monotonic()
    return new Promise((resolve, reject) => {
      request(url, { agent, headers, timeout: 10_000 }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`expected 200, got ${answer.statusCode}`))
        answer.resume().once('end', () => {
          if (counts) durations.push(systemClock.monotonic() - offeredAt)
          resolve()
        })
      })
        .once('timeout', () => reject(new Error('no answer within 10 s')))
        .once('error', reject)
        .end()
    })
  }

  function at(share: number): number {
    return durations[Math.floor(share * (durations.length - 1))] ?? Number.NaN
  }
}
