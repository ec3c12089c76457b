import type { Redactor } from './redactor.ts'

/** Where in a JSON text a reader is. */
export class JsonPath {
  readonly #redactor: Redactor
  readonly #frames: Frame[] = []

  constructor(redactor: Redactor) {
    this.#redactor = redactor
  }

  get depth(): number {
    return this.#frames.length
  }

  get inObject(): boolean {
    return this.#frames.at(-1)?.isObject === true
  }

  /** The member that a value here belongs to: of a list the one that the list is the value of. */
  get name(): string | undefined {
    return this.#frames.at(-1)?.name
  }

  /** Names as they were sent, and places in lists. */
  get steps(): readonly (string | number)[] {
    return this.#frames.map(({ isObject, name = '', index }) => (isObject ? name : index))
  }

  open(isObject: boolean): void {
    this.#frames.push({ isObject, name: this.name, index: 0 })
  }

  close(): void {
    this.#frames.pop()
  }

  next(): void {
    const frame = this.#frames.at(-1)
    if (frame !== undefined) frame.index++
  }

  member(name: string): void {
    const frame = this.#frames.at(-1)
    if (frame !== undefined) frame.name = name
  }

  clear(): void {
    this.#frames.length = 0
  }

  /** As a JSON Pointer (RFC 6901) that may be logged: a name that is personal data itself is struck out there too. */
  get pointer(): string {
    return this.steps.map((step) => `/${typeof step === 'number' ? step : this.#shown(step)}`).join('')
  }

  #shown(name: string): string {
    const { text } = this.#redactor.redact(name)
    const short = text.length > nameMax ? `${text.slice(0, nameMax)}…` : text
    return short.replaceAll('~', '~0').replaceAll('/', '~1')
  }
}

interface Frame {
  readonly isObject: boolean
  name: string | undefined
  index: number
}

/** Of a longer name a place shows the beginning. */
const nameMax = 128
