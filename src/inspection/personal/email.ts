import { endsAfter, isDigit, isEscape, isLetter, type Sighting } from './rule.ts'

/** An e-mail address at its `@` (RFC 5321 §4.1.2, RFC 6531 §3.3), whose domain ends in what may be a top-level domain. */
export function findEmail(text: string, atSign: number, from: number): Sighting | undefined {
  const end = domainEnd(text, atSign + 1)
  if (end === undefined || isRemotePath(text, end)) return undefined
  const start =
    text.charCodeAt(atSign - 1) === 0x22
      ? quotedStart(text, atSign - 1, from)
      : localStart(text, atSign, from, text.charCodeAt(end) === underscore)
  if (start === undefined || start === atSign || end - start > emailMax) return undefined
  return { kind: 'email', rule: 'email/address', start, end, confidence: 0.95 }
}

const underscore = 0x5f

/** RFC 5321 §4.5.3.1: 64 octets before the at-sign; 254 in all are what a path has room for. */
const localMax = 64
export const emailMax = 254

function localStart(text: string, atSign: number, from: number, emphasised: boolean): number | undefined {
  let start = atSign
  while (start > from && isLocal(text.charCodeAt(start - 1))) {
    if (atSign - --start > localMax) return undefined
  }
  while (start < atSign && edges.has(text.charCodeAt(start))) start++
  // `_ada@example.com_` is Markdown; an underscore in front of an address alone is its own.
  while (emphasised && text.charCodeAt(start) === underscore) start++
  if (start < atSign - 1 && isEscape(text, start + 1)) start++
  // In scripts that write no spaces a sentence may lead right up to the address.
  for (let at = atSign - 1; at >= start; at--) {
    if (isSpaceless(text.charCodeAt(at)) && at < atSign - 1 && text.charCodeAt(at + 1) < 0x80) return at + 1
  }
  if (text.charCodeAt(atSign - 1) === 0x2e || isUserinfo(text, start)) return undefined
  return start
}

/** `https://user:name@host.com`: what stands there is no mailbox. */
function isUserinfo(text: string, start: number): boolean {
  for (let at = start - 1; at >= Math.max(2, start - localMax); at--) {
    const code = text.charCodeAt(at)
    if (code === 0x2f) return text.charCodeAt(at - 1) === 0x2f && text.charCodeAt(at - 2) === 0x3a
    if (code <= 0x20 || code === 0x40 || code === 0x22) return false
  }
  return false
}

/** `"john doe"@example.com` */
function quotedStart(text: string, quote: number, from: number): number | undefined {
  for (let at = quote - 1; at >= from && quote - at <= localMax; at--) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at === quote - 1 ? undefined : at
    if (code < 0x20 || code === 0x40) return undefined
  }
  return undefined
}

/** Behind the last label of a domain of two labels at least; undefined where there is none. */
function domainEnd(text: string, start: number): number | undefined {
  let at = start
  let end: number | undefined
  for (let labels = 0; labels < 16; labels++) {
    const from = at
    while (at - from < 64 && isLabel(text.charCodeAt(at))) at++
    while (at > from && text.charCodeAt(at - 1) === 0x2d) at--
    if (at === from || at - from > 63 || text.charCodeAt(from) === 0x2d) break
    const topEnd = labels === 0 ? undefined : topLevelEnd(text, from, at)
    if (topEnd !== undefined) end = topEnd
    else if (labels > 0 && text.charCodeAt(at) !== 0x2e) end = undefined
    if (text.charCodeAt(at) !== 0x2e) break
    at++
  }
  return end
}

/** Letters of one script, or an A-label (RFC 5890 §2.3.2.1); the endings of files that look like one are none. */
function topLevelEnd(text: string, from: number, labelEnd: number): number | undefined {
  const first = text.charCodeAt(from)
  let end = from
  if (text.slice(from, from + 4).toLowerCase() === 'xn--') return labelEnd
  if (first > 0x7f) while (end < labelEnd && text.charCodeAt(end) > 0x7f) end++
  else while (end < labelEnd && isLetter(text.charCodeAt(end))) end++
  if (end < labelEnd && text.charCodeAt(end) <= 0x7f) return undefined
  if (end - from < 2 || end - from > 24) return undefined
  const next = text.charCodeAt(end)
  if (next === 0x28 || (next === 0x5f && !endsAfter(text, end)) || fileEndings.has(text.slice(from, end).toLowerCase()))
    return undefined
  return end
}

const fileEndings = new Set(
  'png jpg jpeg gif svg webp avif ico bmp tiff css scss less js mjs cjs jsx ts tsx json yaml yml xml html htm txt csv pdf exe dll dylib zip3 tgz gz tar bz2 xz lock toml ini cfg conf log map wasm woff ttf otf eot service socket timer target'.split(
    ' ',
  ),
)

/** `git@host.org:path` of scp and git; behind a colon without a path there is only what somebody goes on to say. */
function isRemotePath(text: string, end: number): boolean {
  return text.charCodeAt(end) === 0x3a && remotePath.test(text.slice(end + 1, end + 1 + pathMax))
}

const remotePath = /^(?:[\w.~-]{0,64}\/|[~.]|[\w-]{1,64}\.\w)/
const pathMax = 72

/** `atext` of RFC 5322 §3.2.3 without what only encloses addresses in texts, dots, and RFC 6531's letters. */
function isLocal(code: number): boolean {
  if (isLetter(code) || isDigit(code)) return true
  switch (code) {
    case 0x21: // !
    case 0x23: // #
    case 0x24: // $
    case 0x25: // %
    case 0x26: // &
    case 0x27: // '
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x5e: // ^
    case 0x5f: // _
    case 0x7e: // ~
      return true
    default:
      return isLetterBeyondAscii(code)
  }
}

/** What a local part may hold, but seldom begins with. */
const edges = new Set([..."!#$%&'+-.^~"].map((character) => character.charCodeAt(0)))

function isLabel(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 0x2d || isLetterBeyondAscii(code)
}

function isLetterBeyondAscii(code: number): boolean {
  if (code < 0xaa) return false
  if (code < 0x2000) return code !== 0xab && code !== 0xbb && code !== 0xd7 && code !== 0xf7 && code !== 0xb7
  return (code >= 0x3041 && code <= 0xfaff && (code < 0xd800 || code > 0xdfff)) || (code >= 0x2c00 && code <= 0x2dff)
}

function isSpaceless(code: number): boolean {
  return code >= 0x3041 && code <= 0xfaff
}
