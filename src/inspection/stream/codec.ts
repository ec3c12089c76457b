/** How a text is written in what carries it. */
export interface Codec {
  /** What stands written. Stops before an escape of which the end is missing, unless this is `last`. */
  read(written: string, last: boolean): Reading
  write(text: string): string
}

export interface Reading {
  readonly text: string
  /** Where each unit of the text, and its end, stands in what is written; left out where they are the same. */
  readonly at: Uint32Array | undefined
}

/** A text as it is. */
export const plain: Codec = {
  read: (written) => ({ text: written, at: undefined }),
  write: (text) => text,
}

/** Gathers units and where they stood. */
export class ReadingDraft {
  readonly #bytes: Buffer
  readonly #at: Uint32Array
  #units = 0

  /** `unitsMax`: no more than what is written has. */
  constructor(unitsMax: number) {
    this.#bytes = Buffer.allocUnsafe(2 * unitsMax)
    this.#at = new Uint32Array(unitsMax + 1)
  }

  /** A stretch that stands for itself. */
  same(written: string, start: number, end: number): void {
    for (let at = start; at < end; at++) this.#push(written.charCodeAt(at), at)
  }

  /** A text that one escape stands for: all of its units stand where the escape does. */
  escape(text: string, start: number): void {
    for (let unit = 0; unit < text.length; unit++) this.#push(text.charCodeAt(unit), start)
  }

  close(end: number): Reading {
    this.#at[this.#units] = end
    return { text: this.#bytes.toString('utf16le', 0, 2 * this.#units), at: this.#at }
  }

  #push(unit: number, start: number): void {
    this.#at[this.#units] = start
    this.#bytes[2 * this.#units] = unit & 0xff
    this.#bytes[2 * this.#units++ + 1] = unit >> 8
  }
}
