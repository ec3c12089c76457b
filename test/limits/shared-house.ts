import type { TestContext } from 'node:test'
import type { z } from 'zod'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Secret } from '../../src/kernel/secret.ts'
import { counterBytesMin, counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Allowance, Limit, Taking } from '../../src/limits/limiter.ts'
import type { LinkState } from '../../src/limits/shared/link.ts'
import { sharedOptions } from '../../src/limits/shared/options.ts'
import { openShared, type SharedLimiter } from '../../src/limits/shared/shared.ts'
import { openRedis, script } from '../../src/store/redis.ts'

export interface SharedNode {
  readonly limiter: SharedLimiter
  /** What was told of Redis coming and going. */
  readonly told: LinkState[]
}

/** One node of a house. With a clock of a test, Redis is told by it what time it is; otherwise it has its own. */
export async function sharedNode(
  context: TestContext,
  options: z.input<typeof sharedOptions>,
  { clock, password }: { readonly clock?: Clock; readonly password?: Secret } = {},
): Promise<SharedNode> {
  const told: LinkState[] = []
  const limiter = await openShared(sharedOptions.parse(options), {
    local: openCounters(counterMemory(counterBytesMin, systemRandom), clock ?? systemClock, { alone: true }),
    clock: clock ?? systemClock,
    random: systemRandom,
    password,
    salt: 'what only the house knows',
    onChange: (state) => told.push(state),
    ...(clock === undefined ? {} : { connect: connectAt(clock) }),
  })
  context.after(() => limiter.close())
  return { limiter, told }
}

/** The programs as they are, but for where they have the time from. */
function connectAt(clock: Clock): typeof openRedis {
  return async (place, circumstances) => {
    // Nobody is late while time stands still.
    const redis = await openRedis(place, { ...circumstances, clock: systemClock, timeoutMs: 5_000 })
    return {
      ...redis,
      run(program, keys, args) {
        const now = clock.now()
        const told = ['{ ARGV[#ARGV - 1], ARGV[#ARGV] }', "redis.call('TIME')"] as const
        const text = program.text.replace(told[1], told[0])
        if (text === program.text) throw new Error('the program does not ask what time it is')
        const time = [String(Math.floor(now / 1_000)), String(Math.round((now % 1_000) * 1_000))]
        return redis.run(script(text), keys, [...args, ...time])
      },
    }
  }
}

export function limitOf(given: Partial<Limit>): Limit {
  const limit = given.limit ?? 10
  return {
    name: 'l',
    algorithm: 'sliding',
    limit,
    windowMs: given.algorithm === 'concurrency' ? 0 : 60_000,
    burst: limit,
    whenDown: 'local',
    ...given,
  }
}

/** What was answered, where something was counted. */
export async function counted(taking: Taking | Promise<Taking>): Promise<Allowance> {
  const answer = await taking
  if (answer === 'uncounted') throw new Error('it was not counted')
  return answer
}
