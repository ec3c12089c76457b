/** Whether a body that is on its way keeps coming. */
export interface BodyTerms {
  /** 0: every pace will do. */
  readonly minBytesPerSecond: number
  /** How long it may take to get going. */
  readonly bodyGrace: number
  /** Over how long its pace is measured then. */
  readonly bodyWindow: number
  /** How long it may be silent. */
  readonly requestTimeout: number
}

/** The pace of one body, looked at now and then. Its clock stands still while nobody takes what it brings. */
export class BodyPace {
  readonly #terms: BodyTerms
  #heardMs = 0
  #heardBytes = 0
  /** The window of today begins then; NaN before the first look. */
  #fromMs = Number.NaN
  #fromBytes = 0

  constructor(terms: BodyTerms) {
    this.#terms = terms
  }

  /** `bytes` are those that came so far; `due` is whether there is room for more. */
  isTooSlow(nowMs: number, bytes: number, due: boolean): boolean {
    const { minBytesPerSecond, bodyGrace, bodyWindow, requestTimeout } = this.#terms
    if (!due || Number.isNaN(this.#fromMs)) {
      this.#heardMs = nowMs
      this.#heardBytes = bytes
      this.#fromMs = nowMs + bodyGrace
      this.#fromBytes = bytes
      return false
    }
    if (bytes !== this.#heardBytes) {
      this.#heardBytes = bytes
      this.#heardMs = nowMs
    } else if (nowMs - this.#heardMs >= requestTimeout) return true
    const spanMs = nowMs - this.#fromMs
    if (spanMs < 0) this.#fromBytes = bytes // what comes within the grace is not held against it, or counted for it
    if (spanMs < bodyWindow) return false
    const tooSlow = (bytes - this.#fromBytes) * 1000 < minBytesPerSecond * spanMs
    this.#fromMs = nowMs
    this.#fromBytes = bytes
    return tooSlow
  }
}

/** Whether a reader takes what waits for it. */
export interface ReaderTerms {
  /** 0: every pace will do, as long as something is taken. */
  readonly minBytesPerSecond: number
  readonly readerTimeout: number
}

/**
 * The pace of one reader, looked at now and then. Whoever has taken all that waited when the look began is not slow: an event
 * stream that is silent owes its reader nothing, and its reader owes nothing to it.
 */
export class ReaderPace {
  readonly #terms: ReaderTerms
  #fromMs = Number.NaN
  #fromBytes = 0
  #owed = 0

  constructor(terms: ReaderTerms) {
    this.#terms = terms
  }

  /** `taken` are the bytes that it has taken so far, `waiting` those that it could; what it takes shows by steps of `step`. */
  isTooSlow(nowMs: number, taken: number, waiting: number, step = 0): boolean {
    if (waiting === 0) {
      this.#fromMs = Number.NaN
      return false
    }
    const { minBytesPerSecond, readerTimeout } = this.#terms
    const spanMs = nowMs - this.#fromMs
    const progress = taken - this.#fromBytes
    if (Number.isNaN(spanMs) || progress >= this.#owed) this.#begin(nowMs, taken, waiting)
    else if (spanMs >= readerTimeout) {
      if (minBytesPerSecond === 0 ? progress === 0 : (progress + step) * 1000 < minBytesPerSecond * spanMs) return true
      if (progress > 0) this.#begin(nowMs, taken, waiting)
    }
    return false
  }

  #begin(nowMs: number, taken: number, waiting: number): void {
    this.#fromMs = nowMs
    this.#fromBytes = taken
    this.#owed = waiting
  }
}

/** How many in this second. */
export class SecondTally {
  #fromMs = Number.NEGATIVE_INFINITY
  #count = 0

  /** Counts one more, and answers how many they are. */
  add(nowMs: number): number {
    if (nowMs - this.#fromMs >= 1000) {
      this.#fromMs = nowMs
      this.#count = 0
    }
    return ++this.#count
  }
}
