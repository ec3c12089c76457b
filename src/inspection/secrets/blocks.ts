import type { Tell } from './sighting.ts'

/** Private keys in PEM (RFC 7468), of OpenSSH, PGP and PuTTY; with line breaks as they are or as `\n`. */
export function findPrivateKeys(text: string, tell: Tell): void {
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + begin.length)) {
    header.lastIndex = at
    const head = header.exec(text)
    if (head === null) continue
    const bodyAt = at + head[0].length
    const limit = Math.min(text.length, at + blockMax)
    const found = text.slice(bodyAt, limit).search(/-----END/)
    let end = found < 0 ? baseEnd(text, bodyAt, limit) : bodyAt + found
    if (!isKeyMaterial(text.slice(bodyAt, end))) continue
    if (found >= 0) {
      footer.lastIndex = end
      end += footer.exec(text)?.[0].length ?? 0
    }
    tell({ kind: 'private-key', rule: 'secret/private-key', start: at, end: Math.min(end, limit), confidence: 0.99 })
  }
  for (let at = text.indexOf(putty); at >= 0; at = text.indexOf(putty, at + putty.length)) {
    const limit = Math.min(text.length, at + blockMax)
    const found = /^\d{1,3}\s{1,4}/.exec(text.slice(at + putty.length, at + putty.length + 8))
    if (found === null) continue
    const start = at + putty.length + found[0].length
    const end = baseEnd(text, start, limit)
    if (isKeyMaterial(text.slice(start, end)))
      tell({ kind: 'private-key', rule: 'secret/putty-private-key', start, end, confidence: 0.99 })
  }
}

/** The longest match: an RSA key of 8,192 bits has 6,400 characters. What is longer is covered so far. */
export const blockMax = 8192

const begin = '-----BEGIN '
const header = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
const footer = /-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
const putty = 'Private-Lines: '

function baseEnd(text: string, start: number, limit: number): number {
  body.lastIndex = start
  return Math.min(limit, start + (body.exec(text)?.[0].length ?? 0))
}

const body = /(?:[A-Za-z0-9+/=\s]|\\[nr]){0,8192}/y

/** More than a manual's dots: base64 of 40 characters and more, with a line of 16 that are not the same again and again. */
function isKeyMaterial(text: string): boolean {
  const plain = text.replace(/\\[nr]|\s/g, '')
  return plain.length >= 40 && !/\.{3}|\*{3}|x{8}|X{8}|[<>]/.test(plain) && new Set(plain).size >= 12
}

/** JWTs and JWEs (RFC 7519 §3): three or five parts, the first of which is a JSON object that names an algorithm. */
export function findJwts(text: string, tell: Tell): void {
  for (let at = text.indexOf('eyJ'); at >= 0; at = text.indexOf('eyJ', at + 3)) {
    if (at > 0 && joined.test(text.charAt(at - 1))) continue
    compact.lastIndex = at
    const found = compact.exec(text)
    if (found === null || !isHeader(found[1] as string)) continue
    const end = at + found[0].length
    tell({ kind: 'token', rule: 'secret/jwt', start: at, end, confidence: 0.98 })
    at = end - 3
  }
}

const joined = /[A-Za-z0-9_-]/
const compact = /(eyJ[A-Za-z0-9_-]{10,1000})\.[A-Za-z0-9_-]{8,3000}(?:\.[A-Za-z0-9_-]{0,1200}){1,3}/y

function isHeader(part: string): boolean {
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return false
  }
  return typeof header === 'object' && header !== null && 'alg' in header && typeof header.alg === 'string'
}
