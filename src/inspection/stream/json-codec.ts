import { type Codec, ReadingDraft } from './codec.ts'

/**
 * The inside of a JSON string (RFC 8259 §7). What is no escape there is read as it stands, so that nothing is passed over
 * because of a fault.
 */
export const jsonText: Codec = {
  read(written, last) {
    let start = written.indexOf('\\')
    if (start < 0) return { text: written, at: undefined }
    const draft = new ReadingDraft(written.length)
    let from = 0
    for (; start >= 0; start = written.indexOf('\\', from)) {
      draft.same(written, from, start)
      const known = escaped[written[start + 1] ?? '']
      const unit = written[start + 1] === 'u' ? hexUnit(written, start + 2) : undefined
      const missing = written.length - start
      if (!last && (missing < 2 || (written[start + 1] === 'u' && unit === undefined && missing < 6)))
        return draft.close(start)
      if (unit !== undefined) draft.escape(String.fromCharCode(unit), start)
      else if (known !== undefined) draft.escape(known, start)
      else draft.same(written, start, Math.min(start + 2, written.length))
      from = Math.min(start + (unit === undefined ? 2 : 6), written.length)
    }
    draft.same(written, from, written.length)
    return draft.close(written.length)
  },
  write: (text) => JSON.stringify(text).slice(1, -1),
}

const escaped: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** The unit that four hexadecimal digits stand for. */
function hexUnit(text: string, at: number): number | undefined {
  let unit = 0
  for (let digit = at; digit < at + 4; digit++) {
    const value = hexDigit(text.charCodeAt(digit))
    if (value < 0) return undefined
    unit = unit * 16 + value
  }
  return unit
}

/** −1 for what is none. */
export function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const lower = unit | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
