import type { Outbound } from '../../http/message.ts'
import type { Sink, Source } from '../../http/source.ts'

/** An answer that is made while it leaves, as a file to be kept: no piece is made before the client has taken the one before. */
export function streamed(
  mediaType: string,
  fileName: string,
  pieces: AsyncGenerator<string, void, undefined>,
): Outbound {
  // biome-ignore format: a table of name and value
  const headers = [
    'Content-Type', mediaType,
    'Content-Disposition', `attachment; filename="${fileName}"`,
    'Cache-Control', 'no-store',
  ]
  return { status: 200, headers, body: new PieceSource(pieces) }
}

/** Pieces of text as a body. Where making one fails the answer breaks off, so that nobody takes it for the whole. */
class PieceSource implements Source {
  readonly #pieces: AsyncGenerator<string, void, undefined>
  #sink: Sink | undefined
  #state: 'waiting' | 'making' | 'paused' | 'over' = 'waiting'
  #wanted = false

  constructor(pieces: AsyncGenerator<string, void, undefined>) {
    this.#pieces = pieces
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.resume()
  }

  pause(): void {
    this.#wanted = false
  }

  resume(): void {
    this.#wanted = true
    if (this.#state === 'waiting' || this.#state === 'paused') void this.#make()
  }

  abort(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#pieces.return().catch(() => {}) // nobody is left to hear of it
  }

  async #make(): Promise<void> {
    this.#state = 'making'
    try {
      while (this.#wanted && !this.#isOver()) {
        const { value, done } = await this.#pieces.next()
        if (this.#isOver()) return
        if (done === true) {
          this.#state = 'over'
          return this.#sink?.end([])
        }
        this.#sink?.chunk(Buffer.from(value))
      }
      if (!this.#isOver()) this.#state = 'paused'
    } catch (error) {
      if (this.#isOver()) return
      this.#state = 'over'
      this.#sink?.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #isOver(): boolean {
    return this.#state === 'over'
  }
}
