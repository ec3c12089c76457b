import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { ask, startForked } from '../forked.ts'
import { median } from '../results.ts'
import { type Algorithm, type Contestant, contestants, five, type Store, type Trial } from './contestants.ts'

/** What came of one algorithm with so many keys. */
export interface Cell {
  readonly store: Store
  readonly algorithm: Algorithm
  readonly keys: number
  readonly contestant: Contestant
  /** Takes a second, in the middle of the rounds. */
  readonly perSecond: number
  /** As many times as the other's, round by round: ours by theirs. */
  readonly times: readonly number[]
}

export interface CountingOptions {
  readonly rounds: number
  readonly ms: number
  readonly redis: { readonly url: string; readonly prefix: string }
}

const warmUpMs = 400
const keysIn: Readonly<Record<Store, readonly number[]>> = { memory: [1, 1_000, 100_000], redis: [1, 1_000] }

/** All contestants of a store: each in its process, taking turns, so that whatever else the machine does meets all of them. */
export async function measureCounting(store: Store, options: CountingOptions): Promise<readonly Cell[]> {
  const cells: Cell[] = []
  for (const keys of keysIn[store]) {
    const entries = contestants
      .filter((one) => one.store === store)
      .flatMap((contestant) => contestant.algorithms.map((algorithm) => ({ contestant, algorithm })))
    const runners: { entry: (typeof entries)[number]; child: ChildProcess; rates: number[] }[] = []
    for (const entry of entries)
      runners.push({ entry, child: await start(entry.contestant, { store, keys, ...entry, ...options }), rates: [] })
    for (let round = 0; round <= options.rounds; round++) {
      for (const { entry, child, rates } of runners) {
        const { perSecond } = await ask<{ perSecond: number }>(
          entry.contestant.name,
          child,
          round === 0 ? warmUpMs : options.ms,
        )
        if (round > 0) rates.push(perSecond)
      }
    }
    for (const { child } of runners) child.disconnect()
    const theirs = runners.find(({ entry }) => entry.contestant.file === 'flexible.mjs')
    for (const { entry, rates } of runners)
      cells.push({
        ...entry,
        store,
        keys,
        perSecond: median(rates) ?? Number.NaN,
        times: rates.map((rate, round) => rate / (theirs?.rates[round] ?? Number.NaN)),
      })
  }
  return cells
}

/** Starts it, and sees that it lets through what it should and no more. */
async function start(contestant: Contestant, { store, algorithm, keys, redis }: Trial): Promise<ChildProcess> {
  const prefix = `${redis.prefix}:${contestant.name}:${algorithm}:${keys}`
  const trial: Trial = { store, algorithm, keys, redis: { url: redis.url, prefix } }
  const child = startForked(join(import.meta.dirname, 'child.ts'), [contestant.name, JSON.stringify(trial)])
  const { answers } = await ask<{ answers: readonly boolean[] }>(contestant.name, child)
  if (answers.filter((allowed) => allowed).length !== five || answers.at(-1) !== false)
    throw new Error(
      `${contestant.name}, ${algorithm}: of six requests under a limit of five it lets ${answers} through`,
    )
  return child
}

/** Whether a Redis answers there. */
export async function redisAnswers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

/** Takes away what a run has written, and nothing else. */
export async function forgetKeys({ url, prefix }: { readonly url: string; readonly prefix: string }): Promise<void> {
  const client = new Redis(url)
  for (const match of [`${prefix}*`, `{${prefix}*`])
    for await (const keys of client.scanStream({ match, count: 1_000 }))
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]))
  client.disconnect()
}
