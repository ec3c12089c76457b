import { beginningBytes, beginsLikeText } from '../inspection/fields/charset.ts'
import type { Inspected } from '../inspection/inspector.ts'
import type { BodyCheck } from '../inspection/schema/body.ts'
import type { Invalid } from '../inspection/schema/violation.ts'
import { type FieldErrors, type Refusal, refuse } from '../kernel/error.ts'
import type { Exchange, Stage } from './exchange.ts'
import { remember, rememberAll, rememberLate } from './remember.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { beginningOfBody, passOverBody, wholeBody } from './whole-body.ts'

/**
 * Holds a request against the schemas of its route, and looks into it for what should not be there. A body is read only where
 * somebody asks about it.
 */
export function inspect(route: Route, _rooms: Rooms): Stage | undefined {
  const { body: taken, parameters, inspection } = route
  const { inspector } = inspection
  if (taken === undefined && parameters === undefined && inspector === undefined) return undefined

  return (exchange) => {
    const broken = parameters === undefined ? undefined : askParameters(exchange)
    if (broken !== undefined) return broken
    const check = checkOf(exchange)
    if (typeof check === 'object') return check
    const needed = needsBody(exchange)
    if (typeof needed === 'object') return needed
    if (needed || check !== undefined || taken === 'whole') return withBody(exchange, check, needed)
    return passesUnread(exchange) ? pastBody(exchange) : look(exchange, undefined, undefined)
  }

  function askParameters(exchange: Exchange): Refusal | undefined {
    const { request, params } = exchange
    const fault = parameters?.({ query: request.target.query, params, headers: request.headers })
    if (fault === undefined) return undefined
    return 'malformed' in fault
      ? refuse('request-invalid', { detail: fault.malformed })
      : refuseInvalid('request-invalid', 'parameter', fault)
  }

  /** What the body is held against; a refusal for a body of another type than those. */
  function checkOf({ request: { head, body } }: Exchange): BodyCheck | Refusal | undefined {
    if (taken === undefined || taken === 'whole') return undefined
    if (body === undefined && taken.optional) return undefined
    const check = taken.check.of(head.contentType)
    if (check !== undefined) return body === undefined ? noBody : check
    return refuse('media-type-unsupported', {
      detail: `expected ${taken.check.expected}, got ${head.contentType === undefined ? 'no Content-Type' : `\`${head.contentType.slice(0, 80)}\``}`,
    })
  }

  function needsBody({ request: { body, head } }: Exchange): boolean | Refusal {
    return body === undefined || inspector === undefined ? false : inspector.needsBody(head)
  }

  function passesUnread({ request: { body, head }, payload }: Exchange): boolean {
    return body !== undefined && payload === undefined && inspector?.letsPass(head) === true
  }

  /** Of a body that goes on unread its beginning is read, before anybody else hears of it. */
  async function pastBody(exchange: Exchange): Promise<Refusal | undefined> {
    const beginning = await beginningOfBody(exchange, beginningBytes)
    if ('code' in beginning) return beginning
    const refused =
      beginning.byteLength > 0 && beginsLikeText(beginning)
        ? refuse('not-inspectable', { detail: textUnsaid })
        : await look(exchange, undefined, undefined)
    if (refused !== undefined) passOverBody(exchange)
    return refused
  }

  async function withBody(
    exchange: Exchange,
    check: BodyCheck | undefined,
    needed: boolean,
  ): Promise<Refusal | undefined> {
    const { body, head } = exchange.request
    const meter = body === undefined ? undefined : inspector?.meter(head)
    // Somebody else's signature may have been asked for: then it is there.
    const heard = (chunk: Uint8Array): Refusal | undefined => {
      const wrong = meter?.(chunk)
      if (wrong !== undefined) remember(exchange, wrong)
      return wrong?.refusal
    }
    const bytes = exchange.payload ?? (await wholeBody(exchange, meter && heard, bytesMaxOf(exchange, needed)))
    if ('code' in bytes) return bytes
    exchange.payload = bytes
    const refusal = check === undefined ? undefined : judge(exchange, check)
    if (refusal !== undefined) return refusal
    // What is too large to be looked into goes on unseen where nothing would be done about it.
    const isSeen = body !== undefined && (needed || bytes.byteLength <= (inspector?.bodyBytesMax ?? 0))
    return look(exchange, isSeen ? bytes : undefined, check)
  }

  /** A body that has to be looked into ends where that ends. */
  function bytesMaxOf({ route: { bodyBytesMax } }: Exchange, needed: boolean): number {
    return needed && inspector !== undefined ? Math.min(bodyBytesMax, inspector.bodyBytesMax) : bodyBytesMax
  }

  function look(
    exchange: Exchange,
    body: Uint8Array | undefined,
    check: BodyCheck | undefined,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    if (inspector === undefined) return undefined
    const { request, params } = exchange
    const { target, headers, head } = request
    const inspected = inspector.inspect({
      path: target.path,
      params,
      query: target.query.slice(1),
      headers,
      contentType: head.contentType,
      body,
    })
    if (!(inspected instanceof Promise)) return settle(exchange, inspected, check)
    if (inspector.acts) return inspected.then((come) => settle(exchange, come, check))
    rememberLate(exchange, inspected)
    return undefined
  }
}

/** What goes on, and what a handler reads, fits the schema too: also what was struck out, or cut out, of it. */
function settle(exchange: Exchange, inspected: Inspected, check: BodyCheck | undefined): Refusal | undefined {
  const { refusal, body } = inspected
  rememberAll(exchange, inspected)
  if (refusal !== undefined || body === undefined) return refusal
  exchange.payload = body.bytes
  exchange.payloadType = body.contentType
  return check === undefined ? undefined : judge(exchange, check)
}

function judge(exchange: Exchange, check: BodyCheck): Refusal | undefined {
  const verdict = check(exchange.payload ?? noBytes)
  if ('malformed' in verdict) return refuse(malformedCode(exchange), { detail: verdict.malformed })
  if ('errors' in verdict) return refuseInvalid('body-invalid', 'field', verdict)
  exchange.input = verdict.value
  return undefined
}

/** Of a form that can be read in two ways nobody should hear of JSON. */
function malformedCode({ request: { head } }: Exchange): 'invalid-json' | 'not-inspectable' {
  return /^\s*(?:multipart\/|application\/x-www-form-urlencoded)/i.test(head.contentType ?? '')
    ? 'not-inspectable'
    : 'invalid-json'
}

const textUnsaid = 'expected an image, audio, video or font, as `Content-Type` says, got what begins like JSON or XML'

const noBytes = new Uint8Array(0)

function noBody(): ReturnType<BodyCheck> {
  return { malformed: 'expected a body, got none' }
}

function refuseInvalid(
  code: 'body-invalid' | 'request-invalid',
  what: 'field' | 'parameter',
  {
    errors,
    invalid,
    more,
  }: { readonly errors: FieldErrors; readonly invalid: readonly Invalid[]; readonly more: number },
): Refusal {
  const names = Object.keys(errors)
  const all = names.length + more
  return refuse(code, {
    detail: `${all} ${all === 1 ? `${what} breaks` : `${what}s break`} the schema: ${names.slice(0, 5).join(', ')}${more > 0 ? ' and others' : ''}`,
    errors,
    extensions: { invalid },
  })
}
