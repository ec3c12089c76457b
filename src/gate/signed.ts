import type { SignatureScheme } from '../authn/signature/scheme.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import { byMachine } from './by-machine.ts'
import { type Door, doorOf } from './door.ts'
import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { wholeBody } from './whole-body.ts'

type Checking = Exclude<ReturnType<SignatureScheme['begin']>, Refusal>

/**
 * The signature of the whole request, where the route demands one. The body is hashed as it arrives and held until the
 * signature has held: nothing of it reaches the upstream before. Whoever came without another credential is who signed.
 */
export function signed(route: Route, rooms: Rooms): Stage | undefined {
  const { signature } = route
  if (signature === undefined) return undefined
  const door = closedDoor(route, rooms)
  const machines = byMachine(route, rooms, door)

  return async (exchange) => {
    const { request } = exchange
    const checking = signature.begin({
      method: request.method,
      path: request.target.written,
      query: request.target.query,
      authority: request.head.host ?? '',
      scheme: exchange.secure ? 'https' : 'http',
      headers: request.headers,
      hasBody: request.body !== undefined,
    })
    if ('code' in checking) return door.wrong(exchange, checking)
    const unread = checking.coversBody ? await readBody(exchange, checking) : undefined
    if (unread !== undefined) return unread
    const refused = await checking.finish()
    if (refused !== undefined) return door.wrong(exchange, refused)
    exchange.signer = () => checking.signer()
    const { holder } = checking
    return exchange.principal.type === 'anonymous'
      ? machines.holder(exchange, holder)
      : machines.astray(exchange, holder) // beside another credential it counts no less
  }

  async function readBody(exchange: Exchange, checking: Checking): Promise<Refusal | undefined> {
    if (exchange.request.body === undefined) return undefined
    const body = await wholeBody(exchange, (chunk) => void checking.update(chunk))
    if ('code' in body) return body
    exchange.payload = body
    return undefined
  }
}

/** Whether who signed is known still, with the key that signed, and may come from there: for a request that goes on. */
export function stillSigned(route: Route, rooms: Rooms): Stage | undefined {
  if (route.signature === undefined) return undefined
  const door = closedDoor(route, rooms)
  const machines = byMachine(route, rooms, door)

  return (exchange) => {
    const holder = exchange.signer?.()
    if (holder === undefined)
      return door.wrong(exchange, refuse('signature-invalid', { reason: 'who signed, or their key, is known no more' }))
    return exchange.principal.credential.kind === 'signature'
      ? machines.holder(exchange, holder)
      : machines.astray(exchange, holder)
  }
}

/** What a route demands over and above the caller, it demands of everybody: also where it is public. */
function closedDoor(route: Route, rooms: Rooms): Door {
  return doorOf({ ...route, access: { to: 'authenticated' } }, rooms)
}
