import type { z } from 'zod'
import type { AuditEvent, Details } from '../../audit/event.ts'
import type { AuditLog } from '../../audit/log.ts'
import type { Account, Accounts } from '../../authn/account/accounts.ts'
import type { Revocations } from '../../authn/session/revocations.ts'
import type { Opened, Sessions } from '../../authn/session/sessions.ts'
import type { TokenService } from '../../authn/token/tokens.ts'
import type { RoleTable } from '../../authz/roles.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Meters } from '../../gate/meters.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import { type Random, uuidv7 } from '../../kernel/id.ts'
import type { Store } from '../../store/database.ts'
import type { Person, refreshBody, signInBody, Tokens } from '../../wire/contract.ts'
import { json } from './reply.ts'

export interface AuthRooms {
  readonly store: Store
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly tokens: TokenService
  readonly revocations: Revocations
  readonly roles: RoleTable
  readonly audit: AuditLog
  readonly meters: Meters
  readonly random: Random
}

/** Signing in, staying in, and out. Each change and the event that tells of it are one transaction. */
export function authEndpoints(
  rooms: AuthRooms,
): Record<'signIn' | 'refresh' | 'signOut' | 'validate' | 'me', Answerer> {
  const { store, accounts, sessions, tokens, revocations, audit, meters } = rooms

  async function signIn(exchange: Exchange): Promise<Outbound | Refusal> {
    const { email, password } = exchange.input as z.output<typeof signInBody>
    const known = await accounts.authenticate(store.db, email, password)
    const outcome = await store.transaction(async (trx) => {
      // Asked once more, now that nobody can change it meanwhile: checking a password takes long enough to be locked in.
      const account = known === undefined || 'code' in known ? undefined : await accounts.byId(trx, known.id)
      if (account?.status !== 'active') {
        const refusal = known !== undefined && 'code' in known ? known : refuse('credentials-invalid')
        await audit.enroll(trx, event(exchange, 'sign-in', 'failure', undefined, { because: refusal.code }))
        return refusal
      }
      const device = { address: exchange.client, userAgent: exchange.request.head.userAgent ?? '' }
      const opened = await sessions.open(trx, account.id, device)
      await audit.enroll(trx, event(exchange, 'sign-in', 'success', account.id, { session: opened.session.id }))
      return { account, opened }
    })
    audit.wake()
    meters.signIn('code' in outcome ? 'failure' : 'success')
    return 'code' in outcome ? outcome : json(200, issue(outcome.account, outcome.opened))
  }

  async function refresh(exchange: Exchange): Promise<Outbound | Refusal> {
    const { refresh_token: presented } = exchange.input as z.output<typeof refreshBody>
    const outcome = await store.transaction(async (trx) => {
      const rotation = await sessions.rotate(trx, presented)
      switch (rotation.kind) {
        case 'rotated':
        case 'repeated': {
          const account = await accounts.byId(trx, rotation.session.userId)
          if (account === undefined || account.status !== 'active') return { refusal: refuse('token-revoked') }
          await audit.enroll(
            trx,
            event(exchange, 'refresh', 'success', account.id, {
              session: rotation.session.id,
              repeated: rotation.kind === 'repeated',
            }),
          )
          return { account, rotation }
        }
        case 'reused':
          await audit.enroll(
            trx,
            event(exchange, 'refresh-reuse', 'denied', rotation.userId, { session: rotation.sessionId }),
          )
          return {
            refusal: refuse('token-revoked', { reason: 'a spent refresh token came back' }),
            ended: rotation.sessionId,
          }
        case 'expired':
          return { refusal: refuse('token-expired') }
        case 'invalid':
          await audit.enroll(trx, event(exchange, 'refresh', 'failure', undefined, {}))
          return { refusal: refuse('token-invalid') }
      }
    })
    audit.wake()
    if (outcome.ended !== undefined) revocations.endSession(outcome.ended)
    if (outcome.refusal !== undefined)
      return { ...outcome.refusal, headers: ['WWW-Authenticate', 'Bearer realm="gatehouse", error="invalid_token"'] }
    return json(200, issue(outcome.account, outcome.rotation))
  }

  async function signOut(exchange: Exchange): Promise<Outbound | Refusal> {
    const { credential, id } = exchange.principal
    if (credential.kind !== 'access-token') return refuse('credentials-required')
    await store.transaction(async (trx) => {
      await sessions.end(trx, credential.session, 'signed out')
      await audit.enroll(trx, event(exchange, 'sign-out', 'success', id, { session: credential.session }))
    })
    revocations.endSession(credential.session)
    audit.wake()
    return json(200, { status: 'signed out' })
  }

  function validate({ principal }: Exchange): Outbound | Refusal {
    const { credential } = principal
    if (credential.kind !== 'access-token') return refuse('credentials-required')
    return json(200, {
      valid: true,
      user: { id: principal.id, roles: principal.roles, ...principal.attributes },
      permissions: [...principal.permissions].toSorted(),
      expires_at: new Date(credential.expiresAt * 1000).toISOString(),
    })
  }

  async function me({ principal }: Exchange): Promise<Outbound | Refusal> {
    const account = await accounts.byId(store.db, principal.id)
    return account === undefined ? refuse('not-found', { detail: 'the account is gone' }) : json(200, personOf(account))
  }

  function issue(account: Account, opened: Opened): Tokens {
    const { id, email, name, roles } = account
    const issued = tokens.issue({
      subject: id,
      session: opened.session.id,
      roles,
      email,
      name,
      permissions: [...rooms.roles.permissionsOf(roles)],
    })
    return {
      access_token: issued.token,
      refresh_token: opened.refreshToken,
      token_type: 'Bearer',
      expires_in: issued.expiresInSeconds,
      user: { id, email, name, roles: [...roles] },
    }
  }

  function event(
    exchange: Exchange,
    action: Extract<AuditEvent, { type: 'authentication' }>['action'],
    result: AuditEvent['result'],
    userId: string | undefined,
    details: Details,
  ): AuditEvent {
    return {
      action,
      actor: userId === undefined ? { id: 'anonymous', type: 'anonymous' } : { id: userId, type: 'user' },
      address: exchange.client,
      at: exchange.arrivedAt,
      details,
      id: uuidv7(exchange.arrivedAt, rooms.random),
      request_id: exchange.id,
      resource: { id: userId ?? '', type: 'user' },
      result,
      type: 'authentication',
      user_agent: exchange.request.head.userAgent ?? '',
      v: 1,
    }
  }

  return { signIn, refresh, signOut, validate, me }
}

function personOf({ id, email, name, roles, createdAt }: Account): Person {
  return { id, email, name, roles: [...roles], created_at: new Date(createdAt).toISOString() }
}
