import type { Matches } from './condition.ts'
import { KeyTable } from './key-table.ts'
import type { Sighting } from './sightings.ts'
import { capacityOf, type Watch } from './watch.ts'

export interface JumpTerms {
  /** What is counted. */
  readonly matches: Matches
  /** Of what its share is taken; undefined: its number counts. */
  readonly of: Matches | undefined
  readonly factor: number
  readonly windows: number
  readonly least: number
  readonly windowMs: number
}

interface Window {
  count: number
  /** Events of which the share is taken. */
  all: number
}

interface State {
  /** By their number since the epoch. */
  readonly windows: Map<number, Window>
  /** The last events that count. */
  readonly sightings: Sighting[]
}

/**
 * Many times what is usual. Time is cut into windows since the epoch; the one that an event falls into is compared with the
 * mean of those before it. Nothing is usual before half of those have had any events, and a share is not before they
 * have had as many as a window has to have.
 */
export function jumpWatch({ matches, of, factor, windows, least, windowMs }: JumpTerms): Watch {
  const keys = new KeyTable<State>(
    capacityOf(windows * 4 + evidenceMax),
    ({ windows: held }) => held.size * 2 >= windows,
  )
  return {
    pastMs: windowMs * (windows + 1),
    see(event, seq, key) {
      let state = keys.get(key)
      if (state === undefined) {
        state = { windows: new Map(), sightings: [] }
        keys.set(key, state)
      }
      const number = Math.floor(event.at / windowMs)
      const counts = matches(event)
      const window = windowOf(state.windows, number, windows)
      if (of === undefined || of(event)) window.all++
      if (!counts) return undefined
      window.count++
      state.sightings.push({ seq, at: event.at })
      if (state.sightings.length > evidenceMax) state.sightings.shift()
      if (window.count < least) return undefined
      const before = { count: 0, all: 0, held: 0, since: number }
      for (const [at, { count, all }] of state.windows) {
        if (at >= number || at < number - windows) continue
        before.count += count
        before.all += all
        before.held++
        before.since = Math.min(before.since, at)
      }
      if (before.held * 2 < windows) return undefined
      if (of !== undefined && before.all < least) return undefined
      const known = number - before.since // of what was before the first of them nothing is known
      const usual = of === undefined ? before.count / known : Math.max(before.count, 1) / before.all
      // Multiplied out: three times a tenth is three tenths.
      const isMore =
        of === undefined
          ? window.count * known >= factor * before.count
          : window.count * before.all >= factor * Math.max(before.count, 1) * window.all
      if (!isMore) return undefined
      const from = number * windowMs
      const sightings = state.sightings.filter(({ at }) => at >= from && at < from + windowMs)
      return {
        sightings,
        count: window.count,
        text: of === undefined ? numbers(window.count, usual) : shares(window.count / window.all, usual),
      }
    },
    forgive: (key) => keys.delete(key),
    clear: () => keys.clear(),
    get size() {
      return keys.size
    },
  }
}

const evidenceMax = 100

function windowOf(held: Map<number, Window>, number: number, windows: number): Window {
  let window = held.get(number)
  if (window !== undefined) return window
  // Also those to come, where the clock was put back by more than all of them.
  for (const other of held.keys()) if (other < number - windows - 1 || other > number + windows) held.delete(other)
  window = { count: 0, all: 0 }
  held.set(number, window)
  return window
}

function numbers(now: number, usual: number): string {
  return `${now} events, where ${usual.toFixed(1)} are usual`
}

function shares(now: number, usual: number): string {
  return `${(now * 100).toFixed(1)} % of all, where ${(usual * 100).toFixed(1)} % are usual`
}
