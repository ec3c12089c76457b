import { wordsPattern } from './context.ts'
import { endsAfter, isDigit, isEscape, isLetter, isSpace, isWord, opensEmphasis, type RunFinder } from './rule.ts'

/** Telephone numbers: international (E.164) ones, national ones in the groups that countries write them in, others by a word nearby. */
export const phoneFinder: RunFinder = {
  kinds: ['phone'],
  find(around, run) {
    if (!run.isNumber) return undefined
    const { text } = around
    const written = readNumber(text, run.start)
    if (written === undefined || isDateLike(written)) return undefined
    const rule = ruleOf(written)
    const { start, end } = written
    const told = (): boolean =>
      around.isNamed(phoneWords) ||
      phoneWords.test(lastClause(text.slice(Math.max(0, start - wordsBefore), start))) ||
      labelAfter.test(text.slice(end, end + 16))
    const { length } = written.digits
    if (rule === undefined && (length < 6 || !told()) && !(written.plus && around.isAlone())) return undefined
    return {
      kind: 'phone',
      rule: rule ?? 'phone/by-word',
      start,
      end: extensionEnd(text, end),
      confidence: rule === undefined ? 0.75 : told() ? 0.95 : 0.8,
    }
  },
}

const wordsBefore = 28

/** What belongs to one member or one statement with the number. */
function lastClause(text: string): string {
  const end = Math.max(text.lastIndexOf('{'), text.lastIndexOf('}'), text.lastIndexOf(';'), text.lastIndexOf('",'))
  return end < 0 ? text : text.slice(end + 1)
}

const phoneWords = wordsPattern([
  'phone', 'phones', 'telephone', 'tel', 'mobile', 'mob', 'cell', 'cellphone', 'fax', 'call', 'call me', 'called', 'dial', 'text me', 'sms', 'whatsapp', 'msisdn', 'landline', 'hotline',
  'reach me', 'ring me', 'contact number', 'number is', 'telefon', 'telefonnummer', 'rufnummer', 'handy', 'handynummer', 'mobil', 'mobilnummer', 'telefono', 'teléfono', 'telefone', 'celular',
  'móvil', 'movil', 'téléphone', 'tél', 'portable', 'cellulare', 'telefoon', 'gsm', 'puhelin', 'puh', 'tlf', 'numer telefonu', 'телефон', 'тел', 'моб', 'τηλέφωνο', 'τηλ', '电话', '手机', '電話', '携帯', '전화',
  'phone number', 'phonenumber', 'phone no', 'tel no', 'mobile phone', 'mobile no', 'home phone', 'work phone', 'cell phone', 'mobile number', 'cell number', 'هاتف', 'फोन', 'โทร',
]) // biome-ignore format: words

const labelAfter = /^[\s\-–—(\\,]{1,3}(?:office|home|work|mobile|cell|fax|phone|tel)\b/i

interface Written {
  readonly start: number
  readonly end: number
  /** All of them, without a trunk zero in parentheses. */
  readonly digits: string
  readonly sizes: readonly number[]
  readonly separators: readonly number[]
  readonly plus: boolean
  /** How many digits stand in parentheses before the rest. */
  readonly area: number
}

function readNumber(text: string, runStart: number): Written | undefined {
  let start = runStart
  // `(415) 555-0132`, but `(415-555-0132)`.
  const parenthesis = text.charCodeAt(start - 1) === 0x28 && isClosed(text, start)
  if (parenthesis) start--
  const plus = text.charCodeAt(start - 1) === 0x2b
  if (plus) start--
  if (start > 0 && !mayPrecede(text, start, plus || parenthesis)) return undefined
  const sizes: number[] = []
  const separators: number[] = []
  let digits = ''
  let area = 0
  let at = runStart
  let end = at
  for (let open = parenthesis; at - start < writtenMax; ) {
    const from = at
    while (at - from < 16 && isDigit(text.charCodeAt(at))) at++
    const size = at - from
    if (size === 0) break
    if (open && text.charCodeAt(at) !== 0x29) break
    const group = text.slice(from, at)
    if (open) {
      at++
      if (plus && group === '0') sizes.pop()
      else area = size
      open = false
      if (!(plus && group === '0')) {
        digits += group
        sizes.push(size)
      }
      if (!plus || group !== '0') separators.push(0x29)
      if (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === 0x2d) at++
      continue
    }
    digits += group
    sizes.push(size)
    end = at
    let separator = text.charCodeAt(at)
    if (separator === 0x2010 || separator === 0x2011 || separator === 0x2013) separator = 0x2d
    if (!isSpace(separator) && separator !== 0x2d && separator !== 0x2e && separator !== 0x2f && separator !== 0x28)
      break
    if (isSpace(separator) && between.test(text.slice(at, at + 3))) at += 2
    else if (isSpace(separator) && text.charCodeAt(at + 1) === 0x28) at++
    if (text.charCodeAt(at) === 0x28) open = true
    separators.push(isSpace(separator) ? 0x20 : separator)
    at++
  }
  if (digits.length < 6 || digits.length > 15 || !endsAfter(text, end)) return undefined
  return { start, end, digits, sizes, separators: separators.slice(0, sizes.length - 1), plus, area }
}

/** Whether the group of digits at a place ends in a parenthesis. */
function isClosed(text: string, start: number): boolean {
  let at = start
  while (at - start < 6 && isDigit(text.charCodeAt(at))) at++
  return text.charCodeAt(at) === 0x29
}

const writtenMax = 28
/** ` - ` and ` / ` */
const between = /^ [-/–] /

function mayPrecede(text: string, start: number, marked: boolean): boolean {
  const code = text.charCodeAt(start - 1)
  if (code === 0x2a || code === 0x5f) return opensEmphasis(text, start)
  if (isWord(code)) return isEscape(text, start)
  // A digit and a space before: the number is the rest of a longer row, unless it has a mark of its own.
  if (isSpace(code)) return marked || start < 2 || !isDigit(text.charCodeAt(start - 2)) || isListMark(text, start - 2)
  return !notBefore.has(code)
}

/** `1 555-123-4567` is read from its one; `2 555…` in a list is not. */
function isListMark(text: string, at: number): boolean {
  return at === 0 || text.charCodeAt(at - 1) === 0x0a
}

const notBefore = new Set([...'+-./\\$€£%#^@&'].map((character) => character.charCodeAt(0)))

function ruleOf(written: Written): string | undefined {
  const { digits, plus, area, sizes, separators } = written
  if (plus) return isInternational(digits) ? 'phone/international' : undefined
  if (digits.startsWith('00'))
    return sizes.length > 1 && isInternational(digits.slice(2)) ? 'phone/international' : undefined
  if (isNorthAmerican(written)) return 'phone/north-american'
  if (sizes.length < 2) return undefined
  if (sizes.some((size, at) => at > 0 && size < 2)) return undefined
  const { length } = digits
  const first = sizes[0] as number
  const isPair = length === 10 && sizes.every((size) => size === 2)
  if (digits[0] === '0') {
    // `078-05-1120` is grouped as a social security number is.
    if (length < 9 || length > 12 || first > 5 || first < 2 || sizes.join() === '3,2,4') return undefined
    if (separators.includes(0x2e) && !isPair) return undefined
    return separators.slice(1).every((separator) => separator === separators[1]) ? 'phone/trunk-prefix' : undefined
  }
  if (area >= 2 && area <= 5 && length >= 9 && length <= 11 && !(area === 4 && /^(?:19|20)/.test(digits)))
    return 'phone/area-code'
  if (/^8[3-9]/.test(digits) && sizes.join() === '1,3,3,2,2') return 'phone/russian'
  if (/^1[3-9]/.test(digits) && sizes.join() === '3,4,4') return 'phone/chinese'
  return undefined
}

/** North American Numbering Plan: an area code and an exchange begin with 2 to 9. */
function isNorthAmerican({ digits, sizes, separators, area }: Written): boolean {
  const long = digits.length === 11 && digits[0] === '1'
  if (digits.length !== 10 && !long) return false
  const own = long ? sizes.slice(1) : sizes
  if (own.join() !== '3,3,4') return false
  const national = long ? digits.slice(1) : digits
  if (!/^[2-9]/.test(national)) return false
  const inner = separators.slice(long ? 1 : 0)
  if (area === 3 || (inner[0] !== 0x20 && inner[0] === inner[1])) return true
  return /^[2-9]..[2-9]/.test(national)
}

/** E.164: a country code that is given out, and as many digits as its numbers have. */
function isInternational(digits: string): boolean {
  for (const size of [1, 2, 3]) {
    const bounds = countries.get(digits.slice(0, size))
    if (bounds !== undefined) return digits.length - size >= bounds[0] && digits.length - size <= bounds[1]
  }
  return false
}

/** ITU-T E.164, list of country codes, with the shortest and the longest number behind each. */
// biome-ignore format: a table
const countryTable = `1 10-10 7 10-10 20 8-10 27 9-9 30 10-10 31 9-9 32 8-9 33 9-9 34 9-9 36 8-9 39 6-11 40 9-9 41 9-12 43 7-13 44 9-10 45 8-8
46 7-10 47 8-8 48 9-9 49 6-13 51 8-9 52 10-11 53 6-8 54 10-11 55 10-11 56 8-9 57 8-10 58 10-10 60 8-10 61 9-9 62 8-12 63 8-10 64 8-10
65 8-8 66 8-9 81 9-10 82 8-11 84 9-10 86 9-12 90 10-10 91 10-10 92 9-10 93 9-9 94 9-9 95 7-10 98 10-10`

const countries = new Map<string, readonly [number, number]>()
const countryWords = countryTable.split(/\s+/)
for (let at = 0; at < countryWords.length; at += 2) {
  const [least, most] = (countryWords[at + 1] as string).split('-').map(Number) as [number, number]
  countries.set(countryWords[at] as string, [least, most])
}
// biome-ignore format: a table
for (const range of ['211-213', '216-216', '218-218', '220-269', '290-291', '297-299', '350-359', '370-378', '380-383', '385-387', '389-389', '420-421',
  '423-423', '500-509', '590-599', '670-670', '672-692', '800-800', '850-850', '852-853', '855-856', '870-870', '880-880', '886-886', '960-968', '970-977', '979-979', '992-998']) {
  const [first, last] = range.split('-').map(Number) as [number, number]
  for (let code = first; code <= last; code++) countries.set(String(code), [6, 12])
}

/** `2024-01-31`, `31.01.2024`, `31/01/24`. */
function isDateLike({ sizes, plus, area }: Written): boolean {
  if (plus || area > 0) return false
  const [one = 0, two = 0, three = 0] = sizes
  if (sizes.length < 3) return false
  return (
    (one === 4 && two <= 2 && three <= 2) ||
    (one <= 2 && two <= 2 && (three === 4 || (three === 2 && sizes.length === 3)))
  )
}

/** ` x123`, ` ext. 123` */
function extensionEnd(text: string, end: number): number {
  const code = text.charCodeAt(end)
  if (!isSpace(code) && !isLetter(code) && code !== 0x2c && code !== 0x3b) return end
  const found = /^(?:[ ,;]{0,2}(?:x|ext\.?|extension|durchwahl)[ .:=]{0,2}\d{1,6})\b/i.exec(text.slice(end, end + 24))
  return found === null ? end : end + found[0].length
}
