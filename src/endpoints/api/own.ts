import type { Answerer } from '../../gate/exchange.ts'
import type { Refusal } from '../../kernel/error.ts'
import type * as wire from '../../wire/people.ts'
import { letInFields } from '../browser-cookies.ts'
import type { Desk } from '../desk/desk.ts'
import { isRefusal } from '../desk/guard.ts'
import { deviceName } from '../desk/letters.ts'
import type { Again } from '../desk/own.ts'
import { visitorOf } from '../desk/visitor.ts'
import { input, takenBack, tokensOf } from './auth.ts'
import { json } from './reply.ts'

type Owns =
  | 'changePassword'
  | 'changeEmail'
  | 'stepUp'
  | 'stepUpPasskeyOptions'
  | 'sessions'
  | 'endSessions'
  | 'endOtherSessions'
  | 'endSession'
  | 'factors'
  | 'beginTotp'
  | 'confirmTotp'
  | 'removeTotp'
  | 'renewRecoveryCodes'
  | 'passkeys'
  | 'newPasskeyOptions'
  | 'addPasskey'
  | 'removePasskey'
  | 'grants'
  | 'withdrawGrant'
  | 'providers'
  | 'identities'
  | 'unlinkIdentity'

/** What is a person's own: their sessions, and what proves them. */
export function ownEndpoints(desk: Desk): Record<Owns, Answerer> {
  const { own, recovery, rooms } = desk
  const { store, sessions, factors, passkeys, identities, providers } = rooms
  const done = (refused: Refusal | undefined): ReturnType<Answerer> => refused ?? json(200, { status: 'done' })

  return {
    async changePassword(exchange) {
      const { current_password, password } = input<typeof wire.changePasswordBody>(exchange)
      return done(await recovery.change(visitorOf(exchange), current_password, password))
    },

    async changeEmail(exchange) {
      const refused = await recovery.changeEmail(
        visitorOf(exchange),
        input<typeof wire.changeEmailBody>(exchange).email,
      )
      return refused ?? json(202, { status: 'pending', message: 'A letter is on its way to the new address' })
    },

    async stepUp(exchange) {
      const outcome = await own.stepUp(visitorOf(exchange), againOf(input<typeof wire.stepUpBody>(exchange)))
      if (isRefusal(outcome)) return outcome
      const { account, session, refreshToken, cookie } = outcome
      return cookie === undefined
        ? json(200, tokensOf(desk, account, session, refreshToken))
        : json(200, { status: 'done' }, ...letInFields(rooms.identity.session, cookie, undefined))
    },

    async stepUpPasskeyOptions(exchange) {
      const outcome = await own.passkeyOptions(visitorOf(exchange))
      return isRefusal(outcome) ? outcome : json(200, outcome)
    },

    async sessions({ principal }) {
      const current = 'session' in principal.credential ? principal.credential.session : ''
      const living = await sessions.list(store.db, principal.id, rooms.identity.session.idle)
      return json(200, {
        sessions: living.map((session) => ({
          id: session.id,
          kind: session.kind,
          device: deviceName(session.userAgent),
          address: session.address,
          created_at: new Date(session.createdAt).toISOString(),
          last_seen_at: new Date(session.seenAt).toISOString(),
          expires_at: new Date(session.expiresAt).toISOString(),
          current: session.id === current,
        })),
      })
    },

    async endSessions(exchange) {
      return json(200, { ended: await own.endSessions(visitorOf(exchange), 'all') }, ...takenBack(exchange))
    },

    async endOtherSessions(exchange) {
      return json(200, { ended: await own.endSessions(visitorOf(exchange), 'others') })
    },

    async endSession(exchange) {
      const refused = await own.endSession(visitorOf(exchange), exchange.params['id'] ?? '')
      return refused ?? json(200, { ended: 1 })
    },

    async factors({ principal }) {
      const enrolled = await factors.enrolled(store.db, principal.id)
      return json(200, {
        totp: enrolled.totp,
        passkeys: enrolled.passkeys,
        recovery_codes_left: enrolled.recoveryCodesLeft,
      })
    },

    async beginTotp(exchange) {
      const begun = await own.beginTotp(visitorOf(exchange))
      return isRefusal(begun) ? begun : json(201, { secret: begun.secret, uri: begun.uri })
    },

    async confirmTotp(exchange) {
      const outcome = await own.confirmTotp(visitorOf(exchange), input<typeof wire.totpBody>(exchange).code)
      return isRefusal(outcome) ? outcome : json(200, { status: 'enrolled', recovery_codes: outcome.recoveryCodes })
    },

    async removeTotp(exchange) {
      return done(await own.removeTotp(visitorOf(exchange)))
    },

    async renewRecoveryCodes(exchange) {
      const outcome = await own.renewRecoveryCodes(visitorOf(exchange))
      return isRefusal(outcome) ? outcome : json(201, { recovery_codes: outcome.recoveryCodes })
    },

    async passkeys({ principal }) {
      const keys = (await passkeys?.list(store.db, principal.id)) ?? []
      return json(200, {
        passkeys: keys.map(({ id, name, backedUp, createdAt, lastUsedAt }) => ({
          id,
          name,
          backed_up: backedUp,
          created_at: new Date(createdAt).toISOString(),
          ...(lastUsedAt === undefined ? {} : { last_used_at: new Date(lastUsedAt).toISOString() }),
        })),
      })
    },

    async newPasskeyOptions(exchange) {
      const outcome = await own.newPasskeyOptions(visitorOf(exchange))
      return isRefusal(outcome) ? outcome : json(200, outcome)
    },

    async addPasskey(exchange) {
      const { challenge, credential, name } = input<typeof wire.newPasskeyBody>(exchange)
      const visitor = visitorOf(exchange)
      const outcome = await own.addPasskey(visitor, challenge, credential, name ?? deviceName(visitor.userAgent))
      return isRefusal(outcome)
        ? outcome
        : json(201, { status: 'enrolled', id: outcome.id, recovery_codes: outcome.recoveryCodes })
    },

    async removePasskey(exchange) {
      return done(await own.removePasskey(visitorOf(exchange), exchange.params['id'] ?? ''))
    },

    async grants(exchange) {
      const allowed = await desk.consents.list(visitorOf(exchange))
      return json(200, {
        grants: allowed.map((grant) => ({
          id: grant.handle,
          client: {
            id: grant.clientId,
            name: grant.clientName,
            status: grant.client,
            hosts: grant.hosts,
          },
          // Without a resource: what is about the person, and not about an API.
          allowed: Object.entries(grant.allowed).map(([resource, scopes]) => ({
            ...(resource === 'openid' ? {} : { resource }),
            scopes: scopes.map((name) => ({ name, description: rooms.scopeTexts?.get(name) })),
          })),
          sessions: grant.sessions,
          created_at: new Date(grant.createdAt).toISOString(),
          updated_at: new Date(grant.updatedAt).toISOString(),
          ...(grant.usedAt === undefined ? {} : { last_used_at: new Date(grant.usedAt).toISOString() }),
        })),
      })
    },

    async withdrawGrant(exchange) {
      return done(await desk.consents.withdraw(visitorOf(exchange), exchange.params['id'] ?? ''))
    },

    providers() {
      return json(200, {
        providers: providers.list().map(({ name, label }) => ({ name, label, sign_in: `/auth/login/${name}` })),
      })
    },

    async identities({ principal }) {
      const linked = await identities.of(store.db, principal.id)
      return json(200, {
        identities: linked.map(({ provider, issuer, email, createdAt }) => ({
          provider,
          issuer,
          ...(email === undefined ? {} : { email }),
          linked_at: new Date(createdAt).toISOString(),
        })),
      })
    },

    async unlinkIdentity(exchange) {
      return done(await own.unlink(visitorOf(exchange), exchange.params['provider'] ?? ''))
    },
  }
}

function againOf(body: ReturnType<typeof input<typeof wire.stepUpBody>>): Again {
  const { password, code, recovery_code, challenge, credential } = body
  if (password !== undefined) return { method: 'password', password }
  if (code !== undefined) return { method: 'totp', code }
  if (recovery_code !== undefined) return { method: 'recovery-code', code: recovery_code }
  return { method: 'passkey', challenge: challenge ?? '', credential }
}
