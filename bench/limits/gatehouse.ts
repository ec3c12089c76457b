// Gatehouse: the counters of a house, on one thread of it; or its shared count, in front of them.
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { counterBytesDefault, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Limit, Limiter } from '../../src/limits/limiter.ts'
import { sharedOptions } from '../../src/limits/shared/options.ts'
import { openShared } from '../../src/limits/shared/shared.ts'
import { ampleFor, five, type Ready } from './contestants.ts'

export const ready: Ready = async ({ store, algorithm, keys, redis }, { leases = false }) => {
  const local = openCounters(counterMemory(counterBytesDefault, systemRandom), systemClock, { alone: true })
  const shared =
    store === 'memory'
      ? undefined
      : await openShared(sharedOptions.parse({ url: redis.url, prefix: redis.prefix, timeout: '1s', leases }), {
          local,
          clock: systemClock,
          random: systemRandom,
          password: undefined,
          salt: 'bench',
          onChange: ({ reachable }) => {
            if (!reachable) throw new Error('Redis went away')
          },
        })
  const limiter: Limiter = shared ?? local
  const limitOf = (name: string, most: number): Limit => {
    return { name, algorithm, limit: most, windowMs: 3_600_000, burst: most, whenDown: 'closed' }
  }
  const limits = { ample: limitOf('ample', ampleFor(keys)), five: limitOf('five', five) }
  const names = Array.from({ length: keys }, (_, caller) => `user-${caller}`)
  return {
    take(limit, caller) {
      const taking = limiter.take([{ limit: limits[limit], key: names[caller] as string, cost: 1 }])
      if (taking instanceof Promise) return taking.then((late) => late !== 'uncounted' && late.allowed)
      return taking !== 'uncounted' && taking.allowed
    },
    close: async () => shared?.close(),
  }
}
