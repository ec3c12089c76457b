import type { Clock } from '../../kernel/clock.ts'

/** Whose, and what, a cut-off makes void. `subject` is '' for everything. */
export type CutKind = 'user' | 'client' | 'everything'

/** How much longer than a token's life an end is remembered: a refresh that was under way issues one more, a moment after it. */
export const tokenSlackMs = 60_000

/** What is known of a credential that somebody presents. */
export interface Presented {
  /** `sid` */
  readonly session: string
  /** `jti` */
  readonly tokenId: string
  readonly subject: string
  readonly client: string | undefined
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

/**
 * What has ended while access tokens of it may still be alive: sessions and single tokens by name, and everything of a person,
 * of a client or of the house by a moment. Asked in memory; an entry goes when the last token that it stands against has run
 * out, so there are never more than ended within one token's life.
 */
export class Revocations {
  readonly #clock: Clock
  readonly #keepMs: number
  /** `sid` or `jti` → when it may be forgotten. */
  readonly #ended = new Map<string, number>()
  /** Kind and subject → the moment, and when that may be forgotten. */
  readonly #cuts = new Map<string, { readonly at: number; readonly until: number }>()
  #epoch = 0
  #sweepAt = 0

  constructor({ clock, ttlMs }: { readonly clock: Clock; readonly ttlMs: number }) {
    this.#clock = clock
    this.#keepMs = ttlMs + tokenSlackMs
  }

  /** From now on every access token of this session is refused. */
  endSession(id: string, endedAt = this.#clock.now()): void {
    this.#end(id, endedAt + this.#keepMs)
  }

  /** From now on this one access token is refused, by its `jti`. One that has run out already is no error. */
  endToken(jti: string, expiresAtMs: number): void {
    this.#end(jti, Math.min(expiresAtMs, this.#clock.now() + this.#keepMs))
  }

  /**
   * From now on whatever was issued to them at or before this moment is refused, and whatever belongs to a session from before it.
   * Sessions from long before can have tokens of just now: then it stands until `untilMs`.
   */
  cut(kind: CutKind, subject: string, atMs: number, untilMs = atMs + this.#keepMs): void {
    const name = cutName(kind, subject)
    const known = this.#cuts.get(name) ?? { at: Number.NEGATIVE_INFINITY, until: 0 }
    if (untilMs <= this.#clock.now() || (known.at >= atMs && known.until >= untilMs)) return
    this.#sweep()
    this.#cuts.set(name, { at: Math.max(known.at, atMs), until: Math.max(known.until, untilMs) })
    this.#epoch++
  }

  isRevoked(presented: Presented): boolean {
    const now = this.#clock.now()
    const { session, tokenId, subject, client } = presented
    if (this.#stands(session, now) || this.#stands(tokenId, now)) return true
    if (this.#cuts.size === 0) return false
    return (
      this.#isCut('everything', '', presented) ||
      this.#isCut('user', subject, presented) ||
      (client !== undefined && this.#isCut('client', client, presented))
    )
  }

  /** Rises with every end: what was not revoked at this epoch is not revoked as long as it stands. */
  get epoch(): number {
    return this.#epoch
  }

  get size(): number {
    return this.#ended.size + this.#cuts.size
  }

  #end(id: string, until: number): void {
    const now = this.#clock.now()
    // What is heard again is no news: no cached verdict has to be asked for it.
    if (until <= now || (this.#ended.get(id) ?? 0) >= until) return
    this.#sweep()
    this.#ended.set(id, until)
    this.#epoch++
  }

  #stands(id: string, now: number): boolean {
    return (this.#ended.get(id) ?? 0) > now
  }

  /**
   * The session counts as well as the token: a refresh that was under way when its session ended issues one more, a moment
   * after the cut.
   */
  #isCut(kind: CutKind, subject: string, { session, tokenId, issuedAt }: Presented): boolean {
    const cut = this.#cuts.get(cutName(kind, subject))
    if (cut === undefined) return false
    return (momentOf(tokenId) ?? issuedAt * 1000) <= cut.at || (momentOf(session) ?? Number.POSITIVE_INFINITY) <= cut.at
  }

  #sweep(): void {
    const now = this.#clock.now()
    if (now < this.#sweepAt) return
    this.#sweepAt = now + sweepEveryMs
    for (const [id, until] of this.#ended) if (until <= now) this.#ended.delete(id)
    for (const [name, { until }] of this.#cuts) if (until <= now) this.#cuts.delete(name)
  }
}

function cutName(kind: CutKind, subject: string): string {
  return `${kind} ${subject}`
}

/** The moment in a UUID of version 7 (RFC 9562 §5.7), in milliseconds since the epoch; undefined for another name. */
function momentOf(id: string): number | undefined {
  return uuidv7Form.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined
}

const uuidv7Form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const sweepEveryMs = 10_000
