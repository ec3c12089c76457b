import { z } from 'zod'
import type { SecretRef } from '../../kernel/secret.ts'
import { secretRef } from '../../kernel/shape.ts'

/** A provider as it is used: the preset of its name filled in. */
export interface ProviderSettings {
  /** `microsoft`: OpenID Connect whose issuer differs by tenant. `github`: OAuth 2.0 with an API that says who it is. */
  readonly kind: 'oidc' | 'microsoft' | 'github'
  /** What stands on the button. */
  readonly label: string
  readonly enabled: boolean
  readonly clientId: string
  /** Absent: a public client. */
  readonly clientSecret: SecretRef | undefined
  /** How the secret is sent; absent: as the provider says it takes it. */
  readonly clientAuthentication: 'basic' | 'post' | undefined
  readonly issuer: string
  /** Absent: `openid profile email`, and `offline_access` where the provider lists it. */
  readonly scopes: readonly string[] | undefined
  readonly endpoints: ProviderEndpoints | undefined
  /** Sent along to the authorization endpoint. */
  readonly parameters: Readonly<Record<string, string>>
  readonly trustEmail: boolean
}

export interface ProviderEndpoints {
  readonly authorization: string
  readonly token: string
  readonly user: string
  readonly emails: string
}

/** Whether a secret may travel there: over TLS, or inside this machine. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname))
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

const address = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && isTrustworthy(url) && url.username === '' && url.search === '' && url.hash === ''
}, 'expected an https:// address (http:// on this machine only) without user, query and fragment')

const shape = z.strictObject({
  clientId: z.string().regex(/^[\x20-\x7e]{1,255}$/, 'expected 1 to 255 characters of ASCII'),
  clientSecret: secretRef.optional(),
  clientAuthentication: z.enum(['basic', 'post'], { error: 'expected `basic` or `post`' }).optional(),
  label: z
    .string()
    .regex(/^[^\p{Cc}\p{Cs}]{1,60}$/u, 'expected 1 to 60 characters')
    .optional(),
  enabled: z.boolean().default(true),
  issuer: address.optional(),
  kind: z.enum(['oidc', 'github'], { error: 'expected `oidc` or `github`' }).optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected one scope, without spaces (RFC 6749 §3.3)'))
    .min(1)
    .optional(),
  /** Of a server that speaks GitHub's API. */
  endpoints: z.strictObject({ authorization: address, token: address, user: address, emails: address }).optional(),
  /** Microsoft: whose accounts. `common` stands for everybody's, else a tenant's id or domain. */
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/, 'expected the id or a domain of a tenant, or `common`')
    .optional(),
  /**
   * Whether an address is taken for verified where the provider does not say so. Without it `email_verified` has to be
   * `true`, and with Microsoft, which does not send that, the optional claim `xms_edov`. An explicit no stays a no.
   */
  trustEmail: z.boolean().default(false),
})

type Written = z.output<typeof shape>

interface Preset {
  readonly label: string
  readonly issuer: (written: Written) => string
  readonly scopes?: readonly string[]
  readonly endpoints?: ProviderEndpoints
  readonly parameters?: Readonly<Record<string, string>>
}

const microsoftHost = 'login.microsoftonline.com'
const openid = ['openid', 'profile', 'email']
const githubScopes = ['read:user', 'user:email']

const presets = new Map<string, Preset>([
  [
    'google',
    {
      label: 'Google',
      issuer: () => 'https://accounts.google.com',
      scopes: openid,
      // Google gives a refresh token for this parameter, and not for a scope; and again only where it asks again.
      parameters: { access_type: 'offline', prompt: 'consent' },
    },
  ],
  [
    'github',
    {
      label: 'GitHub',
      issuer: () => 'https://github.com',
      endpoints: {
        authorization: 'https://github.com/login/oauth/authorize',
        token: 'https://github.com/login/oauth/access_token',
        user: 'https://api.github.com/user',
        emails: 'https://api.github.com/user/emails',
      },
    },
  ],
  [
    'microsoft',
    {
      label: 'Microsoft',
      issuer: ({ tenant = 'common' }) => `https://${microsoftHost}/${tenant}/v2.0`,
      scopes: [...openid, 'offline_access'],
    },
  ],
])

/** Accounts elsewhere that people may sign in with, by the name that stands in the address of the sign-in. */
export const providersOptions = z
  .record(z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected a name of 1 to 32 of a-z, 0-9 and `-`'), shape)
  .transform((written, context): Readonly<Record<string, ProviderSettings>> => {
    const settled = Object.entries(written).map(([name, provider]) => {
      for (const [field, message] of mistakesIn(name, provider)) {
        context.addIssue({ code: 'custom', path: [name, ...(field === '' ? [] : [field])], message })
      }
      return [name, settle(name, provider)] as const
    })
    return Object.fromEntries(settled)
  })

/** What is in order by itself and not beside the rest: field → what was expected. */
function mistakesIn(name: string, written: Written): (readonly [field: string, message: string])[] {
  const mistakes: (readonly [string, string])[] = []
  const preset = presets.get(name)
  const kind = kindOf(name, written)
  if (preset !== undefined) {
    if (written.issuer !== undefined && written.endpoints === undefined)
      mistakes.push(['issuer', `is set for \`${name}\`: give another issuer another name`])
    if (written.kind !== undefined && (written.kind === 'github') !== (name === 'github'))
      mistakes.push(['kind', `is set for \`${name}\`: give another kind another name`])
    if (name !== 'microsoft' && written.clientSecret === undefined)
      mistakes.push(['clientSecret', `expected the secret that ${preset.label} gave with the client`])
  } else if (kind === 'github') {
    if (written.endpoints === undefined) mistakes.push(['endpoints', 'expected where the server has GitHub’s API'])
  } else if (written.issuer === undefined) {
    mistakes.push(['issuer', `expected the issuer; \`${name}\` is none of ${[...presets.keys()].join(', ')}`])
  }
  if (written.endpoints !== undefined && kind !== 'github')
    mistakes.push(['endpoints', 'are discovered from the issuer, except with `kind: "github"`'])
  if (written.tenant !== undefined && name !== 'microsoft') mistakes.push(['tenant', 'is for `microsoft` alone'])
  if (written.scopes !== undefined && kind !== 'github' && !written.scopes.includes('openid'))
    mistakes.push(['scopes', 'expected `openid` among them: there is no identity without it'])
  if (written.trustEmail && kind === 'github')
    mistakes.push(['trustEmail', 'GitHub says of every address whether it is verified'])
  if (written.trustEmail && kind === 'microsoft' && sharedTenant.test(issuerOf(name, written)))
    mistakes.push(['trustEmail', 'expected one tenant: anybody can make one and write any address into it'])
  return mistakes
}

const sharedTenant = /\/(?:common|organizations|consumers)(?:\/|$)/i

function settle(name: string, written: Written): ProviderSettings {
  const preset = presets.get(name)
  const kind = kindOf(name, written)
  const { clientId, clientSecret, enabled, trustEmail } = written
  return {
    kind,
    label: written.label ?? preset?.label ?? name,
    enabled,
    clientId,
    clientSecret,
    clientAuthentication:
      written.clientAuthentication ?? (preset === undefined && kind === 'oidc' ? undefined : 'post'),
    issuer: issuerOf(name, written),
    scopes: written.scopes ?? preset?.scopes ?? (kind === 'github' ? githubScopes : undefined),
    endpoints: written.endpoints ?? preset?.endpoints,
    parameters: preset?.parameters ?? {},
    trustEmail,
  }
}

/** A server that is not GitHub never speaks for GitHub's accounts: its issuer is its own origin. */
function issuerOf(name: string, written: Written): string {
  const { issuer, endpoints } = written
  if (issuer !== undefined) return issuer
  if (endpoints !== undefined) return new URL(endpoints.authorization).origin
  return presets.get(name)?.issuer(written) ?? ''
}

function kindOf(name: string, { kind, issuer }: Written): ProviderSettings['kind'] {
  if (name === 'github' || kind === 'github') return 'github'
  const host = issuer === undefined || !URL.canParse(issuer) ? undefined : new URL(issuer).hostname
  return name === 'microsoft' || host === microsoftHost ? 'microsoft' : 'oidc'
}
