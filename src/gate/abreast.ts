import { Fault } from '../kernel/error.ts'
import type { Exchange, Stage } from './exchange.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

/**
 * What one thread has committed holds on every other at its next request (INVARIANTS A10): a session that ended, a key that was
 * taken back, a role, a policy. Where nobody has changed anything that is one look at a number.
 *
 * Where it cannot be heard, it is known that something was changed and not what: whoever comes as somebody is refused (A11),
 * and strangers on public routes go on. What tells whether the house lives waits for nothing.
 */
export function abreast(route: Pick<Route, 'access' | 'signature' | 'whileDraining'>, rooms: Rooms): Stage | undefined {
  const { abreast: follower, log } = rooms
  if (follower === undefined || route.whileDraining) return undefined
  const strangersToo = route.access.to !== 'public' || route.signature !== undefined
  return (exchange) => {
    const caughtUp = follower.catchUp()
    return caughtUp?.then(
      () => undefined,
      (error: unknown) => {
        if (strangersToo || comesAsSomebody(exchange))
          throw new Fault('unavailable', 'what another thread has changed cannot be heard', error)
        log.debug({ request_id: exchange.id, err: error }, 'a stranger goes on, though the store is silent')
        return undefined
      },
    )
  }
}

function comesAsSomebody({ request: { head, certificate } }: Exchange): boolean {
  const { authorization, apiKey, cookie, clientCert } = head
  return [authorization, apiKey, cookie, clientCert, certificate].some((credential) => credential !== undefined)
}
