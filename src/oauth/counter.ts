import type { Actor } from '../authn/actor.ts'
import type { Binding } from '../authn/token/binding.ts'
import type { PeerCertificate } from '../http/peer-certificate.ts'
import type { Payload } from './records.ts'

/** A client at the token endpoint that has shown who it is; a public one can only say so. */
export interface AskingClient {
  readonly id: string
  readonly name: string
  /** Whether it has a secret or a key of its own. */
  readonly confidential: boolean
  /** Whether an operator made it. */
  readonly verified: boolean
  /** Whether it may ask for a scope of an API. */
  readonly mayAskFor: (scope: string) => boolean
  /** Whether it may be given refresh tokens. */
  readonly refreshes: boolean
  /** Whether each of its tokens has to be bound to a key (RFC 9449 §5.2). */
  readonly bindsKeys: boolean
  /** Whether each of its tokens has to be bound to its certificate (RFC 8705 §3.4). */
  readonly bindsCertificates: boolean
}

/** One request for tokens, its client known and its parameters each at most once. */
export interface TokenRequest {
  readonly client: AskingClient
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** The resources that were named (RFC 8707 §2.2). */
  readonly resources: readonly string[]
  /** The `DPoP` field. */
  readonly proof: string | undefined
  /** The certificate of the connection. */
  readonly certificate: PeerCertificate | undefined
}

export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials' | 'device_code' | 'token_exchange'

/** RFC 6749 §5.1, and OpenID Connect Core §3.1.3.3. */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in: number
  readonly scope?: string
  readonly refresh_token?: string
  readonly id_token?: string
  /** RFC 8693 §2.2.1: for an exchange alone. */
  readonly issued_token_type?: string
}

/** A no in the words of RFC 6749 §5.2 and its extensions. */
export interface OauthRefusal {
  readonly error:
    | 'invalid_request'
    | 'invalid_grant'
    | 'invalid_scope'
    | 'invalid_target'
    | 'invalid_dpop_proof'
    | 'use_dpop_nonce'
    | 'authorization_pending'
    | 'slow_down'
    | 'access_denied'
    | 'expired_token'
    | 'unauthorized_client'
    | 'temporarily_unavailable'
  /** One public sentence. */
  readonly description: string
  /** For the log. */
  readonly reason?: string
  /** A nonce that the next proof has to carry (RFC 9449 §8). */
  readonly nonce?: string
}

/** What a token says of itself to whoever may ask (RFC 7662 §2.2). */
export interface TokenFacts extends Binding {
  readonly kind: 'access' | 'refresh'
  readonly id: string
  readonly clientId: string
  readonly subject: string
  /** Who acts as the subject (RFC 8693 §4.1). */
  readonly actor: Actor | undefined
  readonly scope: string
  readonly audience: string | undefined
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** A person who is signed in here, in the browser that asks. */
export interface SignedInPerson {
  readonly userId: string
  /** The session of the browser. */
  readonly session: string
  /** Seconds since the epoch. */
  readonly authenticatedAt: number
  readonly acr: string
  readonly amr: readonly string[]
}

/**
 * Who decides behind the protocol: gives tokens out and takes them back. The protocol knows no database and no account;
 * `Caller` is whatever the house needs to know of a request.
 */
export interface Counter<Caller> {
  /** Who is signed in where the request comes from. */
  person(caller: Caller): SignedInPerson | undefined
  token(caller: Caller, grant: GrantType, request: TokenRequest): Promise<TokenAnswer | OauthRefusal>
  /** What a token is, for a client that asks; undefined for what is not alive, or none of its business. */
  introspect(caller: Caller, token: string): Promise<TokenFacts | undefined>
  /** Ends a token of the client, and what hangs on it (RFC 7009 §2.1). */
  revoke(caller: Caller, facts: TokenFacts): Promise<void>
  /** What a person has allowed a client before, by resource; undefined where they have to be asked. */
  allowed(userId: string, clientId: string): Promise<Readonly<Record<string, readonly string[]>> | undefined>
  /** A client could not show who it is. */
  strange(caller: Caller, clientId: string | undefined): Promise<void>
}

/** What a code stands for, as the authorization endpoint wrote it. */
export interface CodePayload extends Payload {
  readonly accountId: string
  readonly clientId: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly scope?: string
  readonly resource?: string | readonly string[]
  readonly nonce?: string
  readonly dpopJkt?: string
  /** Seconds since the epoch. */
  readonly authTime?: number
  readonly amr?: readonly string[]
  readonly sessionUid?: string
}

/** What a device code stands for: what was asked, and, once a person has answered, their answer. */
export interface DevicePayload extends Payload {
  readonly clientId: string
  readonly params: Readonly<Record<string, unknown>>
  readonly deviceInfo?: { readonly ip?: string; readonly ua?: string }
  readonly answer?:
    | { readonly allowed: false }
    | {
        readonly allowed: true
        readonly userId: string
        readonly scopes: readonly string[]
        readonly resources: readonly string[]
        readonly authenticatedAt: number
        readonly amr: readonly string[]
        readonly session: string
      }
}
