import { isPlaceholder } from './placeholders.ts'
import type { SecretSighting } from './sighting.ts'

/** The password of `scheme://user:password@host` (RFC 3986 §3.2.1), at the colon of the scheme. */
export function findUserinfo(text: string, colonAt: number): SecretSighting | undefined {
  if (text.charCodeAt(colonAt + 1) !== 0x2f || text.charCodeAt(colonAt + 2) !== 0x2f) return undefined
  const from = colonAt + 3
  let separator = -1
  let sign = -1
  for (let at = from; at < text.length && at - from < userinfoMax; at++) {
    const code = text.charCodeAt(at)
    if (code <= 0x20 || ends.has(code)) break
    if (code === 0x3a && separator < 0) separator = at
    if (code === 0x40) sign = at
    if (code === 0x2f && (separator < 0 || sign >= 0 || text.charCodeAt(at + 1) === 0x2f)) break
  }
  if (separator < 0 || sign < separator + 3) return undefined
  const user = text.slice(from, separator)
  const password = text.slice(separator + 1, sign)
  if (password.includes('/') && /^\d{1,5}\//.test(password)) return undefined // a port, and a path with an at-sign
  // `postgres:postgres` is what a database comes with.
  if (isPlaceholder(password) || password === user || /^[A-Z][A-Z_]+$/.test(password)) return undefined
  return { kind: 'password', rule: 'secret/url-password', start: separator + 1, end: sign, confidence: 0.9 }
}

const userinfoMax = 256
const ends = new Set([...`"'<>\`{}|\\^[]?#,`].map((character) => character.charCodeAt(0)))

/** `Basic` and base64 of `user:password` (RFC 7617 §2), at its first letter. */
export function findBasic(text: string, start: number): SecretSighting | undefined {
  basic.lastIndex = start
  const found = basic.exec(text)
  if (found === null) return undefined
  const pair = Buffer.from(found[1] as string, 'base64').toString('latin1')
  if (!/^[\x20-\x7e]{0,100}:[\x20-\x7e]{3,200}$/.test(pair) || isPlaceholder(pair.slice(pair.indexOf(':') + 1)))
    return undefined
  const end = start + found[0].length
  return {
    kind: 'password',
    rule: 'secret/basic-credentials',
    start: end - (found[1] as string).length,
    end,
    confidence: 0.9,
  }
}

const basic = /[Bb]asic {1,3}([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])/y

/** `curl -u user:password` and its kin, at the hyphen of the option. */
export function findUserOption(text: string, hyphenAt: number): SecretSighting | undefined {
  option.lastIndex = hyphenAt
  const found = option.exec(text)
  if (found === null || !/\b(?:curl|wget|http|https|xh)\b/.test(text.slice(Math.max(0, hyphenAt - 240), hyphenAt)))
    return undefined
  const password = found[2] as string
  if (password.length < 4 || isPlaceholder(password)) return undefined
  const start = hyphenAt + (found[1] as string).length
  return { kind: 'password', rule: 'secret/curl-user', start, end: start + password.length, confidence: 0.85 }
}

const option = /((?:-u|--user)[ =]{0,2}["']?[^\s:"']{0,64}:)([^\s"']{3,128})/y
