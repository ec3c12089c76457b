/** What was struck out, and where. It never holds what stood there. */
export interface Redaction {
  readonly kind: string
  readonly rule: string
  /** A JSON Pointer (RFC 6901) in JSON; the name of a parameter in a form; else empty. */
  readonly at: string
}

/** Takes note of what is struck out: the first hundred by name, the others by number. */
export class Redactions {
  readonly first: Redaction[] = []
  count = 0

  add(kind: string, rule: string, at: string): void {
    this.count++
    if (this.first.length < namedMax) this.first.push({ kind, rule, at })
  }
}

const namedMax = 100
