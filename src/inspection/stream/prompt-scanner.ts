import { isAnyDigit } from '../personal/plain.ts'
import type { Scanner } from './redactor.ts'

/**
 * A scanner that tells early what is settled, for scanners of personal data and of secrets: what their matches begin with is a
 * run without spaces, a number, a name with a capital, a month, a quotation or the first line of a key, and what they depend on
 * stands near by. Ordinary words are let go as soon as they are whole.
 */
export function promptScanner(scanner: Scanner): Scanner {
  return {
    reach: scanner.reach,
    context: Math.min(scanner.reach, contextMax),
    scan: (text, name) => scanner.scan(text, name),
    settled: (text) => settledOf(text, scanner.reach),
  }
}

/** Words that tell what a value is stand no further before it. */
const contextMax = 256
/** Nor further behind it. */
const afterMax = 48
/** Of a quoted name in an e-mail address. */
const quotedMax = 80
/** Words with capitals and short words that a number may join, a street, a town, a month. */
const joinedMax = 200

function settledOf(text: string, reach: number): number {
  const floor = Math.max(0, text.length - reach)
  return Math.max(floor, Math.min(keyFrom(text, floor), quotedFrom(text, floor), wordsFrom(text, floor)))
}

/** A private key of which the end has not come, in PEM (RFC 7468) or as PuTTY keeps it. */
function keyFrom(text: string, floor: number): number {
  const begin = text.lastIndexOf(pem)
  if (begin >= floor && mayBePrivate(text, begin)) {
    const end = text.indexOf(pemEnd, begin)
    if (end < 0 || text.indexOf('-----', end + pemEnd.length) < 0) return begin
  }
  const lines = text.lastIndexOf(putty)
  return lines >= floor && !notBase64.test(text.slice(lines + putty.length)) ? lines : text.length
}

const pem = '-----BEGIN'
const pemEnd = '-----END'
const putty = 'Private-Lines: '
const notBase64 = /[^A-Za-z0-9+/=\s]/

function mayBePrivate(text: string, begin: number): boolean {
  const labelEnd = text.indexOf('-----', begin + pem.length)
  return labelEnd < 0 || text.slice(begin, labelEnd).includes('PRIVATE')
}

/** A quotation that goes on, or one that has ended and to which a domain is being written. */
function quotedFrom(text: string, floor: number): number {
  const from = Math.max(floor, text.length - quotedMax)
  const last = text.lastIndexOf('"')
  if (last < from) return text.length
  if (last === 0 || opensBefore.has(text[last - 1] as string)) return last
  const before = text.lastIndexOf('"', last - 1)
  const isOpen = before >= floor && last - before <= quotedMax && !space.test(text.slice(last + 1))
  return isOpen ? before : text.length
}

const space = /\s/

const opensBefore = new Set(' \t\n\r([{:=,;')

/** Goes back word by word as long as what is there may be joined by what comes. */
function wordsFrom(text: string, floor: number): number {
  let open = text.length
  let end = text.length
  for (let isLast = true; end > floor; isLast = false) {
    let start = end
    let shape = 0
    for (; start > floor; start--) {
      const unit = text.charCodeAt(start - 1)
      if (isSpace(unit)) break
      shape |= shapeOf(unit)
    }
    const distance = text.length - end
    const telling = shape & (digit | at)
    const joins =
      start === end ||
      telling !== 0 ||
      end - start <= 3 ||
      isCapital(text.charCodeAt(start)) ||
      isCapital(text.charCodeAt(start + 1)) ||
      isMonth(text, start)
    if (
      isLast ||
      (telling !== 0 && distance <= afterMax) ||
      (joins && open - end <= 2 && text.length - start <= joinedMax)
    )
      open = start
    else if (distance > afterMax) break
    end = start
    while (end > floor && isSpace(text.charCodeAt(end - 1))) end--
    if (end === start) break
  }
  return open
}

const digit = 1
const at = 2

function shapeOf(unit: number): number {
  if (isAnyDigit(unit)) return digit
  return unit === 0x40 || unit === 0xff20 ? at : 0
}

/** Scripts that write no spaces have as many ends of words as characters. */
function isSpace(unit: number): boolean {
  return (
    unit <= 0x20 ||
    unit === 0xa0 ||
    unit === 0x202f ||
    (unit >= 0x3041 && unit <= 0xfaff && (unit < 0xd800 || unit > 0xdfff))
  )
}

function isCapital(unit: number): boolean {
  return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0xc0 && unit <= 0xde) || (unit >= 0x400 && unit <= 0x42f)
}

/** Also words that stand between a street and a number. */
function isMonth(text: string, start: number): boolean {
  return months.has(text.slice(start, start + 3).toLowerCase())
}

const months = new Set(
  'jan feb fév fev mar mär apr avr abr may mai mag jun jui jul lug giu aug aoû aou ago sep set oct okt out ott nov dec déc dez dic ene gen uni sui box apa flo roo fla'.split(
    ' ',
  ),
)
