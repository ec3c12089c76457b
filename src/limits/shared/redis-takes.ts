import { codeOf, type Redis, RedisFault } from '../../store/redis.ts'
import type { Algorithm, Limit } from '../limiter.ts'
import { spanMs } from './lease.ts'
import { type Answer, type Ask, holdMs } from './redis-counts.ts'
import { answeredPerClaim, kindOf, takeScript } from './redis-script.ts'

/**
 * Takes from all budgets or from none, in one round trip. Requests that come in one turn of the event loop share it: what a
 * round trip costs both ends is more than what counting does. Each is still taken by itself.
 */
export class Takes {
  readonly #redis: Redis
  #batch: Batch | undefined

  constructor(redis: Redis) {
    this.#redis = redis
  }

  /** Throws a `RedisFault` where no answer comes, or one that is none. */
  take(asks: readonly Ask[]): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      const batch = this.#batch ?? this.#open()
      batch.add({ asks, resolve, reject })
      if (batch.units >= unitsAtOnce) this.#send(batch)
    })
  }

  #open(): Batch {
    const batch = new Batch()
    this.#batch = batch
    setImmediate(() => this.#send(batch))
    return batch
  }

  #send(batch: Batch): void {
    if (batch.isSent) return
    if (batch === this.#batch) this.#batch = undefined
    void batch.send(this.#redis)
  }
}

/**
 * A round trip with so many units is sent without waiting for more. With more of them nothing is won: Redis has begun while the
 * next are gathered, and does not serve one node for too long.
 */
const unitsAtOnce = 32

interface Waiting {
  readonly asks: readonly Ask[]
  readonly resolve: (answers: Answer[]) => void
  readonly reject: (error: unknown) => void
}

/** Requests on their way to Redis together. */
class Batch {
  /** What there is to write down: of some kinds each unit by itself. */
  units = 0
  isSent = false
  readonly #waiting: Waiting[] = []
  readonly #keys: string[] = []
  readonly #algorithms = new Set<Algorithm>()
  readonly #limits: string[] = []
  /** Where each limit is among what is sent, behind the place of the first request. */
  readonly #places = new Map<Limit, string>()
  readonly #requests: string[] = []

  add(waiting: Waiting): void {
    const { asks } = waiting
    this.#waiting.push(waiting)
    this.#requests.push(String(asks.length))
    for (const { claim, key, lease, hold } of asks) {
      const { limit, cost } = claim
      this.#keys.push(key)
      this.#requests.push(this.#places.get(limit) ?? this.#add(limit), String(cost), hold ?? String(lease))
      this.units += limit.algorithm === 'log' || limit.algorithm === 'concurrency' ? cost : 1
    }
  }

  async send(redis: Redis): Promise<void> {
    this.isSent = true
    const args = [String(this.#limits.length + firstPlace), ...this.#limits, ...this.#requests]
    let answer: unknown
    try {
      answer = await redis.run(takeScript(this.#algorithms), this.#keys, args)
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error)
      return
    }
    this.#settle(answer)
  }

  #add(limit: Limit): string {
    const { algorithm, windowMs, burst } = limit
    const lastsMs = algorithm === 'concurrency' ? holdMs : spanMs(limit)
    const place = String(this.#limits.length + firstPlace)
    this.#places.set(limit, place)
    this.#algorithms.add(algorithm)
    this.#limits.push(
      kindOf[algorithm],
      String(limit.limit),
      String(windowMs * 1_000),
      String(burst),
      String(Math.floor(lastsMs * 1_000)),
    )
    return place
  }

  #settle(answer: unknown): void {
    const [numbers, ...faults] = Array.isArray(answer) ? (answer as unknown[]) : []
    // Whatever answers in the place of Redis: what is no answer of our program is a fault, and nobody's refusal.
    const isWhole = Buffer.isBuffer(numbers) && numbers.length === this.#keys.length * answerBytes
    const notUnderstood = new RedisFault('the answer was not understood')
    let at = 0
    for (const { asks, resolve, reject } of this.#waiting) {
      if (isWhole && numbers.readDoubleLE(at) === failed) {
        reject(new RedisFault(codeOf(String(faults.shift())) ?? 'it failed'))
      } else {
        const answers = isWhole ? answersTo(asks, numbers, at) : undefined
        if (answers === undefined) reject(notUnderstood)
        else resolve(answers)
      }
      at += asks.length * answerBytes
    }
  }
}

/** Lua counts from 1, and there is the place of the first request. */
const firstPlace = 2
const failed = -1
const numberBytes = 8
const answerBytes = answeredPerClaim * numberBytes

function answersTo(asks: readonly Ask[], numbers: Buffer, from: number): Answer[] | undefined {
  for (let at = from; at < from + asks.length * answerBytes; at += numberBytes) {
    const number = numbers.readDoubleLE(at)
    if (!Number.isSafeInteger(number) || number < 0) return undefined
  }
  return asks.map(({ claim }, index) => answerOf(claim.limit, numbers, from + index * answerBytes))
}

function answerOf(limit: Limit, numbers: Buffer, at: number): Answer {
  const numberAt = (place: number): number => numbers.readDoubleLE(at + place * numberBytes)
  const waitUs = numberAt(0)
  return {
    allowance: {
      allowed: waitUs === 0,
      limit,
      remaining: numberAt(1),
      resetMs: numberAt(2) / 1_000,
      retryAfterMs: waitUs / 1_000,
      release: undefined,
    },
    leased: numberAt(3),
    leasedMs: numberAt(4) / 1_000,
  }
}
