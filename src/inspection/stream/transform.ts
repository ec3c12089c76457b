/** A text that is rewritten while it flows. What goes in comes out, redacted, some of it later. */
export interface TextTransform {
  /** What may go on now. */
  feed(text: string): string
  /** The rest. */
  end(): string
  /** What is held back goes, as far as a reader can do anything with it: it has waited long enough. */
  stall(): string
  /** Undefined while nothing waits that `stall` would let go; else a number that is another one once all of that has gone. */
  readonly held: number | undefined
}

/** A text that cannot be screened within its bounds: nothing more of it may go on. */
export class Unscreenable extends Error {
  override readonly name = 'Unscreenable'
}
