import { openRedactor, type Redactor, type Scanner } from '../../../src/inspection/stream/redactor.ts'

/** Finds e-mail addresses, and numbers of sixteen digits in groups: enough to see what becomes of values that are split. */
export const marks: Scanner = {
  reach: 96,
  context: 8,
  scan: (text) =>
    [...text.matchAll(/[\w.é-]{1,32}@[\w.-]{1,32}\.[a-z]{2,8}(?![\w-])|(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?!\d)/g)].map(
      ({ index, 0: found }) => ({
        kind: found.includes('@') ? 'email' : 'card',
        rule: found.includes('@') ? 'mark/email' : 'mark/card',
        start: index,
        end: index + found.length,
        confidence: 1,
      }),
    ),
}

/** Tells early what is settled: a match begins with the last run of word characters, or with groups of digits before it. */
export const promptMarks: Scanner = {
  ...marks,
  settled(text) {
    let open = text.length
    while (open > 0 && text.length - open < 96 && /[\w.@é -]/.test(text[open - 1] as string)) {
      if (text[open - 1] === ' ' && !/\d \d*$|\d $/.test(text.slice(Math.max(0, open - 2), open + 1))) break
      open--
    }
    return open
  },
}

export const replacement = (_: string, { kind }: { readonly kind: string }): string => `[${kind.toUpperCase()}]`

export function redactorOf(...scanners: readonly Scanner[]): Redactor {
  return openRedactor({ scanners, replacement })
}

export const email = 'jane.roe@mail.example'
export const card = '4111 1111 1111 1111'

/** What comes out when a text is fed in these pieces. */
export function fed(transform: { feed(text: string): string; end(): string }, pieces: readonly string[]): string {
  let out = ''
  for (const piece of pieces) out += transform.feed(piece)
  return out + transform.end()
}

/** Each way to cut a text in two, and, where it is short, in three; and one character at a time. */
export function* cuts(text: string): Generator<readonly string[]> {
  yield [...Array(text.length).keys()].map((at) => text[at] as string)
  for (let one = 0; one <= text.length; one++) {
    yield [text.slice(0, one), text.slice(one)]
    if (text.length > 90) continue
    for (let two = one; two <= text.length; two++) yield [text.slice(0, one), text.slice(one, two), text.slice(two)]
  }
}
