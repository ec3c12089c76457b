import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  type CustomFetch,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type ServerMetadata,
} from 'openid-client'
import type { Clock } from '../../kernel/clock.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { Send } from './bounded-fetch.ts'
import type { ProviderSettings } from './options.ts'

/** How long one request to a provider may take. */
export const requestTimeoutS = 10

interface ConnectionOptions {
  readonly settings: ProviderSettings
  readonly secret: Secret | undefined
  readonly clock: Clock
  readonly send: Send
}

/**
 * What is known of a provider, discovered when it is first needed: a provider that is down delays nobody's start. It is
 * asked again after an hour; while it fails, at most once in five seconds, and what was known stays good.
 */
export class Connection {
  readonly #options: ConnectionOptions
  #known: { readonly configuration: Configuration; readonly at: number } | undefined
  #failed: { readonly error: unknown; readonly at: number } | undefined
  #underWay: Promise<Configuration> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Throws what the last try failed with. */
  async configuration(): Promise<Configuration> {
    const now = this.#options.clock.monotonic()
    if (this.#known !== undefined && now - this.#known.at < freshMs) return this.#known.configuration
    if (this.#failed !== undefined && now - this.#failed.at < pauseMs) {
      if (this.#known !== undefined) return this.#known.configuration
      throw this.#failed.error
    }
    this.#underWay ??= this.#learn().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #learn(): Promise<Configuration> {
    const { settings, clock } = this.#options
    try {
      const configuration =
        settings.endpoints === undefined ? await this.#discover() : this.#configure(settings.endpoints)
      this.#known = { configuration, at: clock.monotonic() }
      this.#failed = undefined
      return configuration
    } catch (error) {
      this.#failed = { error, at: clock.monotonic() }
      if (this.#known !== undefined) return this.#known.configuration
      throw error
    }
  }

  async #discover(): Promise<Configuration> {
    const { settings, send } = this.#options
    const configuration = await discovery(new URL(settings.issuer), settings.clientId, {}, this.#authentication(), {
      [customFetch]: asked(send),
      timeout: requestTimeoutS,
      // Without the second, the signature of an id_token that came over TLS is not looked at (OIDC Core §3.1.3.7, 6).
      execute: [...this.#insecure(), enableNonRepudiationChecks],
    })
    const { issuer } = configuration.serverMetadata()
    if (settings.kind === 'microsoft' && !microsoftIssuer.test(issuer)) {
      throw new Error(`expected an issuer of Microsoft, got \`${issuer.slice(0, 200)}\``)
    }
    return configuration
  }

  /** GitHub has no id_token and nothing to discover. */
  #configure(endpoints: NonNullable<ProviderSettings['endpoints']>): Configuration {
    const { settings, send } = this.#options
    const server: ServerMetadata = {
      issuer: `${settings.issuer}/login/oauth`, // the `iss` that GitHub sends along with a code
      authorization_endpoint: endpoints.authorization,
      token_endpoint: endpoints.token,
    }
    const configuration = new Configuration(server, settings.clientId, {}, this.#authentication())
    configuration[customFetch] = asked(send)
    configuration.timeout = requestTimeoutS
    for (const extension of this.#insecure()) extension(configuration)
    return configuration
  }

  /** `boundedFetch` sees to it that what is insecure stays on this machine. */
  #insecure(): readonly ((configuration: Configuration) => void)[] {
    const { issuer, endpoints } = this.#options.settings
    const addresses = [issuer, ...Object.values(endpoints ?? {})]
    return addresses.some((address) => address.startsWith('http:')) ? [allowInsecureRequests] : []
  }

  #authentication(): ClientAuth {
    const { secret, settings } = this.#options
    if (secret === undefined) return None()
    const post = ClientSecretPost(secret.reveal())
    const basic = ClientSecretBasic(secret.reveal())
    return (server, client, body, headers) => {
      const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'] // OIDC Discovery §3
      const way = settings.clientAuthentication ?? (taken.includes('client_secret_basic') ? 'basic' : 'post')
      return (way === 'basic' ? basic : post)(server, client, body, headers)
    }
  }
}

/** The library's request as the platform's. */
function asked(send: Send): CustomFetch {
  return (address, { method, headers, body, signal }) =>
    send(address, { method, headers, ...(body == null ? {} : { body }), ...(signal === undefined ? {} : { signal }) })
}

const freshMs = 3_600_000
const pauseMs = 5_000

/** Of one tenant, or of all: Microsoft's metadata for `common` holds a placeholder where a token has the tenant's id. */
export const microsoftIssuer = /^https:\/\/login\.microsoftonline\.com\/(?:\{tenantid\}|[0-9a-f-]{36})\/v2\.0$/
