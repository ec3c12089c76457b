import type { Outbound } from '../../http/message.ts'
import type { Sink, Source } from '../../http/source.ts'

/**
 * An answer that is made while it leaves, as a file to be kept: no piece is made before the client has taken the one before. It
 * breaks off where the client takes nothing for `patienceMs`: what is being made is held for somebody.
 */
export function streamed(
  mediaType: string,
  fileName: string,
  pieces: AsyncGenerator<string, void, undefined>,
  patienceMs = 120_000,
): Outbound {
  // biome-ignore format: a table of name and value
  const headers = [
    'Content-Type', mediaType,
    'Content-Disposition', `attachment; filename="${fileName}"`,
    'Cache-Control', 'no-store',
  ]
  return { status: 200, headers, body: new PieceSource(pieces, patienceMs) }
}

/** Pieces of text as a body. Where making one fails the answer breaks off, so that nobody takes it for the whole. */
class PieceSource implements Source {
  readonly #pieces: AsyncGenerator<string, void, undefined>
  readonly #patienceMs: number
  #sink: Sink | undefined
  #state: 'waiting' | 'making' | 'paused' | 'over' = 'waiting'
  #wanted = false
  #patience: NodeJS.Timeout | undefined

  constructor(pieces: AsyncGenerator<string, void, undefined>, patienceMs: number) {
    this.#pieces = pieces
    this.#patienceMs = patienceMs
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.resume()
  }

  pause(): void {
    this.#wanted = false
    this.#patience ??= setTimeout(() => this.#tooSlow(), this.#patienceMs).unref()
  }

  resume(): void {
    this.#wanted = true
    this.#patient()
    if (this.#state === 'waiting' || this.#state === 'paused') void this.#make()
  }

  abort(): void {
    this.#patient()
    if (this.#isOver()) return
    this.#state = 'over'
    this.#pieces.return().catch(() => {}) // nobody is left to hear of it
  }

  #tooSlow(): void {
    if (this.#isOver()) return
    this.abort()
    this.#sink?.fail(new Error(`the client took nothing for ${this.#patienceMs} ms`))
  }

  #patient(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
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
