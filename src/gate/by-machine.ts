import type { Holder } from '../authn/holder.ts'
import { type Refusal, refuse } from '../kernel/error.ts'
import type { Door } from './door.ts'
import type { Exchange } from './exchange.ts'
import { isFromOwnPage, isSafe } from './own-page.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

type Outcome = Refusal | undefined | Promise<Refusal | undefined>

/** Who came without a sign-in: by an API key, a service's token, a signature, a client certificate. */
export interface ByMachine {
  key(exchange: Exchange, key: string): Outcome
  serviceToken(exchange: Exchange, token: string): Outcome
  certificate(exchange: Exchange): Outcome
  /** Whatever proved it: the same rules for all. */
  holder(exchange: Exchange, holder: Holder): Refusal | undefined
  /** The refusal of a holder that may not come from there. */
  astray(exchange: Exchange, holder: Holder): Refusal | undefined
}

/** `again`: a key that was used by this request before is not used twice. */
export function byMachine(route: Route, rooms: Rooms, door: Door, again = false): ByMachine {
  const targets = [route.target ?? rooms.audience]

  return {
    key(exchange, key) {
      const found = rooms.keys.verify(key, exchange.client, !again)
      return found instanceof Promise ? found.then((late) => settle(exchange, late)) : settle(exchange, found)
    },
    serviceToken(exchange, token) {
      return settle(exchange, rooms.services.verify(token, targets, again ? undefined : () => door.flood(exchange)))
    },
    certificate(exchange) {
      const { certificate } = exchange
      const known = certificate?.trusted === true ? rooms.services.byCertificate(certificate) : undefined
      if (known === undefined)
        return door.stranger(exchange, refuse(route.certificate ? 'certificate-unknown' : 'credentials-required'))
      // A browser shows a certificate whoever wrote the page, like a cookie. A program has no page, and says so by silence.
      const { origin, fetchSite } = exchange.request.head
      if ((origin ?? fetchSite) !== undefined && !isSafe(exchange) && !isFromOwnPage(exchange, rooms))
        return door.open ? undefined : refuse('cross-site')
      return holder(exchange, known)
    },
    holder,
    astray,
  }

  function settle(exchange: Exchange, found: Holder | Refusal): Refusal | undefined {
    return 'code' in found ? door.wrong(exchange, found) : holder(exchange, found)
  }

  function holder(exchange: Exchange, found: Holder): Refusal | undefined {
    // Our own pages ask which person is there: that is never a machine.
    if (door.open && route.clients === 'refused') return undefined
    const principal = rooms.roles.principalOfHolder(found, route.area)
    const strayed = astray(exchange, found)
    if (strayed === undefined) return door.letIn(exchange, principal)
    if (door.open) return undefined
    exchange.principal = principal // it holds, and somebody has it who should not: the record says which
    return strayed
  }

  function astray(exchange: Exchange, { from, credential }: Holder): Refusal | undefined {
    return from === undefined || from(exchange.client)
      ? undefined
      : refuse('address-not-allowed', { reason: `${credential.id} is not for here` })
  }
}
