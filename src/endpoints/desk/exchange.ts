import type { Account } from '../../authn/account/accounts.ts'
import { hold } from '../../authn/account/hold.ts'
import { type Actor, actorsMax, actorsOf, handedTo } from '../../authn/actor.ts'
import { delegatedSession } from '../../authn/session/delegated.ts'
import { type Binding, unbound } from '../../authn/token/binding.ts'
import type { Verified } from '../../authn/token/tokens.ts'
import type { Refusal } from '../../kernel/error.ts'
import type { OauthRefusal, TokenAnswer, TokenRequest } from '../../oauth/counter.ts'
import type { Resource, Resources } from '../../oauth/resources.ts'
import { targetOf } from '../../oauth/target.ts'
import type { Database } from '../../store/database.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

type ExchangeRooms = Pick<
  DeskRooms,
  'clock' | 'store' | 'audit' | 'accounts' | 'sessions' | 'grants' | 'tokens' | 'roles' | 'asserted'
>

/**
 * Tokens for a client that acts for a person whose token it was handed (RFC 8693). What comes of it is never more than the
 * token that was handed on: fewer scopes, the same session, no longer life; and it names everybody who had it.
 *
 * A client that merely saw a token exchanges nothing. The token is for it where it was meant for a resource that this client
 * serves, or where its person has allowed this client by name (decision 0022).
 */
export class TokenExchange {
  readonly #rooms: ExchangeRooms
  readonly #resources: Resources
  readonly #diary: Diary

  constructor(rooms: ExchangeRooms, resources: Resources, diary: Diary) {
    this.#rooms = rooms
    this.#resources = resources
    this.#diary = diary
  }

  async token(visitor: Visitor, request: TokenRequest, binding: Binding): Promise<TokenAnswer | OauthRefusal> {
    const { client } = request
    const { store, audit, tokens, roles } = this.#rooms
    const errand = this.#read(request, binding)
    const outcome =
      'because' in errand ? errand : await store.transaction((trx) => this.#grant(trx, visitor, request, errand))
    if ('because' in outcome) {
      const { refusal, because, userId } = outcome
      const details = { because, client: client.id, grant }
      await store.transaction((trx) =>
        userId === undefined
          ? this.#diary.client(trx, visitor, 'client-token', 'failure', client.id, details)
          : this.#diary.person(trx, visitor, 'client-token', 'failure', userId, details),
      )
      audit.wake()
      return { reason: because, ...refusal }
    }
    audit.wake()
    if ('because' in errand) return errand.refusal
    const { account, scopes, session } = outcome
    const { subject, asserted, actor, target, bound } = errand
    // An upstream is not told of roles that count elsewhere. Whose roles have changed has no session any more.
    const held = asserted ? account.roles : account.roles.filter((role) => subject.roles.includes(role))
    const issued = tokens.issue({
      subject: account.id,
      session,
      roles: held,
      permissions: [...roles.permissionsIn(undefined, held)],
      email: account.email,
      name: account.name,
      proof: subject.proof,
      client: { id: client.id, scopes, audience: target.audience, ...bound },
      delegation: { actor, untilMs: subject.expiresAt * 1000 },
    })
    return {
      access_token: issued.token,
      issued_token_type: accessTokenType,
      token_type: bound.keyThumbprint === undefined ? 'Bearer' : 'DPoP',
      expires_in: issued.expiresInSeconds,
      scope: scopes.join(' '),
    }
  }

  /** What can be known of a request without the store. */
  #read(request: TokenRequest, binding: Binding): Errand | Refused {
    const { client, parameters } = request
    if (!client.confidential || !client.verified)
      return { refusal: no('unauthorized_client', 'the client may not use this grant'), because: 'client' }
    const { subject_token: presented, requested_token_type: wanted } = parameters
    if (presented === undefined) return malformed('missing required parameter `subject_token`')
    const type = parameters['subject_token_type']
    if (type !== accessTokenType && type !== assertionTokenType)
      return malformed(`expected \`subject_token_type\` to be \`${accessTokenType}\` or \`${assertionTokenType}\``)
    if (wanted !== undefined && wanted !== accessTokenType)
      return malformed(`expected \`requested_token_type\` to be \`${accessTokenType}\`, or left out`)
    const stranger = this.#actorProblem(request)
    if (stranger !== undefined) return malformed(stranger)
    const target = targetOf(this.#resources, this.#named(request), undefined)
    if ('error' in target) return { refusal: target, because: 'target' }

    // From here on what is said depends on the token: to whoever has no business with it, it is always the same.
    const asserted = type === assertionTokenType
    const subject = asserted ? this.#told(client.id, presented) : this.#rooms.tokens.verify(presented)
    if ('because' in subject) return subject
    if ('code' in subject) return unacceptable(subject.code)
    const userId = subject.subject
    if (subject.client === userId) return unacceptable('not-a-person')
    // Whoever acts as somebody for a while has nobody else act so (A58).
    if (subject.client === undefined && subject.actor !== undefined) return unacceptable('impersonation', userId)
    const byPerson = !asserted && isByPerson(client.id, subject)
    if (!asserted && !byPerson && !this.#isServedBy(client.id, subject)) return unacceptable('not-handed-to-it', userId)

    const bound = boundAs(subject, binding, request)
    if (bound === undefined)
      return {
        refusal: no('invalid_request', 'the subject token is bound to a key or certificate that was not shown here'),
        because: 'binding',
        userId,
      }
    const actor = handedTo(client.id, chainOf(subject))
    if (actor === undefined)
      return {
        refusal: no('invalid_request', `the subject token was handed on ${actorsMax} times: nobody else may have it`),
        because: 'chain',
        userId,
      }
    return { subject, asserted, byPerson, actor, target, bound }
  }

  /** What only the store knows: whether the person is still there, and what they have allowed. */
  async #grant(trx: Database, visitor: Visitor, request: TokenRequest, errand: Errand): Promise<Granted | Refused> {
    const { accounts, sessions, grants } = this.#rooms
    const { client } = request
    const { subject, byPerson, actor, target } = errand
    const userId = subject.subject
    await hold(trx, userId)
    const account = await accounts.byId(trx, userId)
    if (account?.status !== 'active') return unacceptable('account', userId)
    if (!(await sessions.isAlive(trx, subject.session))) return unacceptable('session-ended', userId)
    const consent = byPerson ? await grants.find(trx, userId, client.id) : undefined
    if (byPerson && consent === undefined) return unacceptable('not-allowed', userId)
    const scopes = this.#scopesOf(request, errand, consent?.allowed[target.identifier])
    if ('error' in scopes) return { refusal: scopes, because: 'scope', userId }
    const device = { address: visitor.address, userAgent: visitor.userAgent }
    const session =
      subject.client === undefined
        ? await delegatedSession(trx, this.#rooms, {
            userId,
            parentId: subject.session,
            clientId: client.id,
            proof: subject.proof,
            device,
          })
        : subject.session
    await this.#diary.person(trx, visitor, 'client-token', 'success', userId, {
      acting: actorsOf(actor).join(' '),
      client: client.id,
      grant,
      resource: target.identifier,
      scope: scopes.join(' '),
      session,
      subject_token: subject.tokenId,
    })
    return { account, scopes, session }
  }

  /** What was asked for, where everybody may have it: the client, the subject token, the person's word, and the resource. */
  #scopesOf(
    { client, parameters }: TokenRequest,
    { subject, byPerson, target }: Errand,
    allowed: readonly string[] = [],
  ): readonly string[] | OauthRefusal {
    const may = (scope: string): boolean =>
      target.scopes.has(scope) &&
      client.mayAskFor(scope) &&
      (subject.client === undefined || subject.scopes.includes(scope)) &&
      (!byPerson || allowed.includes(scope))
    const wanted = wordsOf(parameters['scope'])
    const beyond = wanted.find((scope) => !may(scope))
    if (beyond !== undefined)
      return no('invalid_scope', `\`${beyond}\` is not in what client, subject token and resource have in common`)
    const usual = [...target.scopes].filter((scope) => may(scope) && !this.#resources.isPrivileged(scope))
    const scopes = wanted.length > 0 ? wanted : usual
    return scopes.length > 0
      ? scopes
      : no('invalid_scope', 'client, subject token and resource have no scope in common')
  }

  /** What is wrong with the token of the one that acts: it is the client that asks, and can only say so once more. */
  #actorProblem({ client, parameters }: TokenRequest): string | undefined {
    const { actor_token: presented, actor_token_type: type } = parameters
    if (presented === undefined)
      return type === undefined ? undefined : 'expected no `actor_token_type` without an `actor_token`'
    if (type !== accessTokenType) return `expected \`actor_token_type\` to be \`${accessTokenType}\``
    const actor = this.#rooms.tokens.verify(presented)
    const isItself = !('code' in actor) && actor.subject === client.id && actor.client === client.id
    return isItself ? undefined : 'expected `actor_token` to be an access token of this client for itself, or left out'
  }

  /** Whether the token was meant for a resource that the client serves: it was shown there, and not merely seen. */
  #isServedBy(clientId: string, { audience }: Verified): boolean {
    return audience.length > 0 && audience.every((one) => this.#resources.ofAudience(one)?.server === clientId)
  }

  /** What the gate told this client of a caller, as the upstream that it is; to any other client it says nothing. */
  #told(clientId: string, presented: string): Verified | Refusal | Refused {
    const told = this.#rooms.asserted(presented)
    if ('code' in told) return told
    return told.client === clientId ? told.caller : unacceptable('not-handed-to-it', told.caller.subject)
  }

  /** The resources that were named, by their addresses or by what tokens call them (RFC 8693 §2.1). */
  #named({ parameters, resources }: TokenRequest): readonly string[] {
    const { audience } = parameters
    if (audience === undefined) return resources
    return [...new Set([...resources, this.#resources.ofAudience(audience)?.identifier ?? audience])]
  }
}

/** A subject token that is the client's to exchange, and what is to come of it. */
interface Errand {
  readonly subject: Verified
  /** Whether the gate said it to an upstream, and no client was shown a token. */
  readonly asserted: boolean
  /** Whether it is so because its person has allowed the client by name. */
  readonly byPerson: boolean
  readonly actor: Actor
  readonly target: Resource
  readonly bound: Binding
}

interface Granted {
  readonly account: Account
  readonly scopes: readonly string[]
  readonly session: string
}

interface Refused {
  readonly refusal: OauthRefusal
  /** For the record. */
  readonly because: string
  readonly userId?: string | undefined
}

/**
 * Whether the person sent the client, or signed in themself. What others handed on to it is none of that: the session is theirs,
 * and does not end with what the person takes back from this client.
 */
function isByPerson(clientId: string, subject: Verified): boolean {
  const [first = clientId] = actorsOf(chainOf(subject)).toReversed()
  return first === clientId && (subject.client === undefined || subject.client === clientId)
}

/** Whoever had the errand until now. A client that a person sent by themself is the first of them. */
function chainOf({ actor, client }: Verified): Actor | undefined {
  return actor ?? (client === undefined ? undefined : { id: client })
}

/**
 * What the new token is bound to: as the client asks, and never less than the subject token was. Undefined where the client
 * has not shown the key or the certificate of that: it could not have used the token either.
 */
function boundAs(
  { keyThumbprint, certificateThumbprint }: Verified,
  binding: Binding,
  { certificate }: TokenRequest,
): Binding | undefined {
  if (keyThumbprint !== undefined) return binding.keyThumbprint === keyThumbprint ? binding : undefined
  if (certificateThumbprint === undefined) return binding
  if (certificate?.thumbprint !== certificateThumbprint) return undefined
  return binding.keyThumbprint === undefined ? { ...unbound, certificateThumbprint } : binding
}

/**
 * One answer for a token that does not hold and for one that is none of the client's business (RFC 8693 §2.2.2): whoever
 * found one does not learn here whether it is alive.
 */
function unacceptable(because: string, userId?: string): Refused {
  const description = 'the subject token does not hold, or is not for this client to exchange'
  return { refusal: no('invalid_request', description), because, userId }
}

function malformed(description: string): Refused {
  return { refusal: no('invalid_request', description), because: 'request' }
}

function no(error: OauthRefusal['error'], description: string): OauthRefusal {
  return { error, description }
}

function wordsOf(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split(' ').filter((word) => word !== ''))]
}

const grant = 'token_exchange'
/** RFC 8693 §3. */
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
/** What upstreams are told of a caller, `X-Gatehouse-Assertion`, is a JWT and no access token. */
const assertionTokenType = 'urn:ietf:params:oauth:token-type:jwt'
