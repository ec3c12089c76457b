/**
 * How much memory bodies may take that are read whole before they go on: all of them together, and those of one caller.
 * Whoever sends many large bodies slowly holds their own share, and not everybody's. All threads of a house hold together no more
 * than there is; the share of a caller is split between them.
 */
export class BodyMemory {
  readonly #bytesMax: number
  /** What several bodies of one caller may take here. */
  readonly #shareMax: number
  readonly #byCaller = new Map<string, number>()
  /** Bytes that all threads hold. */
  readonly #held: BigInt64Array
  #bytes = 0

  constructor(
    bytesMax: number,
    { memory, threads }: { readonly memory: SharedArrayBuffer; readonly threads: number } = alone(),
  ) {
    this.#bytesMax = bytesMax
    this.#shareMax = bytesMax / 4 / threads
    this.#held = new BigInt64Array(memory)
  }

  /** Bytes that are held here now. */
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
        const crowded = ofCaller > own && ofCaller + bytes > this.#shareMax
        if (crowded || !this.#reserve(bytes)) return false
        own += bytes
        this.#bytes += bytes
        this.#byCaller.set(caller, ofCaller + bytes)
        return true
      },
      give: (bytes) => {
        own -= bytes
        this.#give(caller, bytes)
      },
      close: () => {
        if (own > 0) this.#give(caller, own)
        own = 0
      },
    }
  }

  #give(caller: string, bytes: number): void {
    const left = (this.#byCaller.get(caller) ?? 0) - bytes
    if (left > 0) this.#byCaller.set(caller, left)
    else this.#byCaller.delete(caller)
    this.#bytes -= bytes
    Atomics.sub(this.#held, 0, BigInt(bytes))
  }

  /** Taken first and given back where it was too much: of two threads that ask at once, both may be told no, and never both yes. */
  #reserve(bytes: number): boolean {
    const before = Atomics.add(this.#held, 0, BigInt(bytes))
    if (Number(before) + bytes <= this.#bytesMax) return true
    Atomics.sub(this.#held, 0, BigInt(bytes))
    return false
  }
}

function alone(): { readonly memory: SharedArrayBuffer; readonly threads: number } {
  return { memory: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT), threads: 1 }
}

export interface BodyAccount {
  /** Whether there is room for more of it; then it is taken. */
  take(bytes: number): boolean
  /** Gives back some of what was taken. */
  give(bytes: number): void
  /** Gives all of it back. */
  close(): void
}
