import { DeltaChannels, type DeltaOptions, type Payload } from './delta-channels.ts'
import { type TextTransform, Unscreenable } from './transform.ts'

export interface EventStreamOptions extends DeltaOptions {
  /** Characters of one event; a stream with a larger one breaks off. */
  readonly eventMax: number
}

/**
 * Rewrites an event stream (WHATWG HTML §9.2) event by event. Whatever does not change goes as it came, byte for byte: ids, names,
 * comments, ends of lines.
 */
export class EventStream implements TextTransform {
  readonly #options: EventStreamOptions
  readonly #deltas: DeltaChannels
  #line = ''
  #lines: Line[] = []
  #size = 0
  #isFirst = true
  /** A carriage return ended the last line: a line feed after it belongs to it. */
  #returned = false
  #lineEnd = '\n'

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#deltas = new DeltaChannels(options)
  }

  get held(): number | undefined {
    return this.#deltas.held
  }

  feed(text: string): string {
    let out = ''
    let from = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit !== lineFeed && unit !== carriageReturn) {
        this.#returned = false
        continue
      }
      if (unit === lineFeed && this.#returned) out += this.#secondHalf()
      else out += this.#endLine(this.#line + text.slice(from, at), text[at] as string)
      this.#returned = unit === carriageReturn
      from = at + 1
    }
    this.#line += text.slice(from)
    this.#checkSize(this.#line.length)
    return out
  }

  end(): string {
    let out = ''
    if (this.#line !== '') out += this.#endLine(this.#line, '')
    if (this.#lines.length > 0) out += this.#dispatch(true)
    return out + this.#written(this.#deltas.end())
  }

  stall(): string {
    return this.#written(this.#deltas.stall())
  }

  #secondHalf(): string {
    const last = this.#lines.at(-1)
    if (this.#lineEnd === '\r') this.#lineEnd = '\r\n'
    if (last === undefined) return '\n'
    last.end = '\r\n'
    return ''
  }

  #endLine(line: string, end: string): string {
    this.#line = ''
    this.#lineEnd = end === '' ? this.#lineEnd : end
    const mark = this.#isFirst && line.charCodeAt(0) === byteOrderMark ? '\u{feff}' : ''
    this.#isFirst = false
    const said = line.slice(mark.length)
    if (said === '') return mark + this.#dispatch(false) + end
    this.#size += line.length + lineCost
    this.#checkSize(0)
    const colon = said.indexOf(':')
    const field = colon < 0 ? said : said.slice(0, colon)
    const value = colon < 0 ? '' : said.slice(said[colon + 1] === ' ' ? colon + 2 : colon + 1)
    const written = verbatim.has(field) ? said : this.#redacted(said)
    // A heartbeat is for whoever waits: it does not wait itself.
    if (field === '' && this.#lines.length === 0) {
      this.#size = 0
      return mark + written + end
    }
    this.#lines.push({ field, value, written, end })
    return mark
  }

  /** What nobody reads as a field may be read by somebody else. */
  #redacted(line: string): string {
    const { redactor, redactions } = this.#options
    const { text, matches } = redactor.redact(line)
    for (const { kind, rule } of matches) redactions.add(kind, rule, '')
    return text
  }

  #dispatch(last: boolean): string {
    const lines = this.#lines
    this.#lines = []
    this.#size = 0
    const data = lines.filter(({ field }) => field === 'data')
    if (data.length === 0) return asWritten(lines)
    const text = data.map(({ value }) => value).join('\n')
    const event = lines.findLast(({ field }) => field === 'event')?.value ?? ''
    const { before, text: rewritten } = this.#deltas.rewrite({ text, event }, last)
    const first = this.#written(before)
    if (rewritten === text) return first + asWritten(lines)
    const [firstOfData] = data
    const changed = lines.flatMap((line) => {
      if (line.field !== 'data') return [line]
      if (line !== firstOfData) return []
      const end = line.end === '' ? this.#lineEnd : line.end
      return [{ ...line, written: dataLines(rewritten, end), end: data.at(-1)?.end ?? end }]
    })
    return first + asWritten(changed)
  }

  #written(payloads: readonly Payload[]): string {
    const end = this.#lineEnd
    return payloads
      .map(({ text, event }) => `${event === '' ? '' : `event: ${event}${end}`}${dataLines(text, end)}${end}${end}`)
      .join('')
  }

  #checkSize(more: number): void {
    const { eventMax } = this.#options
    if (this.#size + more > eventMax)
      throw new Unscreenable(`expected events of at most ${eventMax} characters, got a larger one`)
  }
}

interface Line {
  readonly field: string
  readonly value: string
  readonly written: string
  end: string
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const byteOrderMark = 0xfeff

/** Characters that a line counts for beside its own: of empty ones too there may not be any number. */
const lineCost = 16

/** `data` is rewritten as a whole; the others steer the stream, and hold nothing of what people say. */
const verbatim = new Set(['data', 'event', 'id', 'retry'])

function dataLines(text: string, end: string): string {
  return text
    .split('\n')
    .map((line) => `data: ${line}`)
    .join(end)
}

function asWritten(lines: readonly Line[]): string {
  return lines.map(({ written, end }) => written + end).join('')
}
