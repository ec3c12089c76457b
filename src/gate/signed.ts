import type { SignatureScheme } from '../authn/signature/scheme.ts'
import type { Refusal } from '../kernel/error.ts'
import { byMachine } from './by-machine.ts'
import { doorOf } from './door.ts'
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
  // What a route demands over and above the caller, it demands of everybody: also where it is public.
  const door = doorOf({ ...route, access: { to: 'authenticated' } }, rooms)
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
    const { holder } = checking
    return exchange.principal.type === 'anonymous'
      ? machines.holder(exchange, holder)
      : machines.astray(exchange, holder) // beside another credential it counts no less
  }

  async function readBody(exchange: Exchange, checking: Checking): Promise<Refusal | undefined> {
    if (exchange.request.body === undefined) return undefined
    const body = await wholeBody(exchange, (chunk) => checking.update(chunk))
    if ('code' in body) return body
    exchange.payload = body
    return undefined
  }
}
