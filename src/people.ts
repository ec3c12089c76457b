import { Accounts } from './authn/account/accounts.ts'
import { Attempts } from './authn/attempts/attempts.ts'
import { Factors } from './authn/factor/factors.ts'
import { Passkeys } from './authn/factor/passkeys.ts'
import { RecoveryCodes } from './authn/factor/recovery-codes.ts'
import { Totp } from './authn/factor/totp.ts'
import { openPasswords } from './authn/password/passwords.ts'
import { Identities } from './authn/provider/identities.ts'
import { openProviders } from './authn/provider/providers.ts'
import { BrowserSessions } from './authn/session/browser-sessions.ts'
import { DeviceTokens } from './authn/session/device-tokens.ts'
import { RevocationList } from './authn/session/revocation-list.ts'
import type { Revocations } from './authn/session/revocations.ts'
import { Sessions } from './authn/session/sessions.ts'
import { Tickets } from './authn/ticket/tickets.ts'
import { type Environment, ownUrl, type Settings } from './config/settings.ts'
import type { DeskRooms } from './endpoints/desk/rooms.ts'
import type { Clock } from './kernel/clock.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { resolveSecret, Secret, type SecretRef } from './kernel/secret.ts'
import type { RootKey } from './keys/root.ts'
import { Outbox } from './mail/outbox.ts'
import { Grants } from './oauth/grants.ts'

/** The rooms that know people: the same for as long as the house stands. */
export type People = Pick<
  DeskRooms,
  | 'identity'
  | 'publicUrl'
  | 'siteName'
  | 'accounts'
  | 'sessions'
  | 'grants'
  | 'revocationList'
  | 'browsers'
  | 'devices'
  | 'tickets'
  | 'attempts'
  | 'factors'
  | 'totp'
  | 'recoveryCodes'
  | 'passkeys'
  | 'providers'
  | 'identities'
  | 'outbox'
>

interface PeopleParts {
  readonly settings: Settings
  readonly environment: Environment
  readonly root: RootKey
  readonly revocations: Revocations
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How many threads the cores of this machine are shared by. */
  readonly threads: number
}

export function openPeople({
  settings,
  environment,
  root,
  revocations,
  clock,
  random,
  log,
  threads,
}: PeopleParts): People {
  const { identity, tokens, mail, pages } = settings
  const publicUrl = settings.publicUrl?.replace(/\/$/, '') ?? ownUrl(settings.listen)
  const passwords = openPasswords(identity.password, threads)
  const accounts = new Accounts({ clock, random, passwords })
  const revocationList = new RevocationList({ clock, ttlMs: tokens.accessTtl })
  const sessions = new Sessions({
    clock,
    random,
    root,
    revocationList,
    refreshTtlMs: tokens.refreshTtl,
    refreshIdleMs: tokens.refreshIdle,
    clientIdleMs: settings.oauth?.refreshIdle ?? tokens.refreshIdle,
    browserIdleMs: identity.session.idle,
    graceMs: tokens.refreshGrace,
  })
  const browsers = new BrowserSessions({
    clock,
    random,
    accounts,
    revocations,
    idleMs: identity.session.idle,
    absoluteMs: identity.session.absolute,
  })
  const totp = new Totp({ clock, random, root, issuerName: pages.name })
  const recoveryCodes = new RecoveryCodes({ clock, random, root })
  const passkeys =
    publicUrl === undefined
      ? undefined
      : new Passkeys({ clock, random, rpId: new URL(publicUrl).hostname, rpName: pages.name, origins: [publicUrl] })
  const secrets = new Map(
    Object.entries(identity.providers).flatMap(([name, { clientSecret }]) => {
      const secret = secretOf(clientSecret, environment)
      return secret === undefined ? [] : [[name, secret] as const]
    }),
  )
  return {
    identity,
    publicUrl,
    siteName: pages.name,
    accounts,
    sessions,
    grants: new Grants({ clock }),
    revocationList,
    browsers,
    devices: new DeviceTokens({ clock, random, root }),
    tickets: new Tickets({ clock, random, root }),
    attempts: new Attempts({ clock, root, rules: identity.lockout }),
    totp,
    recoveryCodes,
    passkeys,
    factors: new Factors({ totp, recoveryCodes }),
    providers: openProviders({
      options: identity.providers,
      secrets,
      redirectUri: (name) => `${publicUrl}/auth/callback/${name}`,
      log,
      clock,
      random,
    }),
    identities: new Identities({ clock, random, root }),
    outbox:
      mail === undefined
        ? undefined
        : new Outbox({ options: mail, password: secretOf(mail.smtp?.password, environment), root, clock, random, log }),
  }
}

/** A secret that the configuration names; `parseConfig` has refused one that cannot be had. */
export function secretOf(reference: SecretRef | undefined, environment: Environment): Secret | undefined {
  if (reference === undefined) return undefined
  const secret = resolveSecret(reference, environment)
  return secret instanceof Secret ? secret : undefined
}
