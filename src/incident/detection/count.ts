import { KeyTable } from './key-table.ts'
import { insert, type Sighting } from './sightings.ts'
import { capacityOf, type Watch } from './watch.ts'

/** So many events within a window: exact, by the last `threshold` events of each key. */
export function countWatch(threshold: number, windowMs: number): Watch {
  const keys = new KeyTable<Sighting[]>(capacityOf(threshold), ({ length }) => length * 2 >= threshold)
  return {
    pastMs: windowMs,
    see({ at }, seq, key) {
      let seen = keys.get(key)
      if (seen === undefined) {
        seen = []
        keys.set(key, seen)
      }
      insert(seen, { seq, at }, threshold)
      const [first] = seen
      const last = seen.at(-1)
      if (seen.length < threshold || first === undefined || last === undefined) return undefined
      if (last.at - first.at >= windowMs) return undefined
      return { sightings: seen, count: seen.length, text: threshold === 1 ? 'one event' : `${threshold} events` }
    },
    forgive: (key) => keys.delete(key),
    clear: () => keys.clear(),
    get size() {
      return keys.size
    },
  }
}
