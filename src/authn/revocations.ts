import type { Clock } from '../kernel/clock.ts'

/**
 * Sessions that have ended while access tokens of theirs may still be alive. Asked on every request, so it is a lookup in
 * memory; an entry goes when the last token of its session has run out, so there are never more than sessions that ended
 * within one token's life.
 */
export class Revocations {
  readonly #clock: Clock
  readonly #ttlMs: number
  /** Session → when its last access token runs out. In order of ending, and so of running out. */
  readonly #ended = new Map<string, number>()

  constructor({ clock, ttlMs }: { readonly clock: Clock; readonly ttlMs: number }) {
    this.#clock = clock
    this.#ttlMs = ttlMs
  }

  /** From now on every access token of this session is refused. */
  endSession(id: string, endedAt = this.#clock.now()): void {
    this.#sweep()
    this.#ended.delete(id)
    this.#ended.set(id, endedAt + this.#ttlMs)
  }

  /** Takes over what ended before this process began. */
  load(sessions: readonly { readonly id: string; readonly endedAt: number }[]): void {
    for (const { id, endedAt } of sessions.toSorted((a, b) => a.endedAt - b.endedAt)) this.endSession(id, endedAt)
  }

  isEnded(session: string): boolean {
    return this.#ended.has(session)
  }

  get size(): number {
    return this.#ended.size
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [id, until] of this.#ended) {
      if (until > now) return
      this.#ended.delete(id)
    }
  }
}
