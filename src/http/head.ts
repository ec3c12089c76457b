import { refuse } from '../kernel/error.ts'
import type { Head } from './message.ts'
import type { RawHeaders } from './raw-headers.ts'
import type { Target } from './target.ts'

/** Header fields that belong to one connection, not to the message (RFC 9110 §7.6.1), and are never passed on. */
// biome-ignore format: a list reads best as a list
export const hopByHop: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'http2-settings', 'expect',
])

/** Fields that a message may have. Node would leave out those beyond a bound of its own, and say nothing. */
export const fieldsMax = 100

/** Bytes that a head may have. */
export const headBytesMax = 16_384

/** What a hop needs of a message end to end: named in `Connection`, it would be there for us and gone behind us. */
// biome-ignore format: a list reads best as a list
const endToEnd: ReadonlySet<string> = new Set([
  'authorization', 'client-cert', 'client-cert-chain', 'content-digest', 'content-encoding', 'content-length', 'content-type',
  'cookie', 'dpop', 'forwarded', 'host', 'origin', 'range', 'signature', 'signature-input', 'via', 'x-api-key',
  'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id',
])

/**
 * Reads the raw fields once. It decides on them as they came: a parsed header map joins or drops duplicates, so that the
 * gate and the upstream could believe different things of one message (RFC 9112 §11.2, request smuggling).
 */
export function readHead(method: string, target: Target, headers: RawHeaders, httpVersion: string): Head {
  const head: Head = {
    problem: target.problem === undefined ? undefined : refuse('bad-request', { detail: target.problem }),
    host: undefined,
    authorization: undefined,
    dpop: undefined,
    apiKey: undefined,
    clientCert: undefined,
    clientCertChain: undefined,
    cookie: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    contentLength: undefined,
    chunked: false,
    origin: undefined,
    fetchSite: undefined,
    acceptLanguage: undefined,
    userAgent: undefined,
    requestId: undefined,
    forwardedFor: undefined,
    forwardedProto: undefined,
    via: undefined,
    upgrade: undefined,
    expect: undefined,
    connectionOptions: none,
    preflightMethod: undefined,
  }
  if (headers.length > fieldsMax * 2)
    head.problem ??= refuse('headers-too-large', {
      detail: `a request may have ${fieldsMax} header fields, and this one has ${headers.length / 2}`,
    })
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string
    const value = headers[at + 1] as string
    if (name.includes('_')) blame(head, `header name \`${printable(name)}\` holds an underscore`)
    switch (name.length) {
      case 3:
        if (is(name, 'via')) head.via = head.via === undefined ? value : `${head.via}, ${value}`
        break
      case 4:
        if (is(name, 'host')) head.host = hostOf(head, value)
        else if (is(name, 'dpop')) head.dpop = once(head, head.dpop, value, 'DPoP')
        break
      case 6:
        if (is(name, 'origin')) head.origin = once(head, head.origin, value, 'Origin')
        else if (is(name, 'cookie')) head.cookie = head.cookie === undefined ? value : `${head.cookie}; ${value}`
        else if (is(name, 'expect')) head.expect = once(head, head.expect, value.toLowerCase(), 'Expect')
        break
      case 7:
        if (is(name, 'upgrade')) head.upgrade = value.toLowerCase()
        break
      case 9:
        if (is(name, 'x-api-key')) head.apiKey = once(head, head.apiKey, value, 'X-API-Key')
        break
      case 10:
        if (is(name, 'user-agent'))
          head.userAgent = head.userAgent === undefined ? value : `${head.userAgent}, ${value}`
        else if (is(name, 'connection')) head.connectionOptions = options(head, value)
        break
      case 11:
        if (is(name, 'client-cert')) head.clientCert = once(head, head.clientCert, value, 'Client-Cert')
        break
      case 12:
        if (is(name, 'content-type')) head.contentType = once(head, head.contentType, value, 'Content-Type')
        else if (is(name, 'x-request-id')) head.requestId = once(head, head.requestId, value, 'X-Request-ID')
        break
      case 13:
        if (is(name, 'authorization')) head.authorization = once(head, head.authorization, value, 'Authorization')
        else if (is(name, 'x-http-method')) agree(head, method, name, value)
        break
      case 14:
        if (is(name, 'content-length')) readLength(head, value)
        else if (is(name, 'sec-fetch-site')) head.fetchSite = once(head, head.fetchSite, value, 'Sec-Fetch-Site')
        break
      case 15:
        if (is(name, 'accept-language')) head.acceptLanguage ??= value
        else if (is(name, 'x-forwarded-for'))
          head.forwardedFor = head.forwardedFor === undefined ? value : `${head.forwardedFor}, ${value}`
        break
      case 16:
        if (is(name, 'content-encoding'))
          head.contentEncoding = head.contentEncoding === undefined ? value : `${head.contentEncoding}, ${value}`
        break
      case 17:
        if (is(name, 'transfer-encoding')) readTransferEncoding(head, value, httpVersion)
        else if (is(name, 'x-forwarded-proto')) head.forwardedProto = value
        else if (is(name, 'client-cert-chain'))
          head.clientCertChain = head.clientCertChain === undefined ? value : `${head.clientCertChain}, ${value}`
        else if (is(name, 'x-method-override')) agree(head, method, name, value)
        break
      case 22:
        if (is(name, 'x-http-method-override')) agree(head, method, name, value)
        break
      case 29:
        if (is(name, 'access-control-request-method')) head.preflightMethod = value
        break
    }
  }
  if (head.chunked && head.contentLength !== undefined) blame(head, 'Content-Length and Transfer-Encoding together')
  // HTTP/2 says its host and its body in other ways: read as HTTP/1, a body would go by unseen.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') blame(head, `expected HTTP/1.1, got HTTP/${httpVersion}`)
  if (httpVersion !== '1.0' && head.host === undefined) blame(head, 'Host is missing')
  if (target.authority !== undefined && target.authority !== head.host?.toLowerCase())
    blame(head, 'the target names another host than Host')
  if (method === 'TRACE' && (head.chunked || (head.contentLength ?? 0) > 0)) blame(head, 'TRACE with a body')
  return head
}

const none: readonly string[] = []

function is(name: string, lower: string): boolean {
  return name.toLowerCase() === lower
}

function once(head: Head, before: string | undefined, value: string, name: string): string {
  if (before !== undefined) blame(head, `${name} was sent twice`)
  return value
}

/** Whoever reads another method in a field than in the request line does what nobody was asked about. */
function agree(head: Head, method: string, name: string, value: string): void {
  if (value.trim().toUpperCase() !== method) blame(head, `${name} names another method than the request`)
}

function readLength(head: Head, value: string): void {
  if (head.contentLength !== undefined) blame(head, 'Content-Length was sent twice')
  if (!/^\d{1,15}$/.test(value)) blame(head, 'Content-Length must be a number of bytes')
  head.contentLength = Number(value)
}

function readTransferEncoding(head: Head, value: string, httpVersion: string): void {
  if (head.chunked) blame(head, 'Transfer-Encoding was sent twice')
  if (value.toLowerCase() !== 'chunked') blame(head, 'Transfer-Encoding must be `chunked`')
  if (httpVersion === '1.0') blame(head, 'Transfer-Encoding in HTTP/1.0')
  head.chunked = true
}

function hostOf(head: Head, value: string): string {
  if (!hostField.test(value)) blame(head, 'Host must be a name or an address, and a port (RFC 9110 §7.2)')
  return once(head, head.host, value, 'Host')
}

/** A name, an address, and a port behind it; nobody's name in front, and no list (RFC 3986 §3.2.2). */
const hostField = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~%!$&'()*+;=]*)(?::\d{0,5})?$/

function options(head: Head, value: string): readonly string[] {
  const before = head.connectionOptions
  if (value === 'keep-alive') return before
  const named = value
    .toLowerCase()
    .split(',')
    .map((option) => option.trim())
  const torn = named.find((option) => endToEnd.has(option))
  if (torn !== undefined) blame(head, `Connection names \`${torn}\`, which is not for this hop alone`)
  return before.length === 0 ? named : [...before, ...named]
}

/** The first fault is the one that is told. */
function blame(head: Head, problem: string): void {
  head.problem ??= refuse('bad-request', { detail: problem })
}

function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x21-\x7e]/g, '?')
}
