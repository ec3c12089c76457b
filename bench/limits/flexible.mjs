// rate-limiter-flexible: its memory limiter, or its Redis limiter on one connection of ioredis. Both count in fixed windows.
import { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import { ampleFor, five } from './contestants.ts'

export const ready = async ({ store, keys, redis }) => {
  const client = store === 'redis' ? new Redis(redis.url, { enableOfflineQueue: true }) : undefined
  const limiterOf = (name, points) => {
    const options = { points, duration: 3_600, keyPrefix: `${redis.prefix}:${name}` }
    return client === undefined
      ? new RateLimiterMemory(options)
      : new RateLimiterRedis({ ...options, storeClient: client })
  }
  const limiters = { ample: limiterOf('ample', ampleFor(keys)), five: limiterOf('five', five) }
  const names = Array.from({ length: keys }, (_, caller) => `user-${caller}`)
  return {
    async take(limit, caller) {
      try {
        await limiters[limit].consume(names[caller])
        return true
      } catch (refused) {
        if (refused instanceof Error) throw refused
        return false
      }
    },
    close: async () => client?.disconnect(),
  }
}
