import type { Clock } from '../kernel/clock.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Random } from '../kernel/id.ts'
import { networkList } from '../kernel/ip.ts'
import type { Log } from '../kernel/log.ts'
import { repeat } from '../kernel/task.ts'
import { type Limit, type Limiter, type Taking, uncounted } from '../limits/limiter.ts'
import { logMax } from '../limits/options.ts'
import { compileAddresses } from './addresses.ts'
import type { BlockBook, StandingBlock } from './block-book.ts'
import { DenyFiles } from './deny-files.ts'
import type { ShieldOptions } from './options.ts'
import { compileUserAgents } from './user-agents.ts'

/** What is asked of an address before anybody is known. It knows nothing of HTTP. */
export interface Shield {
  /**
   * Whether a request may come, or why not: the lists, the blocks, what the program calls itself, and how often the address has
   * asked; it is counted by that. It waits only where requests are counted somewhere else. `key` is what limits count the address
   * by (`limitKey`), `path` the one that is routed.
   */
  admits(
    address: string,
    key: string,
    userAgent: string | undefined,
    path: string,
  ): Refusal | undefined | Promise<Refusal | undefined>
  /** Whether nothing of it is asked of such a request, and it is not shed either. */
  exempts(address: string, path: string): boolean
  /** Looks for changed files no more. */
  close(): Promise<void>
}

export interface ShieldParts {
  readonly options: ShieldOptions
  readonly blocks: BlockBook
  /** Counts for the thresholds. */
  readonly limiter: Limiter
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Opens the shield of one configuration. Throws a `Fault` where a list of it cannot be read. */
export async function openShield({ options, blocks, limiter, clock, random, log }: ShieldParts): Promise<Shield> {
  const { addresses, rate, userAgents, exempt } = options
  const files =
    addresses?.denyFiles === undefined ? undefined : await DenyFiles.open(addresses.denyFiles, { random, log })
  const mayCome = compileAddresses(addresses)
  const isRefused = userAgents && compileUserAgents(userAgents)
  const thresholds = rate?.thresholds.map(thresholdOf) ?? []
  const isExempt = compileExempt(exempt)
  const looking = files && repeat('look for changed deny files', lookEveryMs, log, () => files.look())

  return {
    admits(address, key, userAgent, path) {
      if (isExempt(address, path)) return undefined
      if (mayCome?.(address) === false || files?.contains(address) === true) return refuse('address-not-allowed')
      const block = blocks.standing(address, key)
      if (block !== undefined) return blocked(block)
      if (isRefused?.(userAgent) === true) return unwelcome
      if (rate === undefined) return undefined
      const taking = limiter.take(thresholds.map((limit) => ({ limit, key: `shield ${key}`, cost: 1 })))
      return taking instanceof Promise
        ? taking.then((late) => settle(address, key, rate.block, late))
        : settle(address, key, rate.block, taking)
    },
    exempts: isExempt,
    close: async () => looking?.stop(),
  }

  /** Whoever went over a threshold is blocked from now on. That requests cannot be counted is no fault of theirs. */
  function settle(address: string, key: string, blockMs: number, taking: Taking): Refusal | undefined {
    if (taking === uncounted || taking.allowed) return undefined
    const { limit, windowMs } = taking.limit
    const block = blocks.block(address, key, `over ${limit} requests in ${windowMs / 1000} s`, blockMs)
    if (block !== undefined) return blocked(block)
    return refuse('rate-limited', { retryAfterMs: taking.retryAfterMs, reason: 'the address could not be read' })
  }

  function blocked({ source, reason, until }: StandingBlock): Refusal {
    const when = until === undefined ? '' : ` until ${new Date(until).toISOString()}`
    return refuse('address-blocked', {
      detail: `this address is blocked${when}: ${reason}`,
      ...(until === undefined ? {} : { retryAfterMs: until - clock.now() }),
      reason: `blocked by ${source}`,
    })
  }
}

const unwelcome = refuse('user-agent-refused')
const lookEveryMs = 1_000

/** A threshold remembers each request where it can: nobody is blocked who has not gone over it. */
function thresholdOf({ limit, window }: { readonly limit: number; readonly window: number }): Limit {
  return {
    // Another number, another count: what was counted towards the one before it is no promise.
    name: `shield ${limit} in ${window} ms`,
    algorithm: limit <= logMax ? 'log' : 'sliding',
    limit,
    windowMs: window,
    burst: limit,
    whenDown: 'local',
  }
}

function compileExempt({ paths, addresses }: ShieldOptions['exempt']): (address: string, path: string) => boolean {
  const exact = new Set(paths.filter((path) => !path.endsWith('/*')))
  const below = paths.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1))
  const isFriend = networkList(addresses)
  return (address, path) =>
    exact.has(path) || below.some((beginning) => path.startsWith(beginning)) || isFriend(address)
}
