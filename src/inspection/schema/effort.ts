/**
 * What one check may cost, in steps of about a nanosecond or two. A schema may ask for a part of a value again and again, through
 * references that lead back to it, and a pattern may be in many states at once: what takes too long is refused.
 */
export class Effort {
  #left: number
  #sizes = new WeakMap<object, number>()

  constructor(left = 0) {
    this.#left = left
  }

  /** Before each check, of a value that was so many bytes long. */
  begin(bytes: number): void {
    this.#sizes = new WeakMap()
    this.#left = stepsLeast + bytes * stepsPerByte
  }

  /** Before all that is wrong with a value is asked for: each mistake takes memory as well. */
  beginTelling(bytes: number): void {
    this.#sizes = new WeakMap()
    this.#left = tellingLeast + bytes * stepsPerByte
  }

  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new Overrun('expected a value that can be checked in time')
  }

  /** About how many characters of JSON a value has; each object and array is counted once a check. */
  sizeOf(value: unknown): number {
    if (typeof value === 'string') return value.length + 2
    if (typeof value !== 'object' || value === null) return 4
    const known = this.#sizes.get(value)
    if (known !== undefined) return known
    let size = 2
    if (Array.isArray(value)) for (const item of value) size += this.sizeOf(item) + 1
    else
      for (const name of Object.keys(value))
        size += name.length + 4 + this.sizeOf((value as Record<string, unknown>)[name])
    this.#sizes.set(value, size)
    return size
  }
}

/** A check was given up. */
export class Overrun extends Error {
  override readonly name = 'Overrun'
}

const stepsLeast = 2 ** 24
const tellingLeast = 2 ** 20
const stepsPerByte = 128
