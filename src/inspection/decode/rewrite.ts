/** A text of which stretches are replaced, from left to right. Pieces are joined once: sums of strings would cost more than they hold. */
export class Rewrite {
  readonly #text: string
  readonly #pieces: string[] = []
  #kept = 0

  constructor(text: string) {
    this.#text = text
  }

  replace(start: number, end: number, by: string): void {
    if (start > this.#kept) this.#pieces.push(this.#text.slice(this.#kept, start))
    if (by !== '') this.#pieces.push(by)
    this.#kept = end
  }

  /** Where the last stretch that was replaced ended; 0 where none was. */
  get kept(): number {
    return this.#kept
  }

  /** Undefined where nothing was replaced. */
  result(): string | undefined {
    if (this.#kept === 0) return undefined
    this.#pieces.push(this.#text.slice(this.#kept))
    return this.#pieces.join('')
  }
}
