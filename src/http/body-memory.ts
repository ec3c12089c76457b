/**
 * How much memory bodies may take that are read whole before they go on: all of them together, and those of one caller.
 * Whoever sends many large bodies slowly holds their own share, and not everybody's.
 */
export class BodyMemory {
  readonly #bytesMax: number
  readonly #byCaller = new Map<string, number>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#bytes
  }

  /** An account for one body of a caller. */
  open(caller: string): BodyAccount {
    let own = 0
    return {
      take: (bytes) => {
        const ofCaller = this.#byCaller.get(caller) ?? 0
        // A body that is alone may be as large as its route allows; several of one caller share a quarter.
        const crowded = ofCaller > own && ofCaller + bytes > this.#bytesMax / 4
        if (crowded || this.#bytes + bytes > this.#bytesMax) return false
        own += bytes
        this.#bytes += bytes
        this.#byCaller.set(caller, ofCaller + bytes)
        return true
      },
      close: () => {
        if (own === 0) return
        const left = (this.#byCaller.get(caller) ?? 0) - own
        if (left > 0) this.#byCaller.set(caller, left)
        else this.#byCaller.delete(caller)
        this.#bytes -= own
        own = 0
      },
    }
  }
}

export interface BodyAccount {
  /** Whether there is room for more of it; then it is taken. */
  take(bytes: number): boolean
  /** Gives all of it back. */
  close(): void
}
