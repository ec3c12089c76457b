import type { z } from 'zod'
import type { Account } from '../../authn/account/accounts.ts'
import { actClaim } from '../../authn/actor.ts'
import type { Session } from '../../authn/session/session.ts'
import type { Answerer, Exchange } from '../../gate/exchange.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type * as wire from '../../wire/people.ts'
import type { Person, Tokens } from '../../wire/shapes.ts'
import { signedOutFields } from '../browser-cookies.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import type { Halfway, SignInOutcome } from '../desk/sign-in.ts'
import { visitorOf } from '../desk/visitor.ts'
import { json } from './reply.ts'

type Door =
  | 'register'
  | 'signIn'
  | 'signInTotp'
  | 'signInRecoveryCode'
  | 'signInPasskeyOptions'
  | 'signInPasskey'
  | 'refresh'
  | 'signOut'
  | 'validate'
  | 'me'
  | 'forgotPassword'
  | 'resetPassword'
  | 'verifyEmail'
  | 'acceptInvitation'

/** Coming in, staying in, and going. */
export function authEndpoints(desk: Desk): Record<Door, Answerer> {
  const { store, accounts, roles } = desk.rooms

  return {
    async register(exchange) {
      const outcome = await desk.registrar.register(visitorOf(exchange), input<typeof wire.registerBody>(exchange))
      if (isRefusal(outcome)) return outcome
      return 'pending' in outcome
        ? json(202, {
            status: 'pending',
            message: 'A letter is on its way to the address, with a link that completes the registration',
          })
        : json(201, { status: 'registered', user: personOf(outcome.account) })
    },

    async signIn(exchange) {
      const { email, username, password, device_token } = input<typeof wire.signInBody>(exchange)
      const visitor = visitorOf(exchange, device_token)
      return letIn(await desk.signIn.withPassword(visitor, email ?? username ?? '', password, 'tokens'))
    },

    async signInTotp(exchange) {
      const { challenge, code } = input<typeof wire.codeBody>(exchange)
      return letIn(await desk.signIn.withCode(visitorOf(exchange), 'totp', challenge, code, 'tokens'))
    },

    async signInRecoveryCode(exchange) {
      const { challenge, code } = input<typeof wire.codeBody>(exchange)
      return letIn(await desk.signIn.withCode(visitorOf(exchange), 'recovery-code', challenge, code, 'tokens'))
    },

    async signInPasskeyOptions(exchange) {
      const outcome = await desk.signIn.passkeyOptions(input<typeof wire.passkeyOptionsBody>(exchange).challenge)
      return isRefusal(outcome) ? outcome : json(200, outcome)
    },

    async signInPasskey(exchange) {
      const { challenge, credential } = input<typeof wire.passkeyBody>(exchange)
      return letIn(await desk.signIn.withPasskey(visitorOf(exchange), challenge, credential, 'tokens'))
    },

    refresh: (exchange) => refreshOwn(desk, exchange, input<typeof wire.refreshBody>(exchange).refresh_token),

    async signOut(exchange) {
      const refused = await desk.own.signOut(visitorOf(exchange))
      return refused ?? json(200, { status: 'signed out' }, ...takenBack(exchange))
    },

    validate({ principal }) {
      const { credential } = principal
      if (credential.kind === 'none') return refuse('credentials-required')
      return json(200, {
        valid: true,
        user: { id: principal.id, roles: principal.roles, ...principal.attributes },
        permissions: [...principal.permissions].toSorted(),
        ...('expiresAt' in credential ? { expires_at: new Date(credential.expiresAt * 1000).toISOString() } : {}),
        ...(principal.actor === undefined ? {} : { act: actClaim(principal.actor) }),
      })
    },

    async me({ principal }) {
      const account = await accounts.byId(store.db, principal.id)
      if (account === undefined) return refuse('not-found', { detail: 'the account is gone' })
      // What a client of other people was granted is its own to know, and all of the person's is not.
      return json(200, { ...personOf(account), ...(principal.client === undefined ? heldBy(account.roles) : {}) })
    },

    async forgotPassword(exchange) {
      const refused = await desk.recovery.forgot(visitorOf(exchange), input<typeof wire.forgotBody>(exchange).email)
      return (
        refused ??
        json(202, { status: 'pending', message: 'If the address has an account, a letter is on its way to it' })
      )
    },

    async resetPassword(exchange) {
      const { token, password } = input<typeof wire.resetBody>(exchange)
      const refused = await desk.recovery.reset(visitorOf(exchange), token, password)
      return refused ?? json(200, { status: 'reset', message: 'Sign in with the new password' })
    },

    async verifyEmail(exchange) {
      const outcome = await desk.registrar.verify(visitorOf(exchange), input<typeof wire.verifyBody>(exchange).token)
      return isRefusal(outcome) ? outcome : json(200, { status: 'verified', user: personOf(outcome.account) })
    },

    async acceptInvitation(exchange) {
      const { token, ...given } = input<typeof wire.invitationBody>(exchange)
      const outcome = await desk.registrar.accept(visitorOf(exchange), token, given)
      return isRefusal(outcome) ? outcome : json(201, { status: 'registered', user: personOf(outcome.account) })
    },
  }

  /** What roles hold everywhere, and in areas over and above that. */
  function heldBy(names: readonly string[]): Record<string, unknown> {
    const areas = roles.areasOf(names)
    return {
      permissions: [...roles.permissionsIn(undefined, names)].toSorted(),
      ...(Object.keys(areas).length === 0 ? {} : { areas }),
    }
  }

  function letIn(outcome: SignInOutcome): Outbound | Refusal {
    if ('letIn' in outcome) {
      const { account, session, refreshToken, deviceToken } = outcome.letIn
      return json(200, { ...tokensOf(desk, account, session, refreshToken), device_token: deviceToken })
    }
    return 'halfway' in outcome ? halfwayRefusal(outcome.halfway) : outcome
  }
}

/** Trades a refresh token of our own sign-in for its successor. */
export async function refreshOwn(desk: Desk, exchange: Exchange, presented: string): Promise<Outbound | Refusal> {
  const { store, accounts, sessions, revocations, audit } = desk.rooms
  const visitor = visitorOf(exchange)
  const outcome = await store.transaction(async (trx) => {
    const rotation = await sessions.rotate(trx, presented)
    switch (rotation.kind) {
      case 'rotated':
      case 'repeated': {
        const account = await accounts.byId(trx, rotation.session.userId)
        if (account === undefined || account.status !== 'active') return { refusal: refuse('token-revoked') }
        await desk.diary.person(trx, visitor, 'refresh', 'success', account.id, {
          repeated: rotation.kind === 'repeated',
          session: rotation.session.id,
        })
        return { account, rotation }
      }
      case 'reused':
        await desk.diary.tokenReuse(trx, visitor, rotation.userId, {
          session: rotation.sessionId,
          what: 'refresh-token',
        })
        return {
          refusal: refuse('token-revoked', { reason: 'a spent refresh token came back' }),
          ended: rotation.sessionId,
        }
      case 'expired':
        return { refusal: refuse('token-expired') }
      case 'invalid':
        await desk.diary.person(trx, visitor, 'refresh', 'failure', undefined)
        return { refusal: refuse('token-invalid') }
    }
  })
  audit.wake()
  if (outcome.ended !== undefined) revocations.endSession(outcome.ended)
  if (outcome.refusal !== undefined)
    return { ...outcome.refusal, headers: ['WWW-Authenticate', 'Bearer realm="gatehouse", error="invalid_token"'] }
  const { account, rotation } = outcome
  return json(200, tokensOf(desk, account, rotation.session, rotation.refreshToken))
}

/** What a client needs to go on, as members of the problem. */
export function halfwayRefusal({ challenge, methods, expiresInSeconds }: Halfway): Refusal {
  return refuse('second-factor-required', { extensions: { challenge, methods, expires_in: expiresInSeconds } })
}

/** Tokens of a session, as the wire has them. */
export function tokensOf(
  { rooms }: Desk,
  account: Account,
  session: Session,
  refreshToken: string | undefined,
): Tokens {
  const { id, email, name, roles } = account
  const issued = rooms.tokens.issue({
    subject: id,
    session: session.id,
    roles,
    email,
    name,
    permissions: [...rooms.roles.permissionsIn(undefined, roles)],
    proof: session.proof,
  })
  return {
    access_token: issued.token,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    token_type: 'Bearer',
    expires_in: issued.expiresInSeconds,
    user: { id, email, name, roles: [...roles] },
  }
}

export function personOf(account: Account): Person {
  const { id, email, emailVerifiedAt, username, name, roles, createdAt } = account
  return {
    id,
    email,
    email_verified: emailVerifiedAt !== undefined,
    ...(username === undefined ? {} : { username }),
    name,
    roles: [...roles],
    created_at: new Date(createdAt).toISOString(),
  }
}

/** The checked body of an endpoint, by its shape. */
export function input<Shape extends z.ZodType>({ input }: Exchange): z.output<Shape> {
  return input as z.output<Shape>
}

/** Takes the cookie of a session back, where one came. */
export function takenBack({ principal }: Exchange): string[] {
  return principal.credential.kind === 'browser-session' ? signedOutFields() : []
}
