import { type Codec, ReadingDraft } from './codec.ts'
import { hexDigit } from './json-codec.ts'

/** A name or a value of `application/x-www-form-urlencoded` (WHATWG URL §5.1): `+` is a space, `%C3%A9` is UTF-8. */
export const formText: Codec = {
  read(written, last) {
    const draft = new ReadingDraft(written.length)
    let at = 0
    let from = 0
    while (at < written.length) {
      const unit = written.charCodeAt(at)
      if (unit === plus) {
        draft.same(written, from, at)
        draft.escape(' ', at++)
        from = at
      } else if (unit === percent) {
        draft.same(written, from, at)
        from = at
        if (!last && written.length - at < characterMax && isOpen(written, at)) return draft.close(at)
        at = readCharacter(written, at, draft)
        from = at
      } else at++
    }
    draft.same(written, from, at)
    return draft.close(at)
  },
  write: (text) => encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+'),
}

const plus = 0x2b
const percent = 0x25
/** Four bytes of UTF-8, three characters each. */
const characterMax = 12

/** Whether more of what comes may belong to the character that begins here. */
function isOpen(written: string, start: number): boolean {
  const lead = byteAt(written, start)
  if (lead === undefined) return written.length - start < 3
  return written.length - start < lengthOf(lead) * 3
}

/** Bytes that are no UTF-8 are read as U+FFFD, one by one. */
function readCharacter(written: string, start: number, draft: ReadingDraft): number {
  const lead = byteAt(written, start)
  if (lead === undefined) {
    draft.same(written, start, start + 1)
    return start + 1
  }
  if (lead < 0x80) {
    draft.escape(String.fromCharCode(lead), start)
    return start + 3
  }
  const bytes = [lead]
  for (let at = start + 3; bytes.length < lengthOf(lead); at += 3) {
    const next = byteAt(written, at)
    if (next === undefined) break
    bytes.push(next)
  }
  const text = utf8.decode(Uint8Array.from(bytes))
  const valid = bytes.length === lengthOf(lead) && !text.includes('\u{fffd}')
  draft.escape(valid ? text : '\u{fffd}', start)
  return start + (valid ? bytes.length * 3 : 3)
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function lengthOf(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

function byteAt(written: string, at: number): number | undefined {
  if (written.charCodeAt(at) !== percent) return undefined
  const [high, low] = [hexDigit(written.charCodeAt(at + 1)), hexDigit(written.charCodeAt(at + 2))]
  return high < 0 || low < 0 ? undefined : high * 16 + low
}
