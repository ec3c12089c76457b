import type { Format } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { compilePattern } from './pattern.ts'

/** A format of strings or numbers, and how a person would name what has it. */
export interface KnownFormat {
  readonly ajv: Format
  readonly words: string
}

/**
 * Formats of JSON Schema 2020-12 (validation §7) and of OpenAPI (§4.4.3 of 3.1). Those of times are ours, since a bound on one
 * has to hold for each of them; so are those whose usual expression goes back, or reads a text line by line.
 */
export const formats: Readonly<Record<string, KnownFormat>> = {
  date: { ajv: comparable(isDate, dayOf), words: 'a date such as `2026-12-31`' },
  time: { ajv: comparable(isTime, secondsOf), words: 'a time such as `23:59:59Z`' },
  'date-time': {
    ajv: comparable(isDateTime, momentOf),
    words: 'a date and time such as `2026-12-31T23:59:59Z`',
  },
  duration: { ajv: usual('duration'), words: 'a duration such as `P1DT12H`' },
  email: { ajv: usual('email'), words: 'an e-mail address' },
  hostname: { ajv: usual('hostname'), words: 'the name of a host' },
  ipv4: { ajv: usual('ipv4'), words: 'an IPv4 address' },
  ipv6: { ajv: usual('ipv6'), words: 'an IPv6 address' },
  uri: { ajv: usual('uri'), words: 'a URI' },
  'uri-reference': { ajv: usual('uri-reference'), words: 'a URI, or a reference to one' },
  'uri-template': { ajv: usual('uri-template'), words: 'a URI template' },
  url: { ajv: isUrl, words: 'a URL such as `https://example.com/`' },
  uuid: { ajv: usual('uuid'), words: 'a UUID' },
  'json-pointer': { ajv: usual('json-pointer'), words: 'a JSON Pointer' },
  'json-pointer-uri-fragment': { ajv: usual('json-pointer-uri-fragment'), words: 'a JSON Pointer as a fragment' },
  'relative-json-pointer': { ajv: usual('relative-json-pointer'), words: 'a relative JSON Pointer' },
  regex: { ajv: isPattern, words: 'a regular expression' },
  byte: { ajv: isBase64, words: 'base64' },
  binary: { ajv: true, words: 'bytes' },
  password: { ajv: true, words: 'a password' },
  int32: { ajv: { type: 'number', validate: isInt32 }, words: 'an integer from -2147483648 to 2147483647' },
  int64: { ajv: { type: 'number', validate: isInt64 }, words: 'an integer from -2^63 to 2^63 - 1' },
  float: { ajv: { type: 'number', validate: Number.isFinite }, words: 'a number' },
  double: { ajv: { type: 'number', validate: Number.isFinite }, words: 'a number' },
}

/** Those of ajv-formats that take time in proportion to the text: a test measures each of them. */
function usual(name: keyof typeof fullFormats): Format {
  return fullFormats[name] as Format
}

/** Compares by a number that every text of the format has: bounds would hold for nobody where there was none. What has not the format is told so by the format. */
function comparable(validate: (text: string) => boolean, numberOf: (text: string) => number): Format {
  return {
    type: 'string',
    validate,
    compare: (one: string, other: string) =>
      typeof other === 'string' && validate(one) && validate(other) ? numberOf(one) - numberOf(other) : Number.NaN,
  }
}

const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** `full-date` of RFC 3339 §5.6. */
function isDate(text: string): boolean {
  if (text.length !== 10 || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))]
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (month === 2 && leap ? 29 : (days[month - 1] ?? 0))
}

function dayOf(text: string): number {
  return Date.parse(`${text}T00:00:00Z`)
}

const timePattern = /^(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,64})?)(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/** `full-time` of RFC 3339 §5.6; a sixtieth second there is only before midnight in UTC (§5.7). */
function isTime(text: string): boolean {
  const read = readTime(text)
  return read?.valid === true && (read.seconds < 60 || (read.seconds < 61 && modulo(read.minute, 1440) === 1439))
}

interface Time {
  /** Minutes since midnight in UTC, of the same day as it is written for: it may be of the day before, or after. */
  readonly minute: number
  /** With what is behind the point. */
  readonly seconds: number
  readonly valid: boolean
}

function readTime(text: string): Time | undefined {
  const read = text.length > 90 ? null : timePattern.exec(text)
  if (read === null) return undefined
  const [hours, minutes, seconds, offsetHours, offsetMinutes] = [1, 2, 3, 5, 6].map((group) =>
    Number(read[group] ?? 0),
  ) as [number, number, number, number, number]
  const offset = (read[4] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes)
  return {
    minute: hours * 60 + minutes - offset,
    seconds,
    valid: hours < 24 && minutes < 60 && offsetHours < 24 && offsetMinutes < 60,
  }
}

function secondsOf(text: string): number {
  const { minute, seconds } = readTime(text) as Time
  return modulo(minute, 1440) * 60 + seconds
}

function isDateTime(text: string): boolean {
  const mark = text.charAt(10)
  return (mark === 'T' || mark === 't') && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

function momentOf(text: string): number {
  const { minute, seconds } = readTime(text.slice(11)) as Time
  return dayOf(text.slice(0, 10)) / 1000 + minute * 60 + seconds
}

function modulo(number: number, by: number): number {
  return ((number % by) + by) % by
}

/** Of the web, by a name or an address: what `new URL` reads without mending it. */
function isUrl(text: string): boolean {
  return text.length <= 8192 && /^https?:\/\/(?!\/)[^\s\\\p{C}]{1,8192}$/iu.test(text) && URL.canParse(text)
}

/** One that we would run as well. */
function isPattern(text: string): boolean {
  if (text.length > 1000) return false
  try {
    compilePattern(text)
    return true
  } catch {
    return false
  }
}

/** RFC 4648 §4, padded, and nothing beside it. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}

function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value <= 2 ** 63
}
