import type { Exchange } from '../../gate/exchange.ts'
import type { OauthDraft, PageDraft } from '../../gate/routes.ts'
import type { Outbound } from '../../http/message.ts'
import { catalogue, type Refusal } from '../../kernel/error.ts'
import type { Certificates } from '../../oauth/certificate-subject.ts'
import { type Engine, type EngineParts, openEngine } from '../../oauth/engine.ts'
import type { Proven } from '../desk/binding.ts'
import type { ClientRooms } from '../desk/clients.ts'
import type { Desk } from '../desk/desk.ts'
import type { Visitor } from '../desk/visitor.ts'
import type { PageOptions } from '../pages/options.ts'
import { type Page, pageResponse, prepareStationery } from '../pages/stationery.ts'
import { refused } from '../pages/views-passage.ts'
import { authorizePages, consentPath } from './authorize-pages.ts'
import { describedBy } from './described.ts'
import { devicePages, devicePath } from './device-pages.ts'
import { machineEndpoints } from './machine.ts'
import { registrationEndpoint } from './registration.ts'

export interface AuthorizationServerParts extends Omit<EngineParts<Visitor>, 'counter' | 'pages'> {
  readonly desk: Desk
  readonly pages: PageOptions
  readonly sameSite: 'strict' | 'lax'
  readonly proven: Proven
  /** What is known of certificates of clients. */
  readonly certificates: Certificates
  readonly registry: ClientRooms['registry']
  /** A refresh of our own sign-in. */
  readonly refreshOwn: (exchange: Exchange, refreshToken: string) => Promise<Outbound | Refusal>
}

/** Everything that the authorization server answers: to programs, and to people. */
export function authorizationServer(parts: AuthorizationServerParts): {
  readonly machine: readonly OauthDraft[]
  readonly pages: readonly PageDraft[]
} {
  const { desk, options, resources } = parts
  const { authorization } = desk
  if (authorization === undefined) throw new Error('the desk knows no authorization server')
  const { path } = options
  let opening: Promise<Engine<Visitor>> | undefined
  const engine = (): Promise<Engine<Visitor>> => {
    opening ??= openEngine<Visitor>({
      ...parts,
      counter: authorization,
      pages: { interaction: (uid) => `${consentPath}/${uid}`, device: devicePath },
    })
    return opening
  }
  const stationery = prepareStationery(parts.pages, '/auth')
  const page = (acceptLanguage: string | undefined): Page => stationery.page(acceptLanguage)
  const shown: PageDraft['shown'] = (refusal, requestId, acceptLanguage) =>
    pageResponse(catalogue[refusal.code].status, refused(page(acceptLanguage), refusal, requestId))
  const described = describedBy(options, resources)
  const scopes = ['openid', 'profile', 'email', 'offline_access', ...Object.keys(options.scopes)]
  const faces = { path, desk, engine, described, shown, page }

  return {
    machine: [
      ...machineEndpoints({
        path,
        scopes,
        certificates: parts.certificates,
        engine,
        proven: parts.proven,
        refreshOwn: parts.refreshOwn,
        revokeHeld: (visitor, token) => authorization.revokeHeld(visitor, token),
      }),
      ...registrationEndpoint({ path, desk, registration: parts.registry.registration }),
    ],
    pages: [...authorizePages({ ...faces, identitySameSite: parts.sameSite }), ...devicePages(faces)],
  }
}
