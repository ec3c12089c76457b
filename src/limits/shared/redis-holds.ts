import { base64url } from '../../kernel/bytes.ts'
import type { Random } from '../../kernel/id.ts'
import type { Redis } from '../../store/redis.ts'
import { holdMs } from './redis-counts.ts'
import { refreshScript } from './redis-script.ts'

/** Before Redis is told again of what is still held. */
export const refreshMs = holdMs / 3
/** Holds that it is told of in one program, so that it does not serve one node for too long. */
const atOnceMax = 200

/**
 * What requests that are under way hold of `concurrency`. Redis forgets a hold that it is not told of again: so a node that
 * dies gives back what it held.
 */
export class Holds {
  readonly #redis: Redis
  readonly #random: Random
  readonly #held = new Map<string, Hold>()

  constructor(redis: Redis, random: Random) {
    this.#redis = redis
    this.#random = random
  }

  newId(): string {
    return base64url(this.#random.bytes(12))
  }

  /** Something is held from now on, until what is answered is called. */
  keep(id: string, key: string, cost: number): () => void {
    this.#held.set(id, { key, cost })
    return () => {
      if (this.#held.delete(id)) this.letGo(id, key, cost)
    }
  }

  /** Of what may have been taken, too: an answer that came too late is no reason to hold anything. */
  letGo(id: string, key: string, cost: number): void {
    this.#redis.tell(
      'ZREM',
      key,
      Array.from({ length: cost }, (_, unit) => `${id}:${unit + 1}`),
    )
  }

  /** Throws where Redis does not answer; then it forgets, unless it is told before `holdMs` is over. */
  async refresh(): Promise<void> {
    const held = [...this.#held]
    for (let from = 0; from < held.length; from += atOnceMax) {
      // What was given back since must not be held anew.
      const some = held.slice(from, from + atOnceMax).filter(([id]) => this.#held.has(id))
      if (some.length === 0) continue
      await this.#redis.run(
        refreshScript,
        some.map(([, { key }]) => key),
        [String(holdMs * 1_000), ...some.flatMap(([id, { cost }]) => [id, String(cost)])],
      )
    }
  }
}

interface Hold {
  readonly key: string
  readonly cost: number
}
