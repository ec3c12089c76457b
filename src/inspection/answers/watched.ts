import type { RawHeaders } from '../../http/raw-headers.ts'
import type { Sink, Source } from '../../http/source.ts'

/** A source that goes on as it comes, and of which somebody else sees a copy. Who watches keeps nobody waiting. */
export class WatchedSource implements Source, Sink {
  readonly #source: Source
  #watcher: Sink | undefined
  #sink: Sink | undefined

  /** `watch` is handed the copy, and begins to read it at once, or never. */
  constructor(source: Source, watch: (copy: Source) => void) {
    this.#source = source
    watch({
      flow: (sink) => {
        this.#watcher = sink
      },
      pause() {},
      resume() {},
      abort: () => {
        this.#watcher = undefined
      },
    })
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.#source.flow(this)
  }

  chunk(bytes: Uint8Array): void {
    this.#sink?.chunk(bytes)
    this.#watcher?.chunk(bytes)
  }

  end(trailers: RawHeaders): void {
    this.#watcher?.end(trailers)
    this.#sink?.end(trailers)
  }

  fail(error: Error): void {
    this.#watcher?.fail(error)
    this.#sink?.fail(error)
  }

  pause(): void {
    this.#source.pause()
  }

  resume(): void {
    this.#source.resume()
  }

  abort(reason: Error): void {
    this.#watcher?.fail(reason)
    this.#source.abort(reason)
  }
}
