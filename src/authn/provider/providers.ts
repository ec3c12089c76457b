import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchUserInfo,
} from 'openid-client'
import { equalBytes } from '../../kernel/bytes.ts'
import type { Clock } from '../../kernel/clock.ts'
import { type Random, secretText } from '../../kernel/id.ts'
import { type Log, silent } from '../../kernel/log.ts'
import type { Secret } from '../../kernel/secret.ts'
import { boundedFetch, type Send } from './bounded-fetch.ts'
import { Connection, microsoftIssuer } from './connection.ts'
import { askGithub } from './github.ts'
import type { ProviderSettings } from './options.ts'
import { causesOf, detailOf, type ProviderProblem, problem, problemOf } from './problem.ts'
import { type Claims, type ProviderIdentity, personFrom, refreshTokenFrom, subjectFrom } from './vouched.ts'

/** A sign-in under way. Whoever keeps it lets it be used once, in the browser that it began in, for ten minutes. */
export interface Flow {
  readonly provider: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export interface Begun {
  /** Where the browser is sent. */
  readonly url: string
  readonly flow: Flow
}

export interface Providers {
  /** Those that people may sign in with, in the order of the configuration. */
  list(): readonly { readonly name: string; readonly label: string }[]
  begin(name: string): Promise<Begun | ProviderProblem>
  /**
   * Learns who came back. `name` is the provider whose callback address was called: a code of one provider must not be
   * taken to another (RFC 9700 §4.4).
   */
  finish(flow: Flow, callbackUrl: URL, name?: string): Promise<ProviderIdentity | ProviderProblem>
}

export interface ProvidersOptions {
  readonly options: Readonly<Record<string, ProviderSettings>>
  /** Client secrets by the name of the provider. */
  readonly secrets: ReadonlyMap<string, Secret>
  /** The address that a provider sends people back to. */
  readonly redirectUri: (name: string) => string
  readonly clock: Clock
  readonly random: Random
  readonly log?: Log
  readonly send?: Send
}

/**
 * Sign-in with accounts elsewhere, as a relying party (RFC 9700 §2.1, OIDC Core §3.1). State, nonce and the proof key are
 * ours and new each time; nothing that a caller supplies is signed or sent along.
 */
export function openProviders({
  options,
  secrets,
  redirectUri,
  clock,
  random,
  log = silent,
  send = fetch,
}: ProvidersOptions): Providers {
  const bounded = boundedFetch(send)
  const known: ReadonlyMap<string, Known> = new Map(
    Object.entries(options).map(([name, settings]) => {
      const connection = new Connection({ settings, secret: secrets.get(name), clock, send: bounded })
      return [name, { name, settings, connection }]
    }),
  )

  return {
    list: () =>
      [...known.values()]
        .filter(({ settings }) => settings.enabled)
        .map(({ name, settings: { label } }) => ({ name, label })),

    async begin(name) {
      const provider = enabled(name)
      if ('problem' in provider) return provider
      const configuration = await connect(provider)
      if ('problem' in configuration) return configuration
      const flow: Flow = {
        provider: name,
        state: secretText(random),
        nonce: secretText(random),
        codeVerifier: secretText(random),
      }
      const { settings } = provider
      const scopes = scopesFor(settings, configuration)
      const url = buildAuthorizationUrl(configuration, {
        ...settings.parameters,
        redirect_uri: redirectUri(name),
        scope: scopes.join(' '),
        state: flow.state,
        code_challenge: await calculatePKCECodeChallenge(flow.codeVerifier),
        code_challenge_method: 'S256',
        ...(settings.kind === 'github' ? {} : { nonce: flow.nonce }),
        // Offline access is given where the person was asked (OIDC Core §11); Microsoft asks by itself.
        ...(settings.kind === 'oidc' && scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
      })
      return { url: url.href, flow }
    },

    async finish(flow, callbackUrl, name = flow.provider) {
      const provider = enabled(flow.provider)
      if ('problem' in provider) return provider
      if (name !== flow.provider)
        return problem('state-mismatch', `began with \`${flow.provider}\`, came back to another`)
      // Before anything else that the address says is believed, an error included.
      const [state = '', ...more] = callbackUrl.searchParams.getAll('state')
      if (more.length > 0 || !equalBytes(Buffer.from(state), Buffer.from(flow.state))) {
        return problem('state-mismatch', 'expected the state that the sign-in began with')
      }
      const configuration = await connect(provider)
      if ('problem' in configuration) return configuration
      try {
        return await exchange(provider, configuration, flow, callbackUrl.searchParams)
      } catch (error) {
        return problemOf(error)
      }
    },
  }

  /** Asked on the way out and on the way back: a provider that was switched off meanwhile vouches for nobody. */
  function enabled(name: string): Known | ProviderProblem {
    const provider = known.get(name)
    if (provider === undefined) return problem('disabled', 'no provider has this name')
    return provider.settings.enabled ? provider : problem('disabled', `\`${name}\` is switched off`)
  }

  async function connect({ name, connection }: Known): Promise<Configuration | ProviderProblem> {
    try {
      return await connection.configuration()
    } catch (error) {
      const detail = detailOf(causesOf(error))
      log.warn({ provider: name, because: detail }, 'a provider cannot be reached, or is not what it should be')
      return problem('unavailable', detail)
    }
  }

  async function exchange(
    { name, settings }: Known,
    configuration: Configuration,
    flow: Flow,
    answer: URLSearchParams,
  ): Promise<ProviderIdentity | ProviderProblem> {
    const server = configuration.serverMetadata()
    const responseIssuers = answer.getAll('iss')
    const [responseIssuer] = responseIssuers
    // RFC 9207 §2.4. For all of Microsoft's tenants the metadata name none, and the token has to agree further below.
    const shared = settings.kind === 'microsoft' && server.issuer.includes('{tenantid}')
    const fits =
      responseIssuer === undefined
        ? server['authorization_response_iss_parameter_supported'] !== true
        : responseIssuer === server.issuer || (shared && microsoftIssuer.test(responseIssuer))
    if (!fits || responseIssuers.length > 1) {
      return problem(
        'issuer-mismatch',
        `expected \`iss\` to be \`${server.issuer}\`, got \`${responseIssuers.join(' ')}\``,
      )
    }
    // Our own address, and not the one that the request came by: a Host header has no say in what the code is good for.
    const back = new URL(redirectUri(name))
    back.search = answer.toString()
    if (responseIssuer !== undefined) back.searchParams.set('iss', server.issuer)
    const oidc = settings.kind !== 'github'
    const tokens = await authorizationCodeGrant(configuration, back, {
      expectedState: flow.state,
      pkceCodeVerifier: flow.codeVerifier,
      ...(oidc ? { expectedNonce: flow.nonce, idTokenExpected: true } : {}),
    })
    const refreshToken = refreshTokenFrom(tokens.refresh_token)
    if (settings.endpoints !== undefined) {
      const person = await askGithub(bounded, settings.endpoints, tokens.access_token)
      return { provider: name, issuer: settings.issuer, ...person, refreshToken }
    }
    const claims = tokens.claims()
    const subject = subjectFrom(claims?.sub)
    if (claims === undefined || subject === undefined) {
      return problem('exchange-failed', 'expected a `sub` of 1 to 255 characters of ASCII')
    }
    // The library compares too; a sign-in must not hang on the way in which it is asked to (CVE-2026-15612).
    if (claims['nonce'] !== flow.nonce) return problem('nonce', 'expected the nonce that the sign-in began with')
    if (shared && responseIssuer !== undefined && responseIssuer !== claims.iss) {
      return problem(
        'issuer-mismatch',
        `expected the \`iss\` of the token, \`${claims.iss}\`, got \`${responseIssuer}\``,
      )
    }
    const about = await aboutPerson(settings, configuration, claims, tokens.access_token)
    return { provider: name, issuer: claims.iss, subject, ...personFrom(about, settings), refreshToken }
  }
}

interface Known {
  readonly name: string
  readonly settings: ProviderSettings
  readonly connection: Connection
}

function scopesFor({ scopes }: ProviderSettings, configuration: Configuration): readonly string[] {
  if (scopes !== undefined) return scopes
  const offered = configuration.serverMetadata().scopes_supported
  return ['openid', 'profile', 'email', ...(offered?.includes('offline_access') ? ['offline_access'] : [])]
}

/**
 * An address and whether it is verified come from one source: the id_token, or the userinfo endpoint where the token has
 * none (OIDC Core §5.4). What Microsoft's userinfo says of an address nobody verified.
 */
async function aboutPerson(
  { kind }: ProviderSettings,
  configuration: Configuration,
  claims: Claims & { readonly sub: string },
  accessToken: string,
): Promise<Claims> {
  const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
  if (claims['email'] !== undefined || endpoint === undefined || kind === 'microsoft') return claims
  const info = await fetchUserInfo(configuration, accessToken, claims.sub)
  return { name: info.name ?? claims['name'], email: info.email, email_verified: info.email_verified }
}
