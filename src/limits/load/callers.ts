/** What one caller holds of the places of an upstream. */
export interface Holding {
  readonly caller: string
  places: number
}

/** Who holds the places of an upstream: one caller never holds more than are left for the others, as long as there are others. */
export class Holdings {
  /** Those that are not empty: no more than there are places. */
  readonly #all = new Map<string, Holding>()
  /** Of whoever held the most when they took one. */
  #first: Holding = { caller: '', places: 0 }
  #last: string | undefined
  /** When somebody asked who was not the one before. */
  #othersAt = Number.NEGATIVE_INFINITY

  /** Of somebody who asks. */
  of(caller: string, now: number): Holding {
    if (caller !== this.#last) {
      if (this.#last !== undefined) this.#othersAt = now
      this.#last = caller
    }
    return this.#all.get(caller) ?? { caller, places: 0 }
  }

  /** Whether it is more than so many that are free. Whoever is alone may have all. */
  isGreedy({ places }: Holding, free: number, now: number): boolean {
    return places > 0 && places > free && now - this.#othersAt < aloneAfterMs
  }

  /** Of what one caller holds, what is more than half of all places: the others do not stand behind that. */
  beyondHalf(holding: Holding, places: number): number {
    return holding === this.#first ? 0 : Math.max(0, this.#first.places - places / 2)
  }

  take(holding: Holding): void {
    if (++holding.places === 1) this.#all.set(holding.caller, holding)
    if (holding.places > this.#first.places) this.#first = holding
  }

  giveBack(holding: Holding): void {
    if (--holding.places === 0) this.#all.delete(holding.caller)
  }
}

/** Somebody who asks less often than this finds the places taken by who was alone. */
const aloneAfterMs = 600_000
