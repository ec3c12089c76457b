import type { RawHeaders } from './raw-headers.ts'

/** Bytes that arrive over time. Whoever wants them calls `flow` once; until then the source holds back. */
export interface Source {
  flow(sink: Sink): void
  /** Asks the far end to wait: `chunk` comes no more until `resume`. */
  pause(): void
  resume(): void
  /** Nobody wants the rest. */
  abort(reason: Error): void
}

export interface Sink {
  chunk(bytes: Uint8Array): void
  end(trailers: RawHeaders): void
  /** The bytes broke off: what was received is not the whole. */
  fail(error: Error): void
}

/** What a source keeps before it asks the far end to wait. */
const heldBytesMax = 65_536

/**
 * The near half of a source: what the far end hands over before anybody asks is kept, up to a bound, so that an answer
 * that arrives in one piece is also written in one piece.
 */
export class HeldSource implements Source, Sink {
  readonly #control: { pause(): void; resume(): void; abort(reason: Error): void }
  #sink: Sink | undefined
  #held: Uint8Array[] = []
  #heldBytes = 0
  #ended: RawHeaders | undefined
  #failed: Error | undefined

  constructor(control: { pause(): void; resume(): void; abort(reason: Error): void }) {
    this.#control = control
  }

  /** The whole body, when it is here already: lets a short answer leave in a single write. */
  get complete(): Uint8Array | undefined {
    if (this.#ended === undefined || this.#ended.length > 0 || this.#held.length > 1) return undefined
    return this.#held[0] ?? nothing
  }

  chunk(bytes: Uint8Array): void {
    if (this.#sink !== undefined) return this.#sink.chunk(bytes)
    this.#held.push(bytes)
    this.#heldBytes += bytes.byteLength
    if (this.#heldBytes > heldBytesMax) this.#control.pause()
  }

  end(trailers: RawHeaders): void {
    this.#ended = trailers
    this.#sink?.end(trailers)
  }

  fail(error: Error): void {
    this.#failed = error
    this.#sink?.fail(error)
  }

  flow(sink: Sink): void {
    this.#sink = sink
    const held = this.#held
    this.#held = []
    for (const bytes of held) sink.chunk(bytes)
    if (this.#failed !== undefined) sink.fail(this.#failed)
    else if (this.#ended !== undefined) sink.end(this.#ended)
    else this.#control.resume()
  }

  pause(): void {
    this.#control.pause()
  }

  resume(): void {
    this.#control.resume()
  }

  abort(reason: Error): void {
    this.#control.abort(reason)
  }
}

const nothing = new Uint8Array(0)

/** Bytes that are here already, as a source. */
export function sourceOf(bytes: Uint8Array): Source {
  return {
    flow(sink) {
      sink.chunk(bytes)
      sink.end([])
    },
    pause() {},
    resume() {},
    abort() {},
  }
}
