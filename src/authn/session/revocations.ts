import type { Clock } from '../../kernel/clock.ts'

/**
 * Sessions and single tokens that have ended while access tokens of theirs may still be alive. Asked on every request, so
 * it is a lookup in memory; an entry goes when the last token that it stands against has run out, so there are never more
 * than ended within one token's life.
 */
export class Revocations {
  readonly #clock: Clock
  readonly #keepMs: number
  /** `sid` or `jti` → when it may be forgotten. In order of ending, and so of being forgotten. */
  readonly #ended = new Map<string, number>()
  #epoch = 0

  constructor({ clock, ttlMs }: { readonly clock: Clock; readonly ttlMs: number }) {
    this.#clock = clock
    this.#keepMs = ttlMs + slackMs
  }

  /** From now on every access token of this session is refused. */
  endSession(id: string, endedAt = this.#clock.now()): void {
    this.#end(id, endedAt)
  }

  /** From now on this one access token is refused, by its `jti`. One that has run out already is no error. */
  endToken(jti: string): void {
    this.#end(jti, this.#clock.now())
  }

  /** Takes over what ended before this process began. */
  load(sessions: readonly { readonly id: string; readonly endedAt: number }[]): void {
    for (const { id, endedAt } of sessions.toSorted((a, b) => a.endedAt - b.endedAt)) this.#end(id, endedAt)
  }

  isRevoked(session: string, jti: string): boolean {
    return this.#ended.has(session) || this.#ended.has(jti)
  }

  /** Rises with every end: what was not revoked at this epoch is not revoked as long as it stands. */
  get epoch(): number {
    return this.#epoch
  }

  get size(): number {
    return this.#ended.size
  }

  #end(id: string, endedAt: number): void {
    this.#sweep()
    this.#ended.delete(id) // so that it goes to the end of the order
    this.#ended.set(id, endedAt + this.#keepMs)
    this.#epoch++
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [id, until] of this.#ended) {
      if (until > now) return
      this.#ended.delete(id)
    }
  }
}

/** A refresh that was under way when its session ended issues one more token, a moment after the end. */
const slackMs = 60_000
