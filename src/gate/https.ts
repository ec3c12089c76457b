import { refuse } from '../kernel/error.ts'
import type { RouteDraft } from './draft.ts'
import type { Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'

/** Sends whoever came without TLS, to us or to a trusted proxy, to the same place with it (TR11). */
export function https(_route: RouteDraft, { https }: Rooms): Stage | undefined {
  if (https === undefined) return undefined
  return ({ secure, request }) => {
    const { target, method, toHttps } = request
    if (!toHttps && (secure || https.exempt.has(target.path))) return undefined
    // 301 may turn every other method into GET (RFC 9110 §15.4.2).
    const code = method === 'GET' || method === 'HEAD' ? 'moved-to-https' : 'moved-to-https-as-is'
    return refuse(code, { headers: ['Location', https.origin + target.path + target.query] })
  }
}
