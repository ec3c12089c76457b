import { crc32 } from 'node:zlib'
import { base62 } from '../../kernel/key-text.ts'
import { entropy } from './alphabets.ts'
import { platformRules, productRules, type ServiceRule } from './services.ts'
import { isAlphanumeric, type SecretSighting } from './sighting.ts'

/** The credential that begins at a place where a word begins, by its prefix. */
export function findPrefixed(text: string, start: number): SecretSighting | undefined {
  const first = text.charCodeAt(start)
  const second = text.charCodeAt(start + 1)
  if (first > 127 || second > 127) return undefined
  const some = byTwo[first * 128 + second]
  if (some === undefined) return undefined
  let best: SecretSighting | undefined
  for (const rule of some) {
    if (!text.startsWith(rule.prefix, start)) continue
    const found = match(text, start, rule)
    if (found !== undefined && (best === undefined || found.end > best.end)) best = found
  }
  return best
}

/** Whether some prefix begins with these two characters. */
export function mayBegin(first: number, second: number): boolean {
  return first < 128 && second < 128 && byTwo[first * 128 + second] !== undefined
}

interface Prefix {
  readonly rule: ServiceRule
  readonly prefix: string
  readonly rest: RegExp
}

const byTwo: (readonly Prefix[] | undefined)[] = new Array<undefined>(128 * 128).fill(undefined)
for (const rule of [...platformRules, ...productRules]) {
  const rest = new RegExp(rule.rest, 'y')
  for (const prefix of rule.prefixes) {
    const at = prefix.charCodeAt(0) * 128 + prefix.charCodeAt(1)
    byTwo[at] = [...(byTwo[at] ?? []), { rule, prefix, rest }]
  }
}

function match(text: string, start: number, { rule, prefix, rest }: Prefix): SecretSighting | undefined {
  const from = start + prefix.length
  rest.lastIndex = from
  const found = rest.exec(text)
  if (found === null) return undefined
  let end = from + found[0].length
  while (end > from && isPunctuation(text.charCodeAt(end - 1))) end--
  // A longer run is something else: an identifier, a hash, a row of base64.
  if (isAlphanumeric(text.charCodeAt(end))) return undefined
  const value = text.slice(from, end)
  if (entropy(value) < (rule.entropy ?? (value.length < 24 ? 2.8 : 3)) || shown.test(value) || !isMixed(value, rule))
    return undefined
  const checked = rule.rule === 'github-token' ? hasGithubChecksum(value) : true
  // Of `Bearer …` the scheme stays.
  return {
    kind: rule.kind ?? 'api-key',
    rule: `secret/${rule.rule}`,
    start: prefix.endsWith(' ') ? from : start,
    end,
    confidence: checked ? 0.95 : 0.85,
  }
}

/** What manuals write in the place of one. */
const shown = /x{5,}|X{5,}|\*{3}|\.{3}|EXAMPLE|example|your[-_]|placeholder|redacted|0{8}|12345678|abcdefghij|[-_]here$/

/** Letters alone are words of a program, unless the rule has no other characters. */
function isMixed(value: string, rule: ServiceRule): boolean {
  if (rule.rule === 'huggingface-token') return /[A-Z]/.test(value) && /[a-z]/.test(value)
  return /[0-9]/.test(value) && !/^[a-z]+(?:[-_][a-z]+)*[-_]?\d{0,2}$/.test(value)
}

function isPunctuation(code: number): boolean {
  return code === 0x2e || code === 0x2c || code === 0x2d
}

/** The last six characters of GitHub's tokens are the CRC-32 of those before, in base 62 with capitals last. */
function hasGithubChecksum(value: string): boolean {
  const sum = base62(BigInt(crc32(value.slice(0, -6))), 6)
  const swapped = sum.replace(/[A-Za-z]/g, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))
  return value.endsWith(sum) || value.endsWith(swapped)
}
