import { createHash } from 'node:crypto'
import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { methodsOfAmr, type Proof } from '../../authn/proof.ts'
import type { Session } from '../../authn/session/session.ts'
import { type Binding, unbound } from '../../authn/token/binding.ts'
import { personScopes } from '../../authz/scopes.ts'
import { equalBytes } from '../../kernel/bytes.ts'
import type { KnownClient } from '../../oauth/client-book.ts'
import type {
  CodePayload,
  DevicePayload,
  GrantType,
  OauthRefusal,
  TokenAnswer,
  TokenRequest,
} from '../../oauth/counter.ts'
import { stillAllows } from '../../oauth/grants.ts'
import type { OauthOptions } from '../../oauth/options.ts'
import type { Records } from '../../oauth/records.ts'
import type { Resource, Resources } from '../../oauth/resources.ts'
import { isOpened, targetOf } from '../../oauth/target.ts'
import type { Database } from '../../store/database.ts'
import { bindingOf, type Proven } from './binding.ts'
import { TokenExchange } from './exchange.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** What the authorization server brings to the desk. */
export interface IssuingRooms {
  readonly options: OauthOptions
  readonly resources: Resources
  readonly records: Records
  readonly clients: { find(id: string): Promise<KnownClient | undefined> }
  readonly proven: Proven
}

/** What was granted, by whom, to whom: what a family of tokens begins with. */
interface Granted {
  readonly userId: string
  readonly scopes: readonly string[]
  /** Identifiers of resources. */
  readonly resources: readonly string[]
  readonly proof: Proof
  /** The browser session in which it was granted. */
  readonly session: string | undefined
  readonly nonce: string | undefined
}

/**
 * Tokens for other people's clients. Each grant is one transaction: what it spends, the family that it opens and the event
 * that tells of it are there together, or not at all. Two who spend one thing at the same moment are told apart by the
 * store, and a thing that is spent twice ends what came of it (RFC 9700 §4.5, §4.14.2).
 */
export class Issuing {
  readonly #rooms: DeskRooms
  readonly #own: IssuingRooms
  readonly #diary: Diary
  readonly #exchange: TokenExchange

  constructor(rooms: DeskRooms, own: IssuingRooms, diary: Diary) {
    this.#rooms = rooms
    this.#own = own
    this.#diary = diary
    this.#exchange = new TokenExchange(rooms, own.resources, diary)
  }

  async token(visitor: Visitor, grant: GrantType, request: TokenRequest): Promise<TokenAnswer | OauthRefusal> {
    const binding = await bindingOf(request, this.#own.proven)
    if ('error' in binding) return binding
    switch (grant) {
      case 'authorization_code':
        return this.#withCode(visitor, request, binding)
      case 'refresh_token':
        return this.#withRefreshToken(visitor, request, binding)
      case 'device_code':
        return this.#withDeviceCode(visitor, request, binding)
      case 'client_credentials':
        return this.#forClient(visitor, request, binding)
      case 'token_exchange':
        return this.#exchange.token(visitor, request, binding)
    }
  }

  /** RFC 6749 §4.1.3, with the code bound to its client, its address, its verifier and its key. */
  async #withCode(
    visitor: Visitor,
    { client, parameters, resources }: TokenRequest,
    binding: Binding,
  ): Promise<TokenAnswer | OauthRefusal> {
    const { code, redirect_uri, code_verifier } = parameters
    if (code === undefined) return missing('code')
    if (redirect_uri === undefined) return missing('redirect_uri')
    if (code_verifier === undefined) return missing('code_verifier')
    const { records } = this.#own
    const { store, sessions } = this.#rooms
    const known = await records.find(store.db, 'AuthorizationCode', code)
    if (known === undefined) return no('invalid_grant', 'the code is not known, or has run out')
    const payload = known.payload as CodePayload
    if (payload.clientId !== client.id) return no('invalid_grant', 'the code was given to another client')
    if (payload.redirectUri !== redirect_uri) return no('invalid_grant', 'redirect_uri is not the one of the request')
    if (!fits(code_verifier, payload.codeChallenge))
      return no('invalid_grant', 'code_verifier does not fit the challenge (RFC 7636, 4.6)')
    if (payload.dpopJkt !== undefined && payload.dpopJkt !== binding.keyThumbprint)
      return no('invalid_grant', 'the code is bound to another key (RFC 9449, 10)')
    const granted: Granted = {
      userId: payload.accountId,
      scopes: wordsOf(payload.scope),
      resources: [payload.resource ?? []].flat(),
      proof: { methods: methodsOfAmr(payload.amr ?? []), at: (payload.authTime ?? 0) * 1000 },
      session: payload.sessionUid,
      nonce: payload.nonce,
    }
    const resource = targetOf(this.#own.resources, resources, granted)
    if ('error' in resource) return resource

    return this.#begin(visitor, client, granted, resource, binding, {
      grant: 'authorization_code',
      spend: (trx) => records.take(trx, 'AuthorizationCode', code),
      spent: (trx, sessionId, untilMs) => records.settle(trx, 'AuthorizationCode', code, sessionId, untilMs),
      twice: async (trx) => {
        const again = await records.find(trx, 'AuthorizationCode', code)
        if (again?.sessionId === undefined) return []
        await this.#diary.tokenReuse(trx, visitor, granted.userId, {
          client: client.id,
          session: again.sessionId,
          what: 'code',
        })
        return sessions.end(trx, again.sessionId, 'a spent code came back')
      },
    })
  }

  /** RFC 8628 §3.4: the device asks until the person has answered. */
  async #withDeviceCode(
    visitor: Visitor,
    { client, parameters, resources }: TokenRequest,
    binding: Binding,
  ): Promise<TokenAnswer | OauthRefusal> {
    const { device_code: code } = parameters
    if (code === undefined) return missing('device_code')
    const { records } = this.#own
    const { store } = this.#rooms
    const known = await records.find(store.db, 'DeviceCode', code)
    if (known === undefined) return no('expired_token', 'the device code is not known, or has run out')
    const { clientId, answer } = known.payload as unknown as DevicePayload
    if (clientId !== client.id) return no('invalid_grant', 'the device code was given to another client')
    if (!(await records.mayPoll(store.db, code, pollEveryMs)))
      return no('slow_down', `ask again in ${pollEveryMs / 1000} seconds`)
    if (known.consumedAt !== undefined) return no('invalid_grant', 'the device code was used')
    if (answer === undefined) return no('authorization_pending', 'the person has not answered yet')
    if (!answer.allowed) return no('access_denied', 'the person said no')
    const granted: Granted = {
      userId: answer.userId,
      scopes: answer.scopes,
      resources: answer.resources,
      proof: { methods: methodsOfAmr(answer.amr), at: answer.authenticatedAt * 1000 },
      session: answer.session,
      nonce: undefined,
    }
    const resource = targetOf(this.#own.resources, resources, granted)
    if ('error' in resource) return resource
    return this.#begin(visitor, client, granted, resource, binding, {
      grant: 'device_code',
      spend: (trx) => records.take(trx, 'DeviceCode', code),
      spent: async () => {},
      twice: async () => [],
    })
  }

  /** Opens a family for what was granted. Whoever comes second finds it spent. */
  async #begin(
    visitor: Visitor,
    client: TokenRequest['client'],
    granted: Granted,
    resource: Resource,
    binding: Binding,
    source: Source,
  ): Promise<TokenAnswer | OauthRefusal> {
    const { store, accounts, grants, sessions, revocations, audit, clock } = this.#rooms
    const { userId, scopes, session } = granted
    const offline = scopes.includes('offline_access')
    const lives = client.refreshes
      ? { ttlMs: this.#own.options.refreshTtl, idleMs: this.#own.options.refreshIdle }
      : { ttlMs: this.#rooms.tokens.accessTtlMs, idleMs: this.#rooms.tokens.accessTtlMs }
    const outcome = await store.transaction(async (trx) => {
      await hold(trx, userId)
      // First of all: what comes a second time ends what came of it, whatever else may have changed (A15).
      if (!(await source.spend(trx)))
        return { refusal: no('invalid_grant', 'it was used before'), ended: await source.twice(trx) }
      const account = await accounts.byId(trx, userId)
      const stays = session !== undefined && (await sessions.isAlive(trx, session))
      // What was taken back since it was asked for, by the person or from the client, is not given out any more.
      const allowed = stillAllows(await grants.find(trx, userId, client.id), granted)
      const may = scopes.every((scope) => personScopes.has(scope) || client.mayAskFor(scope))
      if (account?.status !== 'active' || !stays || !allowed || !may) {
        const because = !stays ? 'session-ended' : !allowed ? 'withdrawn' : may ? 'account' : 'scope'
        await this.#diary.person(trx, visitor, 'client-token', 'failure', userId, { because, client: client.id })
        return { refusal: no('invalid_grant', 'what was allowed does not hold any more'), ended: none }
      }
      const device = { address: visitor.address, userAgent: visitor.userAgent }
      const opened = await sessions.openForClient(trx, userId, device, granted.proof, {
        id: client.id,
        scopes,
        resources: granted.resources,
        // A client that shows who it is with each refresh need not be bound as well (RFC 9449 §5, RFC 8705 §4).
        ...(client.confidential ? unbound : binding),
        parentId: offline ? undefined : session,
        ...lives,
      })
      await source.spent(trx, opened.session.id, clock.now() + lives.ttlMs)
      await this.#diary.person(trx, visitor, 'client-token', 'success', userId, {
        client: client.id,
        grant: source.grant,
        scope: scopes.join(' '),
        session: opened.session.id,
      })
      return { account, opened }
    })
    audit.wake()
    if (outcome.refusal !== undefined) {
      for (const id of outcome.ended) revocations.endSession(id)
      return outcome.refusal
    }
    const { account, opened } = outcome
    const refreshToken = client.refreshes ? opened.refreshToken : undefined
    return this.#answer(client.id, account, opened.session, scopes, resource, binding, refreshToken, granted.nonce)
  }

  /** RFC 6749 §6. Narrower than what was granted is possible, wider is not. */
  async #withRefreshToken(
    visitor: Visitor,
    { client, parameters, resources, certificate }: TokenRequest,
    binding: Binding,
  ): Promise<TokenAnswer | OauthRefusal> {
    const { refresh_token: presented, scope } = parameters
    if (presented === undefined) return missing('refresh_token')
    const { store, accounts, sessions, revocations, audit } = this.#rooms
    const outcome = await store.transaction(async (trx) => {
      const wanted = await sessions.peek(trx, presented)
      // Asked before anything is spent: a request that cannot be answered costs the client nothing.
      const asked = wanted?.client === undefined ? undefined : this.#narrowed(client, wanted.client, scope, resources)
      if (asked !== undefined && 'error' in asked) return { refusal: asked }
      const rotation = await sessions.rotate(trx, presented, {
        clientId: client.id,
        keyThumbprint: binding.keyThumbprint,
        // Whatever the client is now: what was bound stays bound.
        certificateThumbprint: certificate?.thumbprint,
      })
      switch (rotation.kind) {
        case 'rotated':
        case 'repeated': {
          const { session } = rotation
          const account = await accounts.byId(trx, session.userId)
          if (account?.status !== 'active' || asked === undefined)
            return { refusal: no('invalid_grant', 'the account is locked or gone') }
          await this.#diary.person(trx, visitor, 'client-refresh', 'success', account.id, {
            client: client.id,
            repeated: rotation.kind === 'repeated',
            session: session.id,
          })
          return { account, rotation, asked }
        }
        case 'reused':
          await this.#diary.tokenReuse(trx, visitor, rotation.userId, {
            client: client.id,
            session: rotation.sessionId,
            what: 'refresh-token',
          })
          return { refusal: no('invalid_grant', 'the refresh token was used before'), ended: rotation.sessionId }
        case 'expired':
          return { refusal: no('invalid_grant', 'the refresh token has run out') }
        case 'invalid':
          await this.#diary.client(trx, visitor, 'client-refresh', 'failure', client.id)
          return { refusal: no('invalid_grant', 'the refresh token is not known, or was taken back') }
      }
    })
    audit.wake()
    if (outcome.ended !== undefined) revocations.endSession(outcome.ended)
    if (outcome.refusal !== undefined) return outcome.refusal
    const { account, rotation, asked } = outcome
    const { session, refreshToken } = rotation
    return this.#answer(client.id, account, session, asked.scopes, asked.resource, binding, refreshToken, undefined)
  }

  /** RFC 6749 §4.4: a client for itself, and nobody else (A34). */
  async #forClient(
    visitor: Visitor,
    { client, parameters, resources }: TokenRequest,
    binding: Binding,
  ): Promise<TokenAnswer | OauthRefusal> {
    if (!client.confidential) return no('unauthorized_client', 'a public client cannot show who it is')
    const resource = targetOf(this.#own.resources, resources, undefined)
    if ('error' in resource) return resource
    const wanted = wordsOf(parameters['scope'])
    const wrong = wanted.find((scope) => !resource.scopes.has(scope) || !client.mayAskFor(scope))
    if (wrong !== undefined) return no('invalid_scope', `the client may not ask for \`${wrong}\` here`)
    const usual = [...resource.scopes].filter(
      (scope) => client.mayAskFor(scope) && !this.#own.resources.isPrivileged(scope),
    )
    const scopes = wanted.length > 0 ? wanted : usual
    if (!isOpened(this.#own.resources, resource, scopes)) return nothingThere
    const { store, tokens, audit } = this.#rooms
    await store.transaction((trx) =>
      this.#diary.client(trx, visitor, 'client-token', 'success', client.id, {
        grant: 'client_credentials',
        scope: scopes.join(' '),
      }),
    )
    audit.wake()
    const issued = tokens.issueForClient({ id: client.id, scopes, audience: resource.audience, ...binding })
    return {
      access_token: issued.token,
      token_type: binding.keyThumbprint === undefined ? 'Bearer' : 'DPoP',
      expires_in: issued.expiresInSeconds,
      scope: scopes.join(' '),
    }
  }

  /** What a refresh asks for, of what the family was granted. */
  #narrowed(
    client: TokenRequest['client'],
    family: { readonly scopes: readonly string[]; readonly resources: readonly string[] },
    scope: string | undefined,
    resources: readonly string[],
  ): { readonly scopes: readonly string[]; readonly resource: Resource } | OauthRefusal {
    const resource = targetOf(this.#own.resources, resources, family)
    if ('error' in resource) return resource
    const wanted = wordsOf(scope)
    const beyond = wanted.find((one) => !family.scopes.includes(one))
    if (beyond !== undefined) return no('invalid_scope', `\`${beyond}\` was not granted`)
    // What the client may not ask for any more it is not given any more, though a person allowed it then.
    const holds = (one: string): boolean => personScopes.has(one) || client.mayAskFor(one)
    const lost = wanted.find((one) => !holds(one))
    if (lost !== undefined) return no('invalid_scope', `the client may not ask for \`${lost}\` any more`)
    const scopes = wanted.length > 0 ? wanted : family.scopes.filter(holds)
    return isOpened(this.#own.resources, resource, scopes) ? { scopes, resource } : nothingThere
  }

  #answer(
    clientId: string,
    account: Account,
    session: Session,
    granted: readonly string[],
    resource: Resource,
    binding: Binding,
    refreshToken: string | undefined,
    nonce: string | undefined,
  ): TokenAnswer {
    const { tokens, roles } = this.#rooms
    const about = resource === this.#own.resources.own ? personScopes : noScopes
    const scopes = granted.filter((scope) => resource.scopes.has(scope) || about.has(scope))
    const subject = {
      subject: account.id,
      session: session.id,
      roles: account.roles,
      email: account.email,
      name: account.name,
      permissions: [...roles.permissionsIn(undefined, account.roles)],
      proof: session.proof,
    }
    const issued = tokens.issue({
      ...subject,
      client: { id: clientId, scopes, audience: resource.audience, ...binding },
    })
    const idToken = granted.includes('openid')
      ? tokens.issueIdToken({
          client: clientId,
          subject: account.id,
          session: session.id,
          proof: session.proof,
          nonce,
          accessToken: issued.token,
          claims: claimsOf(account, granted),
        })
      : undefined
    return {
      access_token: issued.token,
      token_type: binding.keyThumbprint === undefined ? 'Bearer' : 'DPoP',
      expires_in: issued.expiresInSeconds,
      scope: scopes.join(' '),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(idToken === undefined ? {} : { id_token: idToken }),
    }
  }
}

/** What a family can come of: something that is spent, once. */
interface Source {
  readonly grant: GrantType
  /** Whether it was there to be spent. */
  spend(trx: Database): Promise<boolean>
  spent(trx: Database, sessionId: string, untilMs: number): Promise<void>
  /** It was spent before; answers the sessions that end for it. */
  twice(trx: Database): Promise<readonly string[]>
}

/** What is told of a person, by what was granted (OpenID Connect Core §5.4). */
export function claimsOf(account: Account, scopes: readonly string[]): Readonly<Record<string, unknown>> {
  const { name, username, email, emailVerifiedAt } = account
  return {
    ...(scopes.includes('profile')
      ? { name, ...(username === undefined ? {} : { preferred_username: username }) }
      : {}),
    ...(scopes.includes('email') ? { email, email_verified: emailVerifiedAt !== undefined } : {}),
  }
}

/** RFC 7636 §4.6: S256, and nothing else. */
function fits(verifier: string, challenge: string): boolean {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false
  const hashed = createHash('sha256').update(verifier).digest('base64url')
  return equalBytes(Buffer.from(hashed), Buffer.from(challenge))
}

function wordsOf(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split(' ').filter((word) => word !== ''))]
}

function no(error: OauthRefusal['error'], description: string): OauthRefusal {
  return { error, description }
}

function missing(parameter: string): OauthRefusal {
  return no('invalid_request', `missing required parameter \`${parameter}\``)
}

const nothingThere = no('invalid_scope', 'no scope of this resource was asked for')
const noScopes: ReadonlySet<string> = new Set()
const none: readonly string[] = []
/** How often a device may ask (RFC 8628 §3.2, the default of `interval`). */
const pollEveryMs = 5_000
