import { amrOf, levelOf } from '../../authn/proof.ts'
import { refreshTokenPrefix } from '../../authn/session/refresh-tokens.ts'
import type { Asked } from '../../oauth/client-book.ts'
import type {
  Counter,
  GrantType,
  OauthRefusal,
  SignedInPerson,
  TokenAnswer,
  TokenFacts,
  TokenRequest,
} from '../../oauth/counter.ts'
import type { Resources } from '../../oauth/resources.ts'
import type { Issuing } from './issuing.ts'
import type { DeskRooms } from './rooms.ts'
import type { Diary, Visitor } from './visitor.ts'

/** Who decides behind the authorization server: for whoever asks it, by whatever they have shown. */
export class Authorization implements Counter<Visitor> {
  readonly #rooms: DeskRooms
  readonly #resources: Resources
  readonly #issuing: Issuing
  readonly #diary: Diary

  constructor(rooms: DeskRooms, resources: Resources, issuing: Issuing, diary: Diary) {
    this.#rooms = rooms
    this.#resources = resources
    this.#issuing = issuing
    this.#diary = diary
  }

  /** Only a browser's own session counts: nobody authorizes a client by a token, or in somebody else's stead. */
  person({ principal }: Visitor): SignedInPerson | undefined {
    const { credential } = principal
    if (credential.kind !== 'browser-session' || principal.actor !== undefined) return undefined
    const { proof, session } = credential
    return {
      userId: principal.id,
      session,
      authenticatedAt: Math.floor(proof.at / 1000),
      acr: levelOf(proof.methods),
      amr: amrOf(proof.methods),
    }
  }

  token(visitor: Visitor, grant: GrantType, request: TokenRequest): Promise<TokenAnswer | OauthRefusal> {
    return this.#issuing.token(visitor, grant, request)
  }

  async introspect(_visitor: Visitor, token: string): Promise<TokenFacts | undefined> {
    const { store, sessions, tokens } = this.#rooms
    if (token.startsWith(refreshTokenPrefix)) {
      const family = await sessions.peek(store.db, token)
      if (family?.client === undefined) return undefined
      return {
        kind: 'refresh',
        id: family.id,
        clientId: family.client.id,
        subject: family.userId,
        actor: undefined,
        scope: family.client.scopes.join(' '),
        audience: undefined,
        issuedAt: Math.floor(family.createdAt / 1000),
        expiresAt: Math.floor(family.expiresAt / 1000),
        keyThumbprint: family.client.keyThumbprint,
        certificateThumbprint: family.client.certificateThumbprint,
      }
    }
    const verified = tokens.verify(token)
    if ('code' in verified || verified.client === undefined) return undefined
    return {
      kind: 'access',
      id: verified.tokenId,
      clientId: verified.client,
      subject: verified.subject,
      actor: verified.actor,
      scope: verified.scopes.join(' '),
      audience: verified.audience[0],
      issuedAt: verified.issuedAt,
      expiresAt: verified.expiresAt,
      keyThumbprint: verified.keyThumbprint,
      certificateThumbprint: verified.certificateThumbprint,
    }
  }

  /** An access token ends alone; a refresh token with its family (RFC 7009 §2.1). */
  async revoke(visitor: Visitor, facts: TokenFacts): Promise<void> {
    const { store, sessions, revocations, audit } = this.#rooms
    const ended = await store.transaction(async (trx) => {
      await this.#diary.client(trx, visitor, 'token-revoke', 'success', facts.clientId, {
        kind: facts.kind,
        token: facts.id,
      })
      if (facts.kind === 'refresh') return sessions.end(trx, facts.id, 'taken back by its client')
      await this.#rooms.revocationList.revoke(trx, 'token', facts.id, {
        at: this.#rooms.clock.now(),
        expiresAt: facts.expiresAt * 1000,
      })
      return []
    })
    audit.wake()
    if (facts.kind === 'access') revocations.endToken(facts.id, facts.expiresAt * 1000)
    for (const id of ended) revocations.endSession(id)
  }

  /**
   * A token of our own sign-in, taken back by whoever holds it: there is no client to show itself, and to hold a token is to
   * be able to use it, or to end it. Answers nothing: what is not alive is as ended as it can be (RFC 7009 §2.2).
   */
  async revokeHeld(visitor: Visitor, token: string): Promise<void> {
    const { store, sessions, tokens, revocations, audit } = this.#rooms
    const refresh = token.startsWith(refreshTokenPrefix)
    const family = refresh ? await sessions.peek(store.db, token) : undefined
    const verified = refresh ? undefined : tokens.verify(token)
    const own = verified !== undefined && !('code' in verified) && verified.client === undefined ? verified : undefined
    if ((family === undefined || family.client !== undefined) && own === undefined) return
    const ended = await store.transaction(async (trx) => {
      const userId = family?.userId ?? own?.subject
      const kind = family === undefined ? 'access' : 'refresh'
      await this.#diary.person(trx, visitor, 'token-revoke', 'success', userId, { kind })
      if (family !== undefined) return sessions.end(trx, family.id, 'taken back')
      if (own !== undefined)
        await this.#rooms.revocationList.revoke(trx, 'token', own.tokenId, {
          at: this.#rooms.clock.now(),
          expiresAt: own.expiresAt * 1000,
        })
      return []
    })
    audit.wake()
    if (own !== undefined) revocations.endToken(own.tokenId, own.expiresAt * 1000)
    for (const id of ended) revocations.endSession(id)
  }

  async allowed(userId: string, clientId: string): Promise<Asked | undefined> {
    const { store, grants } = this.#rooms
    return (await grants.find(store.db, userId, clientId))?.allowed
  }

  async strange(visitor: Visitor, clientId: string | undefined): Promise<void> {
    const { store, audit } = this.#rooms
    const named = (clientId ?? '').slice(0, 200).toWellFormed().replaceAll('\0', '')
    await store.transaction((trx) => this.#diary.client(trx, visitor, 'client-token', 'failure', named))
    audit.wake()
  }

  /** Resources of this house, for whoever shows them to people. */
  get resources(): Resources {
    return this.#resources
  }
}
