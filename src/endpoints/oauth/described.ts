import type { Principal } from '../../authn/principal.ts'
import type { Asked, KnownClient } from '../../oauth/client-book.ts'
import { provingHost, redirectHost } from '../../oauth/client-hosts.ts'
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
  /** Where it would act, by name and address. */
  resources(asked: Asked): readonly string[]
  account(principal: Principal): string
}

export function describedBy(options: OauthOptions, resources: Resources): Described {
  const known = new Map(Object.entries(options.scopes).map(([name, { description }]) => [name, description]))
  const described: Described = {
    client: (client, redirectUri) => ({
      name: client.name,
      verified: client.verified,
      host: provingHost(client.id, redirectUri),
    }),
    scopes: (page, asked) => scopeTexts(page, asked, known),
    resources: (asked) =>
      Object.keys(asked).flatMap((identifier) => {
        const resource = resources.find(identifier)
        return resource === undefined ? [] : [`${resource.name} (${resource.identifier})`]
      }),
    account: ({ id, attributes }) => String(attributes['email'] ?? id),
    consent: (page, { client, redirectUri, asked }, principal) => ({
      client: described.client(client, redirectUri),
      scopes: described.scopes(page, asked),
      back: backOf(client.id, redirectUri),
      resources: described.resources(asked),
      lifetimeMs: asked['openid']?.includes('offline_access') === true ? options.refreshTtl : undefined,
      account: described.account(principal),
    }),
  }
  return described
}

/** Where the answer goes, where that is elsewhere than the client is: its document may stand on another host. */
function backOf(clientId: string, redirectUri: string): Consent['back'] {
  const host = redirectHost(redirectUri)
  return host === provingHost(clientId, redirectUri) ? undefined : { host }
}
