import { hash } from 'node:crypto'
import type { Reader } from './fields.ts'
import { KeyTable } from './key-table.ts'
import { disorderMs, type Sighting } from './sightings.ts'
import { capacityOf, type Watch } from './watch.ts'

/**
 * So many different values within a window, of each reader: exact, by the values of each key that were seen last. What an event
 * forgives are its own values: nobody's success makes up for what was tried elsewhere.
 */
export function distinctWatch(readers: readonly Reader[], threshold: number, windowMs: number): Watch {
  const keys = new KeyTable<readonly Map<string, Sighting>[]>(capacityOf(threshold * readers.length), (sets) =>
    sets.every(({ size }) => size * 2 >= threshold),
  )
  return {
    pastMs: windowMs,
    see(event, seq, key) {
      const values = readers.map((read) => read(event))
      if (values.every((value) => value === '')) return undefined
      let sets = keys.get(key)
      if (sets === undefined) {
        sets = readers.map(() => new Map())
        keys.set(key, sets)
      }
      for (const [index, value] of values.entries())
        if (value !== '') add(sets[index] as Map<string, Sighting>, short(value), { seq, at: event.at }, threshold)
      for (const set of sets) {
        if (set.size < threshold) return undefined
        let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
        for (const { at } of set.values()) {
          if (at < first) first = at
          if (at > last) last = at
        }
        if (last - first >= windowMs) return undefined
      }
      const places = new Map(sets.flatMap((set) => [...set.values()].map((sighting) => [sighting.seq, sighting])))
      const sightings = [...places.values()].toSorted((a, b) => a.seq - b.seq)
      return { sightings, count: sightings.length, text: `${threshold} different ones` }
    },
    forgive(key, event) {
      const sets = keys.get(key)
      for (const [index, read] of readers.entries()) sets?.[index]?.delete(short(read(event)))
    },
    clear: () => keys.clear(),
    get size() {
      return keys.size
    },
  }
}

/** The values stand in the order in which they were seen last; the one that was not seen for longest goes. */
function add(set: Map<string, Sighting>, value: string, sighting: Sighting, most: number): void {
  const before = set.get(value)
  set.delete(value)
  // Events out of order leave the later moment; a clock that was put back leaves the moment that it is now.
  const later = before !== undefined && before.at > sighting.at && before.at - sighting.at <= disorderMs
  const kept = later ? before : sighting
  if (kept.at < newestOf(set) - disorderMs)
    for (const [value, { seq, at }] of set) set.set(value, { seq, at: Math.min(at, kept.at) })
  set.set(value, kept)
  if (set.size <= most) return
  let oldest: string | undefined
  let oldestAt = Number.POSITIVE_INFINITY
  for (const [value, { at }] of set) if (at < oldestAt) [oldest, oldestAt] = [value, at]
  if (oldest !== undefined) set.delete(oldest)
}

function newestOf(set: ReadonlyMap<string, Sighting>): number {
  let newest = Number.NEGATIVE_INFINITY
  for (const { at } of set.values()) if (at > newest) newest = at
  return newest
}

/** Values may be long, and are held by the thousand. */
function short(value: string): string {
  return value.length <= 40 ? value : hash('sha256', value, 'base64url')
}
