import type { Clock } from './clock.ts'

/** Counts what was changed, by topic, for all threads that share its memory. Whoever has heard up to a count knows all before it. */
export class Epoch {
  readonly topics: number
  /** The whole count, and then one for each topic. They wrap around: two are the same or they are not, and none is later. */
  readonly #counts: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#counts = new Int32Array(memory)
    this.topics = this.#counts.length - 1
  }

  /** To be called once the change is in the store. */
  advance(topics: Iterable<number>): void {
    for (const topic of topics) Atomics.add(this.#counts, topic + 1, 1)
    // Last: whoever sees the whole count risen finds the topic risen too.
    Atomics.add(this.#counts, 0, 1)
  }

  get count(): number {
    return Atomics.load(this.#counts, 0)
  }

  countOf(topic: number): number {
    return Atomics.load(this.#counts, topic + 1)
  }
}

/** The memory of an `Epoch`. */
export function epochMemory(topics: number): SharedArrayBuffer {
  return new SharedArrayBuffer((topics + 1) * Int32Array.BYTES_PER_ELEMENT)
}

interface FollowerParts {
  readonly epoch: Epoch
  readonly clock: Clock
  /** Takes over what was changed about these topics, all of it that was there when it was called. */
  readonly hear: (topics: ReadonlySet<number>) => Promise<void>
}

/** Stays abreast of the other threads: it knows at the cost of one look whether they have changed anything. */
export class Follower {
  readonly #parts: FollowerParts
  #heard: number
  readonly #heardOf: number[]
  #round: { readonly upTo: number; readonly ended: Promise<void> } | undefined
  #next: Promise<void> | undefined
  #failure: { readonly error: unknown; readonly until: number } | undefined

  /** What is in the store when it is made counts as heard. */
  constructor(parts: FollowerParts) {
    this.#parts = parts
    const { epoch } = parts
    this.#heard = epoch.count
    this.#heardOf = Array.from({ length: epoch.topics }, (_, topic) => epoch.countOf(topic))
  }

  /**
   * Nothing to wait for where nobody has changed anything. Else it settles when all is heard that was changed before the call,
   * and rejects where it could not be: for a moment it does not ask again then, so that a store that is silent is not asked by
   * every request. Of many who ask at once, one round serves all.
   */
  catchUp(): Promise<void> | undefined {
    const { count } = this.#parts.epoch
    if (count === this.#heard) return undefined
    if (this.#failure !== undefined && this.#parts.clock.monotonic() < this.#failure.until)
      return Promise.reject(this.#failure.error)
    if (this.#round === undefined) return this.#begin()
    if (this.#round.upTo === count) return this.#round.ended
    // The round under way may have read before the latest change: one more follows it, for all who came meanwhile.
    this.#next ??= this.#round.ended
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.catchUp()
      })
    return this.#next
  }

  #begin(): Promise<void> {
    const upTo = this.#parts.epoch.count
    const ended = this.#hear(upTo).finally(() => {
      this.#round = undefined
    })
    this.#round = { upTo, ended }
    return ended
  }

  async #hear(upTo: number): Promise<void> {
    const { epoch, clock, hear } = this.#parts
    // Counted before it is read: what is changed meanwhile leaves another count.
    const counts = this.#heardOf.map((_, topic) => epoch.countOf(topic))
    try {
      await hear(new Set(counts.flatMap((count, topic) => (count === this.#heardOf[topic] ? [] : [topic]))))
    } catch (error) {
      this.#failure = { error, until: clock.monotonic() + pauseMs }
      throw error
    }
    this.#failure = undefined
    for (const [topic, count] of counts.entries()) this.#heardOf[topic] = count
    this.#heard = upTo
  }
}

/** How long after a failure the next try waits. */
const pauseMs = 250
