import type { Exchange } from '../../gate/exchange.ts'
import type { OauthDraft } from '../../gate/routes.ts'
import { wholeBody } from '../../gate/whole-body.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { parseStrict } from '../../kernel/json.ts'
import { type Registration, type RegistrationRefusal, registrationAnswer } from '../../oauth/registration.ts'
import { json } from '../api/reply.ts'
import type { Desk } from '../desk/desk.ts'
import { visitorOf } from '../desk/visitor.ts'

interface RegistrationParts {
  readonly path: string
  readonly desk: Desk
  readonly registration: Registration
}

/** Where clients make themselves known (RFC 7591 §3); nowhere, unless the configuration opens it. */
export function registrationEndpoint({ path, desk, registration }: RegistrationParts): readonly OauthDraft[] {
  if (registration.access === 'closed') return []
  const { store, audit } = desk.rooms
  return [
    {
      methods: ['POST'],
      path: `${path}/register`,
      answerer: register,
      cors: 'open',
      limit: 'requests',
      bodyBytesMax: 32_768,
    },
  ]

  async function register(exchange: Exchange): Promise<Outbound | Refusal> {
    const said = await read(exchange)
    if ('code' in said) return said
    const visitor = visitorOf(exchange)
    const registrant = { address: visitor.callerAddress, token: bearer(exchange.request.head.authorization) }
    const outcome = await store.transaction(async (trx) => {
      const registered = await registration.register(trx, registrant, said.value)
      if ('error' in registered) {
        // A description that is wrong costs nothing; whoever was turned away is written down.
        if (registered.error === 'invalid_token' || registered.error === 'temporarily_unavailable')
          await desk.diary.client(trx, visitor, 'client-registration', 'denied', '', { because: registered.error })
        return registered
      }
      const { id, metadata } = registered.client
      await desk.diary.client(trx, visitor, 'client-registration', 'success', id, { name: metadata.client_name })
      return registered
    })
    audit.wake()
    return 'error' in outcome ? refused(outcome) : json(201, registrationAnswer(outcome))
  }
}

async function read(exchange: Exchange): Promise<{ readonly value: unknown } | Refusal> {
  if (exchange.request.head.contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json')
    return refuse('media-type-unsupported', { detail: 'expected `application/json`' })
  const body = await wholeBody(exchange)
  if ('code' in body) return body
  const parsed = parseStrict(body.toString('utf8'))
  return 'error' in parsed ? refuse('bad-request', { detail: `the body is not JSON: ${parsed.error}` }) : parsed
}

function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

/** In the words of RFC 7591 §3.2.2, and of RFC 6750 §3 where a token was wrong. */
function refused(refusal: RegistrationRefusal): Outbound {
  const { error, description } = refusal
  const body = { error, error_description: description }
  switch (error) {
    case 'invalid_token':
      return json(401, body, 'WWW-Authenticate', `Bearer realm="gatehouse", error="invalid_token"`)
    case 'access_denied':
      return json(403, body)
    case 'temporarily_unavailable':
      return json(429, body, 'Retry-After', String(Math.ceil(refusal.retryAfterMs / 1000)))
    default:
      return json(400, body)
  }
}
