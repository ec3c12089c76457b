import { Rewrite } from './rewrite.ts'

/**
 * A text without the comments that stand inside its words, as in `scr<!-- -->ipt` and with those of SQL: readers that drop comments put such a
 * word together. Comments between words are white space to every reader, and stay. Undefined where there are none.
 */
export function withoutComments(text: string): string | undefined {
  let left = text
  for (const [opening, closing] of kinds) left = withoutKind(left, opening, closing)
  return left === text ? undefined : left
}

const kinds = [
  ['/*', '*/'],
  ['<!--', '-->'],
] as const

function withoutKind(text: string, opening: string, closing: string): string {
  const rewrite = new Rewrite(text)
  for (let at = text.indexOf(opening); at >= 0; ) {
    const close = text.indexOf(closing, at + opening.length)
    if (close < 0) break // none of the openings that follow has an end either
    const end = close + closing.length
    const begun = isWord(text.charCodeAt(at - 1)) || (rewrite.kept > 0 && rewrite.kept === at)
    if (begun && endsInWord(text, end, opening)) {
      rewrite.replace(at, end, '')
    }
    at = text.indexOf(opening, end)
  }
  return rewrite.result() ?? text
}

/** Whether the word goes on, be it behind another comment. */
function endsInWord(text: string, end: number, opening: string): boolean {
  return isWord(text.charCodeAt(end)) || text.startsWith(opening, end)
}

function isWord(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a) || unit === 0x5f
}
