import type { RawHeaders } from '../../http/raw-headers.ts'
import { HeldSource, type Sink, type Source, sourceOf } from '../../http/source.ts'
import { Fault } from '../../kernel/error.ts'
import { type ByteDecoder, openByteDecoder } from './byte-decoder.ts'
import { readCodings } from './content-coding.ts'
import { DecodedSource, type DecodingBounds } from './decoded-source.ts'
import { type ReadableSurface, readableAs } from './media-type.ts'
import { Redactions } from './redactions.ts'
import type { Redactor } from './redactor.ts'
import { screenedTrailers } from './screened-fields.ts'
import { openTransform } from './surface.ts'
import { surfaceOfBytes } from './surface-of-bytes.ts'
import { type TextTransform, Unscreenable } from './transform.ts'

export interface ScreenedHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

export interface ScreeningBounds extends DecodingBounds {
  /** How long the end of a text may wait for what comes after it. */
  readonly holdMs: number
  /** Characters of one event. */
  readonly eventMax: number
  /** Further places in events and lines at which texts come in pieces; see `channelOf`. */
  readonly deltas: readonly string[]
}

/** What suits answers of APIs and of models. */
export const usualBounds: ScreeningBounds = {
  holdMs: 2000,
  eventMax: 4_194_304,
  decodedMax: 268_435_456,
  ratioMax: 250,
  deltas: [],
}

/** What comes of an answer that is to be screened. */
export type Screening =
  | {
      readonly body: Source | Uint8Array
      /** The field as it is now, where it has changed: what leaves is UTF-8. */
      readonly contentType: string | undefined
      /** Grows until the body has ended. */
      readonly redactions: Redactions
    }
  /** It is no text, or nobody says so: it has not been looked into. */
  | { readonly unseen: true }
  | { readonly problem: string }

/**
 * An answer without what the redactor finds. It leaves without content coding, and in UTF-8; its other fields are for
 * `screenedFields`. What is here whole is screened at once.
 */
export function screenSource(
  source: Source | Uint8Array,
  { contentType, contentEncoding }: ScreenedHead,
  redactor: Redactor,
  bounds: ScreeningBounds = usualBounds,
): Screening {
  const { surface, charset, asUtf8 } = readableAs(contentType)
  if (surface === 'none') return { unseen: true }
  const codings = readCodings(contentEncoding)
  if (codings === undefined) return { problem: 'expected a content coding of gzip, deflate, br or zstd, got another' }
  const redactions = new Redactions()
  let open: (bytes: Uint8Array) => Rewriting
  if (surface === 'unsaid') open = (bytes) => rewritingOf(surfaceOfBytes(bytes), redactor, redactions, bounds)
  else {
    const decoder = openByteDecoder(charset, isGuessed(surface) ? 'guess' : 'as said')
    if (decoder === undefined) return { problem: 'expected a charset that is known, got another' }
    const rewriting = { decoder, transform: openTransform(surface, redactor, redactions, bounds) }
    open = () => rewriting
  }
  const whole = source instanceof HeldSource ? (source.complete ?? source) : source
  const rewritten = { contentType: asUtf8, redactions }
  if (whole instanceof Uint8Array && codings.length === 0) {
    try {
      return { ...rewritten, body: screenWhole(whole, open(whole)) }
    } catch (error) {
      if (error instanceof Unscreenable) return { problem: error.message }
      throw error
    }
  }
  let decoded: Source = whole instanceof Uint8Array ? sourceOf(whole) : whole
  for (const coding of codings) decoded = new DecodedSource(decoded, coding, bounds)
  return { ...rewritten, body: new ScreenedSource(decoded, open, bounds.holdMs) }
}

/** How bytes become a text, and what is rewritten in it; `asIs`: they are no text. */
type Rewriting = { readonly decoder: ByteDecoder; readonly transform: TextTransform } | 'asIs'

function rewritingOf(
  surface: ReadableSurface | 'none',
  redactor: Redactor,
  redactions: Redactions,
  bounds: ScreeningBounds,
): Rewriting {
  const decoder = openByteDecoder(undefined, 'guess')
  if (surface === 'none' || decoder === undefined) return 'asIs'
  return { decoder, transform: openTransform(surface, redactor, redactions, bounds) }
}

/** Event streams and forms are UTF-8 to all of their readers. */
function isGuessed(surface: ReadableSurface): boolean {
  return surface !== 'events' && surface !== 'form'
}

function screenWhole(bytes: Uint8Array, rewriting: Rewriting): Uint8Array {
  if (rewriting === 'asIs') return bytes
  const { decoder, transform } = rewriting
  const text = decoder.decode(bytes)
  return Buffer.from(transform.feed(text) + transform.feed(decoder.end()) + transform.end())
}

/** Screens while bytes flow. Whoever reads sets the pace; where they stop, so does whoever sends. */
class ScreenedSource implements Source, Sink {
  readonly #upstream: Source
  readonly #open: (bytes: Uint8Array) => Rewriting
  readonly #holdMs: number
  #rewriting: Rewriting | undefined
  #sink: Sink | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #held: number | undefined
  #over = false

  /** `open` is told the first bytes. */
  constructor(upstream: Source, open: (bytes: Uint8Array) => Rewriting, holdMs: number) {
    this.#upstream = upstream
    this.#open = open
    this.#holdMs = holdMs
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.#upstream.flow(this)
  }

  pause(): void {
    this.#upstream.pause()
  }

  resume(): void {
    this.#upstream.resume()
  }

  abort(reason: Error): void {
    if (this.#over) return
    this.#close()
    this.#upstream.abort(reason)
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over || bytes.byteLength === 0) return
    const rewriting = (this.#rewriting ??= this.#open(bytes))
    if (rewriting === 'asIs') return this.#sink?.chunk(bytes)
    const { decoder, transform } = rewriting
    this.#pass(() => transform.feed(decoder.decode(bytes)))
    if (!this.#over) this.#watch(transform)
  }

  end(trailers: RawHeaders): void {
    const rewriting = this.#rewriting
    if (rewriting !== undefined && rewriting !== 'asIs') {
      const { decoder, transform } = rewriting
      this.#pass(() => transform.feed(decoder.end()) + transform.end())
    }
    if (this.#over) return
    this.#close()
    this.#sink?.end(screenedTrailers(trailers))
  }

  /** What waits is not let go: nobody knows what it was about to be. */
  fail(error: Error): void {
    if (this.#over) return
    this.#close()
    this.#sink?.fail(error)
  }

  #pass(rewrite: () => string): void {
    if (this.#over) return
    let text: string
    try {
      text = rewrite()
    } catch (error) {
      const fault = new Fault('answer-not-screenable', messageOf(error), error)
      this.#close()
      this.#upstream.abort(fault)
      this.#sink?.fail(fault)
      return
    }
    if (text !== '') this.#sink?.chunk(Buffer.from(text))
  }

  /** Each text that waits has its own time: what comes after it does not make it wait longer. */
  #watch(transform: TextTransform): void {
    const { held } = transform
    if (held === this.#held) return
    clearTimeout(this.#timer)
    this.#held = held
    this.#timer = held === undefined ? undefined : setTimeout(() => this.#stalled(transform), this.#holdMs).unref()
  }

  #stalled(transform: TextTransform): void {
    this.#held = undefined
    this.#pass(() => transform.stall())
    if (!this.#over) this.#watch(transform)
  }

  #close(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
