import { isAddress, normalEmail } from '../account/accounts.ts'
import type { ProviderSettings } from './options.ts'

/** Whom a provider vouches for. The key is issuer and subject; an address is only what it is said to be. */
export interface ProviderIdentity {
  /** Its name in the configuration. */
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** In the spelling of our accounts. */
  readonly email: string | undefined
  /** Whether the provider says that it has checked that the address is theirs. */
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly refreshToken: string | undefined
}

/** What an id_token, or the userinfo endpoint, says of a person. */
export type Claims = Readonly<Record<string, unknown>>

/** Reads the claims about a person; the signature, the issuer and the audience have been checked. */
export function personFrom(
  claims: Claims,
  { kind, trustEmail }: Pick<ProviderSettings, 'kind' | 'trustEmail'>,
): Pick<ProviderIdentity, 'email' | 'emailVerified' | 'name'> {
  const email = emailFrom(claims['email'])
  // With Microsoft the owner of a tenant has a say in all other claims, and the tenant may be anybody's.
  const said = claims[kind === 'microsoft' ? 'xms_edov' : 'email_verified']
  const verified = kind === 'microsoft' ? edov.has(said) : said === true
  return {
    email,
    emailVerified: email !== undefined && (verified || (trustEmail && said === undefined)),
    name: nameFrom(claims['name']),
  }
}

/** “Email domain owner verified”: Microsoft writes the one truth in several ways. */
const edov: ReadonlySet<unknown> = new Set([true, 1, '1', 'true'])

/** At most 255 characters of ASCII (OIDC Core §2), none of them a control character. */
export function subjectFrom(subject: unknown): string | undefined {
  return typeof subject === 'string' && /^[\x20-\x7e]{1,255}$/.test(subject) ? subject : undefined
}

/** An address in our spelling; none where what came is none. */
export function emailFrom(email: unknown): string | undefined {
  if (typeof email !== 'string' || email.length > 254) return undefined
  const normal = normalEmail(email)
  // `K` (U+212A) becomes `k` in lower case: somebody else's mailbox must not turn into this one.
  if (!ascii.test(email.trim()) && ascii.test(normal)) return undefined
  return isAddress(normal) ? normal : undefined
}

const ascii = /^[\x21-\x7e]*$/

export function nameFrom(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined
  const clean = name
    .slice(0, 1000)
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .trim()
    .slice(0, 200)
    .toWellFormed()
  return clean === '' ? undefined : clean
}

/** A refresh token of a length that can be kept. */
export function refreshTokenFrom(token: unknown): string | undefined {
  return typeof token === 'string' && token.length >= 1 && token.length <= 16_384 && token.isWellFormed()
    ? token
    : undefined
}
