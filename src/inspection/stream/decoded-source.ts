import type { Transform } from 'node:stream'
import type { RawHeaders } from '../../http/raw-headers.ts'
import type { Sink, Source } from '../../http/source.ts'
import { type Coding, openDecompression } from './content-coding.ts'
import { Unscreenable } from './transform.ts'

export interface DecodingBounds {
  /** Bytes that an answer may become. */
  readonly decodedMax: number
  /** How many times as large as it came it may become; the first megabyte is free. */
  readonly ratioMax: number
}

/** A source without one of its codings. What reads it sets the pace of what is sent. */
export class DecodedSource implements Source, Sink {
  readonly #upstream: Source
  readonly #coding: Coding
  readonly #bounds: DecodingBounds
  #sink: Sink | undefined
  #decompression: Transform | undefined
  #first: Uint8Array = new Uint8Array(0)
  #trailers: RawHeaders = []
  #paused = false
  #in = 0
  #out = 0
  #over = false

  constructor(upstream: Source, coding: Coding, bounds: DecodingBounds) {
    this.#upstream = upstream
    this.#coding = coding
    this.#bounds = bounds
  }

  flow(sink: Sink): void {
    this.#sink = sink
    this.#upstream.flow(this)
  }

  pause(): void {
    this.#paused = true
    if (this.#decompression === undefined) this.#upstream.pause()
    else this.#decompression.pause() // it fills up, and holds its own upstream back
  }

  resume(): void {
    this.#paused = false
    if (this.#decompression === undefined) this.#upstream.resume()
    else this.#decompression.resume()
  }

  abort(reason: Error): void {
    if (this.#over) return
    this.#close()
    this.#upstream.abort(reason)
  }

  chunk(bytes: Uint8Array): void {
    if (this.#over || bytes.byteLength === 0) return
    this.#in += bytes.byteLength
    if (this.#decompression !== undefined) return this.#write(this.#decompression, bytes)
    this.#first = this.#first.byteLength === 0 ? bytes : Buffer.concat([this.#first, bytes])
    if (this.#first.byteLength >= 2) this.#write(this.#open(), this.#first)
  }

  end(trailers: RawHeaders): void {
    if (this.#over) return
    this.#trailers = trailers
    if (this.#in === 0) {
      this.#over = true
      this.#sink?.end(trailers)
    } else (this.#decompression ?? this.#openShort()).end()
  }

  fail(error: Error): void {
    if (this.#over) return
    this.#close()
    this.#sink?.fail(error)
  }

  #write(decompression: Transform, bytes: Uint8Array): void {
    if (!decompression.write(bytes)) this.#upstream.pause()
  }

  #openShort(): Transform {
    const decompression = this.#open()
    decompression.write(this.#first)
    return decompression
  }

  #open(): Transform {
    const decompression = openDecompression(this.#coding, this.#first)
    this.#decompression = decompression
    decompression.on('data', (bytes: Buffer) => this.#decoded(bytes))
    decompression.on('drain', () => this.#upstream.resume())
    decompression.on('end', () => {
      if (this.#over) return
      this.#over = true
      this.#sink?.end(this.#trailers)
    })
    decompression.on('error', (error) => this.#broken(error))
    if (this.#paused) decompression.pause()
    return decompression
  }

  #decoded(bytes: Buffer): void {
    if (this.#over) return
    this.#out += bytes.byteLength
    const { decodedMax, ratioMax } = this.#bounds
    if (this.#out > decodedMax)
      return this.#broken(new Unscreenable(`expected at most ${decodedMax} bytes decoded, got more`))
    if (this.#out > freeBytes && this.#out > this.#in * ratioMax)
      return this.#broken(new Unscreenable(`expected to decode to at most ${ratioMax} times the size, got more`))
    this.#sink?.chunk(bytes)
  }

  #broken(error: Error): void {
    if (this.#over) return
    this.#close()
    this.#upstream.abort(error)
    this.#sink?.fail(error)
  }

  #close(): void {
    this.#over = true
    this.#decompression?.destroy()
  }
}

const freeBytes = 1_048_576
