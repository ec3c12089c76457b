import { decodeUrl } from '../decode/url.ts'
import { textOf } from './charset.ts'

/** A name and its value, decoded, in their order. */
export interface Pair {
  readonly name: string
  readonly value: string
}

/** Reads a body of `application/x-www-form-urlencoded` (URL §5.1), in UTF-8 and nothing else. */
export function readForm(
  bytes: Uint8Array,
  charset?: string,
): { readonly pairs: readonly Pair[] } | { readonly problem: string } {
  if (charset !== undefined && !isUtf8(charset)) return { problem: 'expected a form in utf-8, got another charset' }
  const read = textOf(bytes, 'utf-8')
  if ('problem' in read) return read
  const { pairs, broken } = readPairs(read.text)
  if (pairs.length > pairsMax) return { problem: `expected at most ${pairsMax} values in a form, got ${pairs.length}` }
  if (broken) return { problem: 'expected a form in utf-8, got escapes that are none' }
  const told = pairs.find(({ name }) => name === '_charset_')?.value // HTML §4.10.21.5: readers change the charset on its word
  if (told !== undefined && !isUtf8(told)) return { problem: 'expected a form in utf-8, and `_charset_` to say so' }
  return { pairs }
}

/** Whether a charset is the one that forms are in. */
export function isUtf8(charset: string): boolean {
  return /^utf-?8$/i.test(charset)
}

/**
 * The pairs of a form or a query, read tolerantly: what is no escape stays as it is, and bytes that are no UTF-8 become the
 * characters that a lax reader makes of them; `broken` where there were such.
 */
export function readPairs(text: string): { readonly pairs: readonly Pair[]; readonly broken: boolean } {
  const pairs: Pair[] = []
  let broken = false
  for (let at = 0; at <= text.length; ) {
    const next = text.indexOf('&', at)
    const end = next < 0 ? text.length : next
    if (end > at) {
      const piece = text.slice(at, end)
      const equals = piece.indexOf('=')
      const name = equals < 0 ? piece : piece.slice(0, equals)
      const value = equals < 0 ? '' : piece.slice(equals + 1)
      broken ||= isBroken(piece)
      pairs.push({ name: decoded(name), value: decoded(value) })
    }
    at = end + 1
  }
  return { pairs, broken }
}

const pairsMax = 10_000

function decoded(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return decodeUrl(spaced) ?? spaced
}

/** Whether its escapes are other than UTF-8, or `%u0027`, which only some readers know. */
function isBroken(piece: string): boolean {
  if (!piece.includes('%')) return false
  try {
    decodeURIComponent(piece.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'))
  } catch {
    return true
  }
  return /%u[0-9A-Fa-f]{4}/i.test(piece)
}
