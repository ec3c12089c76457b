/** What a child may write before somebody ends it. */
export interface LineBounds {
  /** Of one line. */
  readonly lineBytes: number
  /** Of all lines together. */
  readonly allBytes: number
}

/** Reads lines of a stranger: what has no end is never kept whole. */
export class BoundedLines {
  #parts: Buffer[] = []
  #lineBytes = 0
  #allBytes = 0
  #bounds: LineBounds = nothing

  /** From here on, it may write so much. */
  allow(bounds: LineBounds): void {
    this.#bounds = bounds
    this.#allBytes = 0
  }

  forbid(): void {
    this.allow(nothing)
  }

  /** Hands over each line that is whole now. False where there was more than is allowed, or where `hear` wants no more. */
  read(chunk: Buffer, hear: (line: string) => boolean): boolean {
    let start = 0
    while (start < chunk.length) {
      const end = chunk.indexOf(lineFeed, start)
      const part = chunk.subarray(start, end === -1 ? chunk.length : end)
      start += part.length + 1
      this.#lineBytes += part.length
      // The line feed counts too: a flood of empty lines is one.
      this.#allBytes += part.length + 1
      if (this.#lineBytes > this.#bounds.lineBytes || this.#allBytes > this.#bounds.allBytes) return false
      this.#parts.push(part)
      if (end === -1) return true
      const line = Buffer.concat(this.#parts).toString('utf8')
      this.#parts = []
      this.#lineBytes = 0
      if (!hear(line)) return false
    }
    return true
  }
}

const nothing: LineBounds = { lineBytes: 0, allBytes: 0 }
const lineFeed = 0x0a
