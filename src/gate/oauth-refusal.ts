import { type Code, catalogue } from '../kernel/error.ts'
import type { Shown } from './route.ts'

/** A refusal of the gate's own in the words of OAuth (RFC 6749 §5.2), for endpoints whose callers know no others. */
export const oauthRefusal: Shown = ({ code, detail }) => {
  const { status } = catalogue[code]
  const body = Buffer.from(
    `${JSON.stringify({ error: errorOf(code, status), error_description: printable(detail) })}\n`,
  )
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.byteLength)]
  headers.push('Cache-Control', 'no-store')
  return { status, headers, body }
}

function errorOf(code: Code, status: number): string {
  if (code === 'rate-limited' || status === 503) return 'temporarily_unavailable'
  if (status >= 500) return 'server_error'
  if (code.startsWith('token-')) return 'invalid_token'
  if (status === 401) return 'invalid_client'
  return status === 403 ? 'access_denied' : 'invalid_request'
}

/** What a description may hold: neither quotes nor backslashes, and ASCII only (RFC 6749 §5.2). */
function printable(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
}
