import { asWritten, plainOf } from '../personal/plain.ts'
import { isEscape, opensEmphasis } from '../personal/rule.ts'
import type { Match, TextScanner } from '../personal/scanner.ts'
import { findAnchored } from './anchors.ts'
import { findAssigned, findNamed } from './assignment.ts'
import { blockMax, findJwts, findPrivateKeys } from './blocks.ts'
import { findBasic, findUserinfo, findUserOption } from './connections.ts'
import { type SecretKind, secretKindNames } from './kinds.ts'
import { findPrefixed } from './prefixes.ts'
import type { SecretSighting } from './sighting.ts'

/** A scanner for credentials of these kinds, or of all. */
export function openSecretScanner({
  kinds = secretKindNames,
}: {
  readonly kinds?: readonly SecretKind[] | undefined
} = {}): TextScanner {
  const wanted = new Set(kinds)
  return {
    reach: blockMax,
    scan(text, name) {
      if (text.length < 6) return none
      const plain = plainOf(text)
      return plain === undefined ? scan(text, name, wanted) : asWritten(scan(plain.text, name, wanted), plain, blockMax)
    },
  }
}

function scan(text: string, name: string | undefined, wanted: ReadonlySet<SecretKind>): readonly Match[] {
  const found: SecretSighting[] = []
  const tell = (sighting: SecretSighting | undefined): void => {
    if (sighting !== undefined && wanted.has(sighting.kind)) found.push(sighting)
  }
  findWords(text, tell)
  findAnchored(text, tell)
  findPrivateKeys(text, tell)
  findJwts(text, tell)
  if (name !== undefined && found.length === 0) tell(findNamed(text, name))
  return found.length === 0 ? none : withoutOverlaps(found)
}

const none: readonly Match[] = []

/** Looks where a word begins, and at the signs between a name and its value. */
function findWords(text: string, tell: (sighting: SecretSighting | undefined) => void): void {
  let before = 0
  /** Behind `\n` and its kin a word begins, as in JSON that stands in a text. */
  let escapeEnd = -1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const sort = code < 128 ? sorts[code] : 0
    if (sort === word) {
      if (before !== word || at === escapeEnd || (text.charCodeAt(at - 1) === underscore && opensEmphasis(text, at))) {
        const found = findPrefixed(text, at)
        tell(found)
        if (code === 0x42 || code === 0x62) tell(findBasic(text, at))
        if (found !== undefined) {
          at = found.end - 1
          before = word
          continue
        }
      }
    } else if (sort === sign) {
      if (code === 0x3a) tell(findUserinfo(text, at))
      if (code === 0x2d)
        tell(
          text.charCodeAt(at + 1) === 0x75 || text.charCodeAt(at + 1) === 0x2d ? findUserOption(text, at) : undefined,
        )
      else if (code !== 0x2c || quotes.has(text.charCodeAt(at - 1))) tell(findAssigned(text, at))
    }
    if (code === backslash && isEscape(text, at + 2)) escapeEnd = at + 2
    before = sort === word ? word : 0
  }
}

const underscore = 0x5f
const backslash = 0x5c
const word = 1
const sign = 2
/** `set("password", …)`: elsewhere a comma stands between no name and its value. */
const quotes = new Set([0x22, 0x27, 0x60])
const sorts = new Uint8Array(128)
for (let code = 0; code < 128; code++) if (/[A-Za-z0-9_]/.test(String.fromCharCode(code))) sorts[code] = word
for (const mark of '=:>|,-') sorts[mark.charCodeAt(0)] = sign

/** Of those that overlap the longer, and of equals the surer. */
function withoutOverlaps(found: SecretSighting[]): readonly Match[] {
  found.sort((one, other) => one.start - other.start || other.end - one.end || other.confidence - one.confidence)
  const kept: SecretSighting[] = []
  for (const sighting of found) {
    const last = kept.at(-1)
    if (last === undefined || sighting.start >= last.end) kept.push(sighting)
    else if (sighting.end - sighting.start > last.end - last.start) kept[kept.length - 1] = sighting
  }
  return kept
}
