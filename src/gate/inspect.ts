import { type Refusal, refuse } from '../kernel/error.ts'
import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { wholeBody } from './whole-body.ts'

/** Reads the body of a route that has a schema, and lets it on only when it fits. A body that nobody asks about is not read. */
export function inspect(route: Route, _rooms: Rooms): Stage | undefined {
  const { body: check } = route
  if (check === undefined) return undefined
  if (check === 'whole') return readWhole

  return async (exchange) => {
    const { body, head } = exchange.request
    if (!isJson(head.contentType)) {
      return refuse('media-type-unsupported', {
        detail: `expected \`application/json\`, got ${head.contentType === undefined ? 'no Content-Type' : `\`${head.contentType.slice(0, 80)}\``}`,
      })
    }
    if (body === undefined) return refuse('invalid-json', { detail: 'expected a JSON body, got none' })
    if (exchange.payload !== undefined) return judge(exchange, exchange.payload) // its signature was asked for
    const read = await wholeBody(exchange)
    return 'code' in read ? read : judge(exchange, read)
  }

  function judge(exchange: Exchange, bytes: Uint8Array): Refusal | undefined {
    const verdict = typeof check === 'function' ? check(bytes) : undefined
    if (verdict === undefined) return undefined
    if ('malformed' in verdict) return refuse('invalid-json', { detail: verdict.malformed })
    if ('errors' in verdict) {
      const fields = Object.keys(verdict.errors)
      return refuse('body-invalid', {
        detail: `${fields.length} ${fields.length === 1 ? 'field breaks' : 'fields break'} the schema: ${fields.slice(0, 5).join(', ')}`,
        errors: verdict.errors,
      })
    }
    exchange.payload = bytes
    exchange.input = verdict.value
    return undefined
  }
}

async function readWhole(exchange: Exchange): Promise<Refusal | undefined> {
  const read = await wholeBody(exchange)
  if ('code' in read) return read
  exchange.payload = read
  return undefined
}

/** `application/json` and its kin (RFC 6839 `+json`). */
function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)
}
