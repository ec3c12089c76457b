import type { z } from 'zod'
import type { Account } from '../../authn/account/accounts.ts'
import type { Revocable } from '../../authn/session/taking-back.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/administration.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { deviceName } from '../desk/letters.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input, personOf } from './auth.ts'
import { readPage } from './page.ts'
import { json } from './reply.ts'

type Administers =
  | 'listUsers'
  | 'inviteUser'
  | 'showUser'
  | 'lockUser'
  | 'unlockUser'
  | 'setUserRoles'
  | 'resetUser'
  | 'endUserSessions'
  | 'removeUserFactors'
  | 'impersonate'
  | 'revoke'

/** Accounts, for administrators. */
export function administrationEndpoints(desk: Desk): Record<Administers, Answerer> {
  const { administration, registrar, revocation, rooms } = desk
  const { store, accounts, sessions, factors, attempts, identities } = rooms
  const done = (refused: Refusal | undefined): ReturnType<Answerer> => refused ?? json(200, { status: 'done' })

  return {
    async listUsers({ request }) {
      const query = new URLSearchParams(request.target.query)
      const asked = readPage(query, accountId, { match: matchProblem })
      if (isRefusal(asked)) return asked
      const page = await accounts.page(store.db, { ...asked, match: query.get('match') ?? undefined })
      return json(200, { users: page.accounts.map(accountOf), ...(page.next === undefined ? {} : { next: page.next }) })
    },

    async inviteUser(exchange) {
      const body = input<typeof wire.inviteBody>(exchange)
      const visitor = visitorOf(exchange)
      const refused = administration.mayGive(visitor, body.roles)
      if (refused !== undefined) return refused
      const outcome = await registrar.invite(visitor, body)
      return isRefusal(outcome) ? outcome : json(202, { status: 'invited', email: outcome.invited })
    },

    async showUser({ params }) {
      const account = await accounts.byId(store.db, idOf(params))
      if (account === undefined) return refuse('not-found', { detail: 'no account has this id' })
      const [living, enrolled, linked, locks] = await Promise.all([
        sessions.list(store.db, account.id, rooms.identity.session.idle),
        factors.enrolled(store.db, account.id),
        identities.of(store.db, account.id),
        attempts.locksOf(store.db, `password:${account.id}`),
      ])
      return json(200, {
        ...accountOf(account),
        sessions: living.map(({ id, kind, userAgent, address, seenAt }) => ({
          id,
          kind,
          device: deviceName(userAgent),
          address,
          last_seen_at: new Date(seenAt).toISOString(),
        })),
        mfa: { totp: enrolled.totp, passkeys: enrolled.passkeys, recovery_codes_left: enrolled.recoveryCodesLeft },
        identities: linked.map(({ provider, issuer }) => ({ provider, issuer })),
        locked_by_failures: locks.length > 0,
      })
    },

    async lockUser(exchange) {
      const { reason } = input<typeof wire.lockBody>(exchange)
      return done(await administration.lock(visitorOf(exchange), idOf(exchange.params), reason))
    },

    async unlockUser(exchange) {
      return done(await administration.unlock(visitorOf(exchange), idOf(exchange.params)))
    },

    async setUserRoles(exchange) {
      const { roles } = input<typeof wire.rolesBody>(exchange)
      return done(await administration.setRoles(visitorOf(exchange), idOf(exchange.params), roles))
    },

    async resetUser(exchange) {
      return done(await administration.reset(visitorOf(exchange), idOf(exchange.params)))
    },

    async endUserSessions(exchange) {
      return done(await administration.endSessions(visitorOf(exchange), idOf(exchange.params)))
    },

    async removeUserFactors(exchange) {
      return done(await administration.removeFactors(visitorOf(exchange), idOf(exchange.params)))
    },

    async impersonate(exchange) {
      const outcome = await administration.impersonate(
        visitorOf(exchange),
        idOf(exchange.params),
        input<typeof wire.impersonateBody>(exchange),
      )
      if (isRefusal(outcome)) return outcome
      const { id, email, name, roles } = outcome.account
      return json(200, {
        access_token: outcome.token,
        token_type: 'Bearer',
        expires_in: outcome.expiresInSeconds,
        user: { id, email, name, roles: [...roles] },
        act: { sub: exchange.principal.id },
      })
    },

    async revoke(exchange) {
      const what = revocableOf(input<typeof wire.revokeBody>(exchange))
      const outcome = await revocation.revoke(visitorOf(exchange), what)
      if (isRefusal(outcome)) return outcome
      return json(200, { revoked: outcome.resource, sessions: outcome.sessionCount })
    },
  }
}

function revocableOf({ token, session, user, client }: z.output<typeof wire.revokeBody>): Revocable {
  if (token !== undefined) return { kind: 'token', token }
  if (session !== undefined) return { kind: 'session', id: session }
  if (user !== undefined) return { kind: 'user', id: user }
  if (client !== undefined) return { kind: 'client', id: client }
  return { kind: 'everything' }
}

function accountOf(account: Account): Record<string, unknown> {
  return { ...personOf(account), status: account.status }
}

/** What is no id of ours is nobody's: a NUL in it would be an error in PostgreSQL. */
function idOf(params: Exchange['params']): string {
  const id = params['id'] ?? ''
  return /^[0-9a-f-]{36}$/.test(id) ? id : ''
}

/** Accounts are called by UUIDs. */
function accountId(text: string): string | undefined {
  return /^[0-9a-f-]{36}$/.test(text) ? text : undefined
}

function matchProblem(match: string): string | undefined {
  return match.length > 100 || match.includes('\0') ? 'must have at most 100 characters' : undefined
}
