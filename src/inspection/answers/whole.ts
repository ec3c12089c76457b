import type { RawHeaders } from '../../http/raw-headers.ts'
import { HeldSource, type Sink, type Source } from '../../http/source.ts'

/** An answer that is there whole; or, where it is larger than that, what has come of it and the rest. */
export type Gathered =
  | { readonly bytes: Uint8Array; readonly trailers: RawHeaders }
  | { readonly more: Source; readonly taken: number }
  /** There was no room for it. */
  | { readonly declined: Source; readonly taken: number }
  | { readonly failed: Error }

/** Reads an answer into memory, up to so many bytes; `take` is asked for room for each piece. */
export function gather(
  source: Source | Uint8Array,
  bytesMax: number,
  take: (bytes: number) => boolean,
): Promise<Gathered> {
  return new Promise((resolve) => gatherThen(source, bytesMax, take, resolve))
}

/** The same, and `settle` is called at the very moment at which the answer ends: who waits for a promise comes after its reader. */
export function gatherThen(
  source: Source | Uint8Array,
  bytesMax: number,
  take: (bytes: number) => boolean,
  settle: (gathered: Gathered) => void,
): void {
  const whole = source instanceof HeldSource ? (source.complete ?? source) : source
  if (whole instanceof Uint8Array)
    return settle(
      whole.byteLength <= bytesMax ? { bytes: whole, trailers: [] } : { more: new Begun([whole], undefined), taken: 0 },
    )
  const chunks: Uint8Array[] = []
  let size = 0
  let begun: Begun | undefined
  whole.flow({
    chunk(bytes) {
      if (begun !== undefined) return begun.chunk(bytes)
      const taken = size
      chunks.push(bytes)
      size += bytes.byteLength
      const isLarge = size > bytesMax
      if (!isLarge && take(bytes.byteLength)) return
      whole.pause()
      begun = new Begun(chunks, whole)
      settle(isLarge ? { more: begun, taken } : { declined: begun, taken })
    },
    end(trailers) {
      if (begun !== undefined) return begun.end(trailers)
      settle({ bytes: chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size), trailers })
    },
    fail(error) {
      if (begun !== undefined) return begun.fail(error)
      settle({ failed: error })
    },
  })
}

/** A source of which the beginning was read already: that comes first, and then what comes. */
class Begun implements Source, Sink {
  readonly #held: Uint8Array[]
  readonly #rest: Source | undefined
  #ended: RawHeaders | undefined
  #failed: Error | undefined
  #sink: Sink | undefined

  constructor(held: Uint8Array[], rest: Source | undefined) {
    this.#held = held
    this.#rest = rest
    if (rest === undefined) this.#ended = []
  }

  flow(sink: Sink): void {
    this.#sink = sink
    for (const bytes of this.#held.splice(0)) sink.chunk(bytes)
    if (this.#failed !== undefined) sink.fail(this.#failed)
    else if (this.#ended !== undefined) sink.end(this.#ended)
    else this.#rest?.resume()
  }

  chunk(bytes: Uint8Array): void {
    if (this.#sink === undefined) this.#held.push(bytes)
    else this.#sink.chunk(bytes)
  }

  end(trailers: RawHeaders): void {
    this.#ended = trailers
    this.#sink?.end(trailers)
  }

  fail(error: Error): void {
    this.#failed = error
    this.#sink?.fail(error)
  }

  pause(): void {
    this.#rest?.pause()
  }

  resume(): void {
    this.#rest?.resume()
  }

  abort(reason: Error): void {
    this.#rest?.abort(reason)
  }
}
