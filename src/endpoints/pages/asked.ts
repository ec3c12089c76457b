import type { Exchange } from '../../gate/exchange.ts'
import { wholeBody } from '../../gate/whole-body.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { isOwnPath } from './own-path.ts'

/** The fields of a form, each at most once. A field that is not there is an empty text. */
export interface Fields {
  get(name: string): string
  /** The field, or undefined where it was left empty. */
  optional(name: string): string | undefined
}

/** Reads the form that a page of ours sent. */
export async function readForm(exchange: Exchange): Promise<Fields | Refusal> {
  const { head } = exchange.request
  if (head.contentType !== undefined && !/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(head.contentType))
    return refuse('media-type-unsupported', { detail: 'expected a form (`application/x-www-form-urlencoded`)' })
  const body = await wholeBody(exchange)
  if ('code' in body) return body
  const sent = new URLSearchParams(body.toString('utf8'))
  const names = [...sent.keys()]
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    return refuse('bad-request', { detail: `the field \`${twice.slice(0, 40)}\` was sent twice` })
  return fieldsOf(sent)
}

/** What stands behind the question mark. */
export function queryOf({ request }: Exchange): Fields {
  return fieldsOf(new URLSearchParams(request.target.query))
}

/** Where somebody wants to go on to: a path of ours, or their account (CVE-2025-27143: nothing that leads elsewhere). */
export function returnTo(fields: Fields): string | undefined {
  const path = fields.get('return_to')
  return path !== '' && isOwnPath(path) ? path : undefined
}

/** Go there, and by GET (RFC 9700 §4.12: never 307 after a password). */
export function seeOther(to: string, ...headers: string[]): Outbound {
  return {
    status: 303,
    headers: ['Location', to, 'Content-Length', '0', 'Cache-Control', 'no-store', ...headers],
    body: undefined,
  }
}

/** Whether a cookie of ours would be kept: browsers take one with `Secure` over https, and on this machine. */
export function keepsCookies({ secure, request }: Exchange): boolean {
  return secure || /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(request.head.host ?? '')
}

/** What a script wrote into a field. What is no JSON is nothing that a passkey said. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fieldsOf(sent: URLSearchParams): Fields {
  return {
    get: (name) => sent.get(name) ?? '',
    optional: (name) => sent.get(name) || undefined,
  }
}
