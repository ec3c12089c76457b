import { addCookies } from './cookies.ts'
import type { FieldList } from './field-list.ts'

/** Adds the header fields that a caller may write what he likes into, and the cookies among them. */
export function addHeaders(list: FieldList, headers: readonly string[]): void {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] as string).toLowerCase()
    const value = headers[at + 1] as string
    if (name === 'cookie') addCookies(list, value)
    else if (!ours.has(name) && !isHarmless(name, value)) list.value('header', name, name, value, 'unknown') // a `user-agent` names no user
  }
}

/** What the house itself reads, or writes anew, before anybody else sees it; and proofs, which are no text to anybody. */
// biome-ignore format: a list
const ours: ReadonlySet<string> = new Set([
  'host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect',
  'authorization', 'proxy-authorization', 'dpop', 'signature', 'signature-input', 'content-digest', 'x-api-key',
  'client-cert', 'client-cert-chain',
])

/** What clients write by rules of the protocol: dates, tags, ranges, and what a browser tells of itself. */
// biome-ignore format: a list
const byRule: ReadonlySet<string> = new Set([
  'date', 'if-none-match', 'if-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range', 'etag',
  'upgrade-insecure-requests', 'dnt',
])
const plain = /^[\w"/*,.:;+=?()@ -]{0,512}$/

/** Of these the values that say what they are for; any other is looked at, since something reads it into a log or a template. */
const grammars: Readonly<Record<string, RegExp>> = {
  accept: /^[\w*.+/;=, -]{0,512}$/,
  'accept-charset': /^[\w*;=., -]{0,256}$/,
  'accept-encoding': /^[\w*;=., -]{0,256}$/,
  'accept-language': /^[\w*;=., -]{0,256}$/,
  'cache-control': /^[\w;=, -]{0,256}$/,
  'content-type': /^[\w.+/;= "-]{0,256}$/,
  priority: /^[\w=, ?]{0,64}$/,
  traceparent: /^[0-9a-f-]{0,64}$/,
  'x-request-id': /^[\w-]{0,128}$/,
}

function isHarmless(name: string, value: string): boolean {
  if (byRule.has(name) || name.startsWith('sec-')) return plain.test(value)
  return Object.hasOwn(grammars, name) && (grammars[name] as RegExp).test(value)
}
