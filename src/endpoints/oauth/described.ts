import type { Principal } from '../../authn/principal.ts'
import type { Asked, KnownClient } from '../../oauth/client-book.ts'
import type { Waiting } from '../../oauth/engine.ts'
import type { OauthOptions } from '../../oauth/options.ts'
import type { Resources } from '../../oauth/resources.ts'
import { scopeTexts } from '../pages/scope-texts.ts'
import type { Page } from '../pages/stationery.ts'
import type { AskedScope, AskingClient, Consent } from '../pages/views-consent.ts'

/** What people are shown of a request: in words, and nothing that only its client says about itself without saying so. */
export interface Described {
  consent(page: Page, waiting: Waiting, principal: Principal): Omit<Consent, 'action'>
  /** Who asks; `redirectUri` where people would be sent, if anywhere. */
  client(client: KnownClient, redirectUri: string | undefined): AskingClient
  scopes(page: Page, asked: Asked): readonly AskedScope[]
  account(principal: Principal): string
}

export function describedBy(options: OauthOptions, resources: Resources): Described {
  const known = new Map(Object.entries(options.scopes).map(([name, { description }]) => [name, description]))
  const described: Described = {
    client: (client, redirectUri) => ({
      name: client.name,
      verified: client.verified,
      host: hostOf(client, redirectUri),
    }),
    scopes: (page, asked) => scopeTexts(page, asked, known),
    account: ({ id, attributes }) => String(attributes['email'] ?? id),
    consent: (page, { client, redirectUri, asked }, principal) => ({
      client: described.client(client, redirectUri),
      scopes: described.scopes(page, asked),
      resources: Object.keys(asked).flatMap((identifier) => {
        const resource = resources.find(identifier)
        return resource === undefined ? [] : [`${resource.name} (${resource.identifier})`]
      }),
      lifetimeMs: asked['openid']?.includes('offline_access') === true ? options.refreshTtl : undefined,
      account: described.account(principal),
    }),
  }
  return described
}

/** Where a client is: at the address that describes it, else where it has people sent. On this device, it is nowhere else. */
function hostOf({ id }: KnownClient, redirectUri: string | undefined): string | undefined {
  const url = URL.parse(id.startsWith('https://') ? id : (redirectUri ?? ''))
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  return /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname) ? undefined : url.host
}
