import { KeyedHash } from '../kernel/keyed-hash.ts'
import type { Crowd } from './crowd.ts'

/** The memory of a crowd that all threads count in. */
export function crowdMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(places * Int32Array.BYTES_PER_ELEMENT)
}

/**
 * Counts in memory that all threads share. Each key has a place by its hash, which nobody can foresee who does not know
 * `hashKey`; two that come to one place share what one may hold. So it errs on the strict side alone, and hardly ever: there
 * are as many places as one machine has ports.
 */
export function openSharedCrowd(max: number, memory: SharedArrayBuffer, hashKey: Uint8Array): Crowd {
  const held = new Int32Array(memory)
  const hash = new KeyedHash(hashKey)
  return {
    hold(key) {
      hash.of(key)
      const place = hash.low & (places - 1)
      // Taken first and given back where it was too much: two threads at once never let one more in than there may be.
      if (Atomics.add(held, place, 1) >= max) {
        Atomics.sub(held, place, 1)
        return undefined
      }
      let holds = true
      return () => {
        if (holds) Atomics.sub(held, place, 1)
        holds = false
      }
    },
  }
}

const places = 65_536
