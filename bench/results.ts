import type { Contestant } from './contestants.ts'
import type { Latency } from './pace.ts'

/** One contestant's turn in one round. */
export interface Turn {
  readonly perSecond: number
  /** Processor time for each request; undefined where the kernel does not tell. */
  readonly cpuMicros: number | undefined
  /** The share of its core that the contestant had. */
  readonly busy: number | undefined
  /** At the fixed pace. */
  readonly latency: Latency
}

/** All turns of one contestant, round by round. */
export interface Result {
  readonly contestant: Contestant
  readonly turns: readonly Turn[]
}

/** Requests per second as a share of another's, round by round: other work on the machine comes and goes between rounds. */
export function ratios(result: Result, results: readonly Result[], to: string): readonly number[] {
  const other = results.find(({ contestant }) => contestant.name === to)
  return result.turns.flatMap(({ perSecond }, round) => {
    const theirs = other?.turns[round]
    return theirs === undefined ? [] : [perSecond / theirs.perSecond]
  })
}

/** The middle one of a figure over all turns; undefined where it was never known. */
export function medianOf({ turns }: Result, figure: (turn: Turn) => number | undefined): number | undefined {
  return median(turns.flatMap((turn) => figure(turn) ?? []))
}

export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [lower, upper] = [sorted[middle - 1], sorted[middle]]
  return sorted.length % 2 === 0 && lower !== undefined && upper !== undefined ? (lower + upper) / 2 : upper
}

/** What Gatehouse is meant to reach; DESIGN.md tells why these. */
const goals = [
  { of: 'bare', atLeast: 0.65, text: 'the same server with no checks' },
  { of: 'fastify', atLeast: 3, text: 'the Fastify stack' },
  { of: 'fastify', atLeast: 4.5, text: 'the Fastify stack, after that' },
  { of: 'haproxy', atLeast: 0.65, text: 'HAProxy, after that' },
] as const

/** Below this share of its core, something else was the limit: the load, or other work on the machine. */
const busyMin = 0.9

/** Each goal whose other side was measured too, and how far we are. A contestant that was held back decides nothing. */
export function goalLines(results: readonly Result[]): readonly string[] {
  const ours = results.find(({ contestant }) => contestant.name === 'gatehouse')
  if (ours === undefined) return []
  return goals.flatMap(({ of, atLeast, text }) => {
    const theirs = results.find(({ contestant }) => contestant.name === of)
    const reached = median(ratios(ours, results, of))
    if (theirs === undefined || reached === undefined) return []
    const heldBack = [ours, theirs].filter((side) => (medianOf(side, ({ busy }) => busy) ?? 1) < busyMin)
    const names = heldBack.map(({ contestant }) => contestant.name).join(' and ')
    const verdict = names === '' ? (reached >= atLeast ? 'reached' : 'not reached') : `undecided (held back: ${names})`
    return [`${verdict}: ${atLeast} × ${text}; measured ${reached.toFixed(2)}`]
  })
}
