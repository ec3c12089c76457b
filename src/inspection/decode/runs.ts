import type { Decoding } from '../view.ts'
import { hexDigit } from './url.ts'

/** A stretch of a text that stands for another text. */
export interface Run {
  readonly text: string
  readonly by: Decoding
  readonly start: number
  readonly end: number
}

/**
 * The stretches of a text that are base64 (RFC 4648 §4 and §5, padded or not) or hexadecimal and decode to text. Most letters and
 * digits in a row are names, hashes and keys, and what they decode to is no text: they cost a look at some of their bytes.
 */
export function encodedRuns(text: string): readonly Run[] {
  let found: Run[] | undefined
  for (let at = 0; at < text.length; at++) {
    if (!isOfBase64(text.charCodeAt(at))) continue
    const start = at
    at = endOfRun(text, start)
    const length = at - start
    if (length >= runMin || (length >= wholeMin && isWhole(text, start, at)) || isPrefixedHex(text, start, at)) {
      const run = readRun(text, start, at)
      if (run !== undefined) (found ??= []).push(...run)
    }
  }
  return found ?? none
}

const none: readonly Run[] = []

/** From how many characters on a run within a text is looked into, and a run that is all of it. */
const runMin = 16
const wholeMin = 8

/** The value of each character of both alphabets, and one. */
const base64Values = new Uint8Array(128)
for (const alphabet of ['+/', '-_']) {
  const letters = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${alphabet}`
  for (let value = 0; value < 64; value++) base64Values[letters.charCodeAt(value)] = value + 1
}

function isOfBase64(unit: number): boolean {
  return unit < 128 && base64Values[unit] !== 0
}

/** Where it ends: lines of base64 are broken at 64 or 76 characters (RFC 2045 §6.8, RFC 7468 §2), and go on. */
function endOfRun(text: string, start: number): number {
  for (let at = start, line = start; ; ) {
    while (isOfBase64(text.charCodeAt(at))) at++
    const next = text.charCodeAt(at) === 0x0d ? at + 2 : at + 1
    if (at - line < lineMin || text.charCodeAt(next - 1) !== 0x0a || !isOfBase64(text.charCodeAt(next))) return at
    at = line = next
  }
}

const lineMin = 60

/** Whether nothing but padding and white space stands around it. */
function isWhole(text: string, start: number, end: number): boolean {
  return end - start >= text.length - edgesMax && text.trim().replace(/={1,2}$/, '').length === end - start
}

const edgesMax = 8

function isPrefixedHex(text: string, start: number, end: number): boolean {
  return end - start >= 10 && (text.charCodeAt(start + 1) | 0x20) === 0x78 && text.charCodeAt(start) === 0x30
}

function readRun(text: string, start: number, end: number): readonly Run[] | undefined {
  const hex = readHex(text, start, end)
  if (hex !== undefined) return [hex]
  const whole = readBase64(text, start, end)
  if (whole !== undefined) return [whole]
  // A path or a name in front of it belongs to the same letters: each of its steps may be one by itself.
  const steps: Run[] = []
  for (let from = start, at = start; at <= end; at++) {
    if (at < end && !isStep(text.charCodeAt(at))) continue
    const step =
      at - from >= runMin && at - from < end - start && beginsAsText(text, from)
        ? readBase64(text, from, at)
        : undefined
    if (step !== undefined) steps.push(step)
    from = at + 1
  }
  return steps.length === 0 ? undefined : steps
}

function isStep(unit: number): boolean {
  return unit === 0x2f || unit === 0x2d || unit === 0x5f
}

/** Whether the first characters decode to text for the most part: there are many steps, and most are none. */
function beginsAsText(text: string, start: number): boolean {
  for (let group = 0; group < 3; group++) {
    let bits = 0
    for (let at = start + group * 4; at < start + group * 4 + 4; at++) {
      bits = (bits << 6) | ((base64Values[text.charCodeAt(at)] as number) - 1)
    }
    beginning[group * 3] = bits >> 16
    beginning[group * 3 + 1] = (bits >> 8) & 0xff
    beginning[group * 3 + 2] = bits & 0xff
  }
  return unreadableOf(beginning, 2) <= 2
}

const beginning = new Uint8Array(9)

function readHex(text: string, start: number, end: number): Run | undefined {
  const from = isPrefixedHex(text, start, end) ? start + 2 : start
  if ((end - from) % 2 !== 0) return undefined
  let letters = from > start
  for (let at = from; at < end; at++) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) return undefined
    if (digit > 9) letters = true
  }
  if (!letters) return undefined // a number
  const hidden = textIn(Buffer.from(text.slice(from, end), 'hex'))
  return hidden === undefined ? undefined : { text: hidden, by: 'hex', start, end }
}

function readBase64(text: string, start: number, end: number): Run | undefined {
  const hidden = textIn(Buffer.from(text.slice(start, end), 'base64'))
  return hidden === undefined ? undefined : { text: hidden, by: 'base64', start, end }
}

/** Bytes as text: UTF-8 or UTF-16LE, where nearly all of it can be read, and all of it where it is short. */
function textIn(bytes: Buffer): string | undefined {
  if (bytes.length < 4) return undefined
  if (isWideText(bytes)) return bytes.toString('utf16le')
  const allowed = bytes.length < 24 ? 0 : bytes.length * 0.15
  return unreadableOf(bytes, allowed) <= allowed ? bytes.toString('utf8') : undefined
}

/** ASCII in two bytes each, as PowerShell takes its commands. */
function isWideText(bytes: Uint8Array): boolean {
  if (bytes.length % 2 !== 0 || bytes.length < 8) return false
  for (let at = 0; at < bytes.length; at += 2) {
    if (bytes[at + 1] !== 0 || !isReadable(bytes[at] as number)) return false
  }
  return true
}

/** How many bytes are neither readable ASCII nor UTF-8; counting ends beyond what is allowed. */
function unreadableOf(bytes: Uint8Array, allowed: number): number {
  let count = 0
  for (let at = 0; at < bytes.length && count <= allowed; ) {
    const byte = bytes[at] as number
    if (byte < 0x80) {
      if (!isReadable(byte)) count++
      at++
      continue
    }
    const length =
      byte >= 0xc2 && byte < 0xe0 ? 2 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xf0 && byte < 0xf5 ? 4 : 0
    let read = 1
    while (read < length && ((bytes[at + read] ?? 0) & 0xc0) === 0x80) read++
    if (read !== length) count += read
    at += read
  }
  return count
}

function isReadable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d)
}
