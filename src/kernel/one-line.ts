/** What breaks a line, moves a cursor, or turns around the order of what is shown beside it. */
export const unshowable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

const runs = new RegExp(`${unshowable.source}+`, 'gu')
const each = new RegExp(unshowable.source, 'gu')

/** What others wrote, on one line: each run of what cannot be shown is a space. */
export function oneLine(text: string): string {
  return text.replaceAll(runs, ' ')
}

/** The same text, with a sign in place of each character that cannot be shown. */
export function markUnshowable(text: string, sign: string): string {
  return text.replaceAll(each, sign)
}
