import { domainToASCII } from 'node:url'
import type { FieldErrors } from '../../kernel/error.ts'
import { parseCidr } from '../../kernel/ip.ts'
import type { OwnLimit } from '../holder.ts'
import { nameKey } from './distinguished-name.ts'
import { type PublicKey, publicJwkOf } from './public-keys.ts'

/** One name in a client certificate by which a service is known: its subject, or a subject alternative name (RFC 5280 §4.2.1.6). */
export type CertificateName =
  | { readonly subject: string }
  | { readonly dns: string }
  | { readonly uri: string }
  | { readonly email: string }

/** What is kept of a service beside its secrets, once it was checked. */
export interface ServiceDefinition {
  readonly permissions: readonly string[]
  readonly roles: readonly string[]
  readonly publicKeys: readonly PublicKey[]
  readonly certificates: readonly CertificateName[]
  /** Networks that it may come from; none: from everywhere. */
  readonly addresses: readonly string[]
  readonly limit: OwnLimit | undefined
}

/** A definition as somebody wrote it. */
export interface DraftDefinition extends Omit<ServiceDefinition, 'publicKeys' | 'certificates'> {
  readonly publicKeys: readonly { readonly kid: string; readonly jwk: Readonly<Record<string, unknown>> }[]
  /** Each with one member. */
  readonly certificates: readonly Partial<Record<keyof Spelled, string | undefined>>[]
}

interface Spelled {
  subject: string
  dns: string
  uri: string
  email: string
}

/** What a draft comes to, or what is wrong with it by field (`certificates.1.dns`). */
export function checkDefinition(
  draft: DraftDefinition,
): { readonly definition: ServiceDefinition } | { readonly errors: FieldErrors } {
  const errors: Record<string, string[]> = {}
  const wrong = (field: string, message: string): void => void (errors[field] ??= []).push(message)

  for (const list of ['permissions', 'roles', 'addresses'] as const) mustBeDistinct(list, draft[list], wrong)
  draft.addresses.forEach((text, index) => {
    if (parseCidr(text) === undefined)
      wrong(`addresses.${index}`, `expected an address or a network such as \`10.0.0.0/8\`, got \`${shown(text)}\``)
  })

  const publicKeys = draft.publicKeys.flatMap(({ kid, jwk }, index): PublicKey[] => {
    if (!kidForm.test(kid))
      wrong(`publicKeys.${index}.kid`, 'expected 1 to 128 letters, digits, `.`, `_`, `~`, `:` or `-`')
    const read = publicJwkOf(jwk)
    if ('jwk' in read) return [{ kid, jwk: read.jwk }]
    wrong(`publicKeys.${index}.jwk`, read.problem)
    return []
  })
  mustBeDistinct(
    'publicKeys',
    draft.publicKeys.map(({ kid }) => kid),
    wrong,
    'kid',
  )

  const certificates = draft.certificates.flatMap((written, index): CertificateName[] => {
    const given = Object.entries(written).filter(([, value]) => value !== undefined) as [keyof Spelled, string][]
    const [first] = given
    if (first === undefined || given.length > 1) {
      wrong(`certificates.${index}`, 'expected one of `subject`, `dns`, `uri`, `email`')
      return []
    }
    const [kind, value] = first
    const read = nameReaders[kind](value)
    if ('value' in read) return [{ [kind]: read.value } as unknown as CertificateName]
    wrong(`certificates.${index}.${kind}`, read.problem)
    return []
  })
  mustBeDistinct('certificates', certificates.map(certificateKey), wrong)

  if (Object.keys(errors).length > 0) return { errors }
  const { permissions, roles, addresses, limit } = draft
  return { definition: { permissions, roles, publicKeys, certificates, addresses, limit } }
}

/** What a name is compared by: of two names with one key, a certificate that has one has the other. */
export function certificateKey(name: CertificateName): string {
  if ('subject' in name) return subjectKey(name.subject) ?? `subject ${name.subject}`
  if ('dns' in name) return dnsKey(name.dns)
  if ('uri' in name) return uriKey(name.uri)
  return emailKey(name.email)
}

/** Undefined for a text that is no distinguished name. */
export function subjectKey(subject: string): string | undefined {
  const key = nameKey(subject)
  return key === undefined ? undefined : `subject ${key}`
}

export function dnsKey(name: string): string {
  return `dns ${name.toLowerCase()}`
}

export function uriKey(uri: string): string {
  return `uri ${uri}`
}

/** The part before the `@` is as its host sees it (RFC 5321 §2.4); the host is a DNS name. */
export function emailKey(email: string): string {
  const at = email.lastIndexOf('@')
  return `email ${email.slice(0, at)}${email.slice(at).toLowerCase()}`
}

type Read = { readonly value: string } | { readonly problem: string }

/** What is wrong with a name as somebody wrote it, and how it is kept. */
export const nameReaders: Readonly<Record<keyof Spelled, (text: string) => Read>> = {
  subject: (text) =>
    nameKey(text) === undefined
      ? { problem: `expected a subject such as \`CN=billing,O=Example\` (RFC 4514), got \`${shown(text)}\`` }
      : { value: text },
  dns(text) {
    const name = text.toLowerCase()
    if (name.includes('*')) return { problem: 'expected a name without a pattern: a certificate is one machine’s' }
    return dnsForm.test(name) && name.length <= 253 && domainToASCII(name) === name
      ? { value: name }
      : { problem: `expected a DNS name such as \`billing.internal\`, got \`${shown(text)}\`` }
  },
  uri: (text) =>
    uriForm.test(text) && text.length <= 2_000 && URL.canParse(text)
      ? { value: text }
      : { problem: `expected a URI such as \`spiffe://example.com/billing\`, got \`${shown(text)}\`` },
  email: (text) =>
    emailForm.test(text) && text.length <= 254
      ? { value: text }
      : { problem: `expected an address such as \`billing@example.com\`, got \`${shown(text)}\`` },
}

/** Names are compared, and never resolved: a single label does. */
const dnsForm = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
/** What RFC 3986 lets stand in a URI: no space, no quotation mark, nothing beyond ASCII. */
const uriForm = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/
const emailForm = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$/
const kidForm = /^[A-Za-z0-9._~:-]{1,128}$/

function mustBeDistinct(
  field: string,
  values: readonly string[],
  wrong: (field: string, message: string) => void,
  member?: string,
): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) !== index)
      wrong(`${field}.${index}${member === undefined ? '' : `.${member}`}`, 'is there already')
  })
}

function shown(text: string): string {
  const printable = text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '\ufffd')
  return printable.length > 80 ? `${printable.slice(0, 80).toWellFormed()}…` : printable
}
