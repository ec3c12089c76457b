import type { Clock } from '../../kernel/clock.ts'
import { type Redis, RedisFault } from '../../store/redis.ts'
import { beatScript } from './redis-script.ts'

/** How the count that all nodes share can be had. */
export interface LinkState {
  readonly reachable: boolean
  /** Wall time of the change. */
  readonly sinceMs: number
  /** Round trips that had failed by then, since the last sign of life. */
  readonly failures: number
  /** Why it went, in half a sentence; of what has returned, why it had gone. */
  readonly reason: string
}

/** Failures in a row after which nobody is sent any more. */
const failuresMax = 3
const beatMs = 2_000
const probeMs = 1_000
/** One that is lost sooner than this after it was found comes and goes: each time it stays away for twice as long, up to the most. */
const steadyMs = 10_000
const awayMsMax = 30_000
/** So long a node that says nothing is believed to live. */
const lifeMs = 5 * beatMs
/** The most nodes that were seen in this time are how many there are. */
const memoryMs = 60_000

/**
 * Whether Redis is to be asked (a circuit breaker), and how many nodes there are. It speaks to Redis beside the requests,
 * every few seconds: each time that is a sign of life, and while Redis is away the one try by which it is found again.
 */
export class Link {
  readonly #redis: Redis
  readonly #clock: Clock
  readonly #key: string
  readonly #node: string
  readonly #onChange: (state: LinkState) => void
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #closed = false
  #reachable = false
  /** What was last told of it. Before the first word everybody believes the best. */
  #told = true
  #inARow = 0
  #fault: RedisFault | undefined
  #failures = 0
  #reason = ''
  #foundAt = Number.NEGATIVE_INFINITY
  /** Lost again soon after it was found: it is believed again after so long, and not before that moment. */
  #awayMs = 0
  #backAtMs = 0
  #seen: { readonly atMs: number; readonly nodes: number }[] = []

  constructor(
    redis: Redis,
    {
      clock,
      key,
      node,
      onChange,
    }: {
      readonly clock: Clock
      /** Where nodes sign. */
      readonly key: string
      readonly node: string
      readonly onChange: (state: LinkState) => void
    },
  ) {
    this.#redis = redis
    this.#clock = clock
    this.#key = key
    this.#node = node
    this.#onChange = onChange
  }

  get reachable(): boolean {
    return this.#reachable
  }

  /** Nodes of the house that lived when that was last known; at least this one. */
  get nodes(): number {
    return Math.max(1, ...this.#seen.map(({ nodes }) => nodes))
  }

  /** A round trip gave an answer. One that ends while Redis counts as away changes nothing: it may have begun before. */
  answered(): void {
    if (this.#reachable) this.#inARow = 0
  }

  /** A round trip without an answer, of which everybody tells who was on it. */
  failed(fault: RedisFault): void {
    if (fault === this.#fault) return
    this.#fault = fault
    this.#failures++
    this.#inARow++
    if (!this.#reachable || this.#inARow >= failuresMax || fault.gone) this.lost(fault.message)
  }

  /** Nobody is sent any more, until a beat gets through. */
  lost(reason: string): void {
    if (this.#closed) return
    this.#reachable = false
    if (!this.#told) return
    const now = this.#clock.monotonic()
    const again = now - this.#foundAt < steadyMs
    this.#awayMs = again ? Math.min(awayMsMax, Math.max(probeMs, 2 * this.#awayMs)) : 0
    this.#backAtMs = now + this.#awayMs
    this.#reason = reason
    this.#schedule(probeMs)
    this.#tell()
  }

  /** Says that this node lives, and learns how many do. Never two at once; never throws. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
      this.#schedule(this.#reachable ? beatMs : probeMs)
    })
    return this.#beating
  }

  /** Takes this node from the list, unless the others have to find that out. */
  close(): void {
    this.#closed = true
    this.#reachable = false
    clearTimeout(this.#timer)
    this.#redis.tell('ZREM', this.#key, [this.#node])
  }

  async #beat(): Promise<void> {
    let nodes: unknown
    try {
      nodes = await this.#redis.run(beatScript, [this.#key], [this.#node, String(lifeMs * 1_000)])
    } catch (error) {
      this.failed(error as RedisFault)
      return
    }
    if (this.#closed) return
    if (typeof nodes !== 'number' || !Number.isSafeInteger(nodes) || nodes < 1)
      return this.failed(new RedisFault('the answer was not understood'))
    const now = this.#clock.monotonic()
    this.#seen = [...this.#seen.filter(({ atMs }) => now - atMs < memoryMs), { atMs: now, nodes }]
    if (now < this.#backAtMs) return
    this.#inARow = 0
    this.#reachable = true
    if (!this.#told) {
      this.#foundAt = now
      this.#tell()
    }
    this.#failures = 0
  }

  #tell(): void {
    this.#told = this.#reachable
    this.#onChange({
      reachable: this.#reachable,
      sinceMs: this.#clock.now(),
      failures: this.#failures,
      reason: this.#reason,
    })
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#closed) this.#timer = setTimeout(() => void this.beat(), ms).unref()
  }
}
