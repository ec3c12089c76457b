import type { Category } from './category.ts'

/** Somebody who judges texts: a list of words, or a model behind an address. */
export interface Moderator {
  readonly name: string
  /** Throws `ModeratorFault` where it cannot say. Texts come in an order, and are answered by their index. */
  check(texts: readonly string[], signal: AbortSignal): Promise<readonly Flag[]>
  close(): Promise<void>
}

export interface Flag {
  readonly index: number
  readonly category: Category
  /** How sure, from 0 to 1. */
  readonly score: number
  /** The moderator itself has decided so, by thresholds of its own: it counts wherever the configuration names none. */
  readonly decided?: boolean
}

/** Why somebody who was asked did not say: half a sentence without any of the texts. */
export class ModeratorFault extends Error {
  /** When it wants to be asked again at the earliest. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs = 0) {
    super(message)
    this.name = 'ModeratorFault'
    this.retryAfterMs = retryAfterMs
  }
}
