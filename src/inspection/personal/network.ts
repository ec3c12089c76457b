import { parseAddress } from '../../kernel/ip.ts'
import type { Surroundings } from './context.ts'
import { endsAfter, isDigit, isLetter, isWord, type RunFinder, type Sighting } from './rule.ts'

/** IPv4 addresses (RFC 6943 §3.1.1: no leading zeros), and IPv6 addresses with a digit in them. */
export const addressFinder: RunFinder = {
  kinds: ['ip'],
  find(around, run) {
    // `::ffff:192.0.2.1` is one address.
    const mapped = around.text.charCodeAt(run.start - 1) === 0x3a ? ipv6(around.text, run.start) : undefined
    return mapped ?? ipv4(around, run.start, run.isNumber) ?? ipv6(around.text, run.start)
  },
}

function ipv4({ text }: Surroundings, start: number, isNumber: boolean): Sighting | undefined {
  if (!isNumber || (start > 0 && goesOn(text, start - 1))) return undefined
  let end = start
  while (end - start < 16 && isDotOrDigit(text.charCodeAt(end))) end++
  if (text.charCodeAt(end - 1) === 0x2e) end--
  if (end - start < 7 || (text.charCodeAt(end) === 0x2d && isWord(text.charCodeAt(end + 1)))) return undefined
  const written = text.slice(start, end)
  if (isWord(text.charCodeAt(end)) || parseAddress(written)?.family !== 4) return undefined
  // `version 1.2.3.4`: the one other thing that is written so.
  if (versions.test(text.slice(Math.max(0, start - 16), start))) return undefined
  return { kind: 'ip', rule: 'ip/v4', start, end, confidence: 0.9 }
}

const versions = /(?:\bv|\bver|versions?|release|build|\brev|==|>=|<=|~|\^|§|section|chapter)[\s:.="'#]{0,3}$/i

function goesOn(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return isWord(code) || code === 0x2e || (code === 0x2d && at > 0 && isWord(text.charCodeAt(at - 1)))
}

function isDotOrDigit(code: number): boolean {
  return code === 0x2e || isDigit(code)
}

function ipv6(text: string, runStart: number): Sighting | undefined {
  let start = runStart
  while (start > 0 && runStart - start < 40 && isAddressPart(text.charCodeAt(start - 1))) start--
  let end = runStart
  while (end - start < 46 && isAddressPart(text.charCodeAt(end))) end++
  if (end - start > 45 || (start > 0 && isWord(text.charCodeAt(start - 1))) || isWord(text.charCodeAt(end)))
    return undefined
  while (end > start && text.charCodeAt(end - 1) === 0x2e) end--
  if (text.charCodeAt(end - 1) === 0x3a && text.charCodeAt(end - 2) !== 0x3a) end--
  if (text.charCodeAt(start) === 0x3a && text.charCodeAt(start + 1) !== 0x3a) start++
  const written = text.slice(start, end)
  if (written.length < 4 || written.indexOf(':') < 0 || parseAddress(written)?.family === undefined) return undefined
  // `12::34` is more often a time or a C++ name than an address.
  if (
    written.split(':').filter((group) => group !== '').length < 3 &&
    !/^(?:fe80|f[cd]|2[0-9a-f]{3}|::ffff|::1$)/i.test(written)
  )
    return undefined
  return { kind: 'ip', rule: 'ip/v6', start, end, confidence: 0.9 }
}

function isAddressPart(code: number): boolean {
  if (isDotOrDigit(code) || code === 0x3a) return true
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66
}

/** A MAC address (IEEE 802) at the first of its separators: six pairs, or Cisco's three groups of four. */
export function findMac(text: string, separatorAt: number): Sighting | undefined {
  const separator = text.charCodeAt(separatorAt)
  const [groups, size] = separator === 0x2e ? [3, 4] : [6, 2]
  const start = separatorAt - size
  const end = start + groups * (size + 1) - 1
  if (start < 0 || end > text.length) return undefined
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if ((at - start) % (size + 1) === size ? code !== separator : !isHex(code)) return undefined
  }
  if (start > 0 && (isWord(text.charCodeAt(start - 1)) || text.charCodeAt(start - 1) === separator)) return undefined
  if (!endsAfter(text, end) || (text.charCodeAt(end) === separator && isHex(text.charCodeAt(end + 1)))) return undefined
  return { kind: 'mac', rule: 'mac/eui-48', start, end, confidence: 0.9 }
}

function isHex(code: number): boolean {
  if (isDigit(code)) return true
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66
}

/** An address of the web at the colon of its `://`. */
export function findUrl(text: string, colonAt: number): Sighting | undefined {
  if (text.charCodeAt(colonAt + 1) !== 0x2f || text.charCodeAt(colonAt + 2) !== 0x2f) return undefined
  let start = colonAt
  while (start > 0 && colonAt - start < 6 && isLetter(text.charCodeAt(start - 1))) start--
  if (!/^(?:https?|ftps?|wss?)$/i.test(text.slice(start, colonAt))) return undefined
  let end = colonAt + 3
  while (end < text.length && end - start < urlMax && !urlEnd.has(text.charCodeAt(end)) && text.charCodeAt(end) > 0x20)
    end++
  while (end > colonAt + 3 && trailing.has(text.charCodeAt(end - 1))) end--
  return end < colonAt + 6 ? undefined : { kind: 'url', rule: 'url/web', start, end, confidence: 0.9 }
}

const urlMax = 256
const urlEnd = new Set([...`"'<>\`{}|\\^[]`].map((character) => character.charCodeAt(0)))
const trailing = new Set([...'.,;:!?)*_'].map((character) => character.charCodeAt(0)))
