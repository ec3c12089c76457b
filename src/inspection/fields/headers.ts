import { addCookies } from './cookies.ts'
import type { FieldList } from './field-list.ts'

/** Adds the header fields that a caller may write what he likes into, and the cookies among them. */
export function addHeaders(list: FieldList, headers: readonly string[]): void {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase()
    const value = headers[at + 1] as string
    if (name === 'cookie') addCookies(list, value)
    else if (!isHarmless(name, value)) list.value('header', name, name, value, 'unknown') // a `user-agent` names no user
  }
}

const date = /^[A-Za-z]{3}, \d\d [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d GMT$/
const plain = /^[\w"/*,.:;+=?()@ -]{0,512}$/
const listed = /^[\w*;=., -]{0,256}$/
/** Tokens, keys, signatures and certificates, which are no text to anybody. */
const proof = /^(?:[\w"/*,.:;+=?()@~ -]|%(?:2[BF]|3D))*$/i

/**
 * What clients write by rules of the protocol, and the values that say what the field is for; any other is looked at, since something
 * reads it into a log or a template.
 */
// biome-ignore format: a table
const grammars: ReadonlyMap<string, RegExp> = new Map([
  ['accept', /^[\w*.+/;=, -]{0,512}$/], ['accept-charset', listed], ['accept-encoding', listed], ['accept-language', listed],
  ['cache-control', listed], ['content-type', /^[\w.+/;= "-]{0,256}$/], ['priority', /^[\w=, ?]{0,64}$/],
  ['traceparent', /^[0-9a-f-]{0,64}$/], ['x-request-id', /^[\w-]{0,128}$/],
  ['date', date], ['if-modified-since', date], ['if-unmodified-since', date], ['if-range', plain], ['if-none-match', plain],
  ['if-match', plain], ['etag', plain], ['range', /^\w{1,16}=[\d, -]{1,256}$/], ['upgrade-insecure-requests', /^1$/], ['dnt', /^[01]$/],
  ['host', /^[\w.:[\]-]{0,255}$/], ['content-length', /^\d*$/], ['transfer-encoding', listed], ['connection', listed], ['keep-alive', listed],
  ['upgrade', /^[\w./, -]{0,64}$/], ['te', listed], ['trailer', listed], ['expect', listed],
  ['authorization', proof], ['proxy-authorization', proof], ['dpop', proof], ['x-api-key', proof], ['signature', proof],
  ['signature-input', proof], ['content-digest', proof], ['client-cert', proof], ['client-cert-chain', proof],
])

function isHarmless(name: string, value: string): boolean {
  const grammar = grammars.get(name) ?? (name.startsWith('sec-') ? plain : undefined)
  if (grammar?.test(value) !== true) return false
  if (grammar === date || name.startsWith('sec-ch-ua')) return true // these have words in them
  return !sentence.test(grammar === proof ? value.replace(scheme, '') : value)
}

/** Words behind words, and a way upwards: no list is written so. */
const sentence = /[\w*)][\t ]+[\w*(/.~]|\.\./
/** RFC 9110 §11.4. */
const scheme = /^[A-Za-z][\w-]{0,31} (?=\S)/
