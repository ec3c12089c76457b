import { z } from 'zod'

/** What every answer says to browsers unless a configuration says otherwise (TR8; OWASP Secure Headers). */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-XSS-Protection': '1; mode=block',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains; preload',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
}

const value = z.string().regex(/^[\x20-\x7e]*$/, 'expected printable ASCII')

/** A header by name: a text sets it, `false` leaves it to the upstream. */
export const headerOptions = z.record(
  z.string().regex(/^[A-Za-z0-9-]+$/, 'expected a header name'),
  z.union([value, z.literal(false)], { error: 'expected a text, or `false` to leave the header to the upstream' }),
)

export type HeaderOptions = z.output<typeof headerOptions>

export interface HouseHeaders {
  /** Name, value, name, value. */
  readonly fields: readonly string[]
  /** Lower-case names that an upstream's answer loses. */
  readonly withheld: ReadonlySet<string>
}

/** Lays overrides over the defaults, later ones winning, names compared without case. */
export function compileHeaders(...layers: readonly (HeaderOptions | undefined)[]): HouseHeaders {
  const chosen = new Map<string, { readonly name: string; readonly value: string | false }>()
  for (const layer of [securityHeaders, ...layers]) {
    for (const [name, setting] of Object.entries(layer ?? {})) chosen.set(name.toLowerCase(), { name, value: setting })
  }
  const fields: string[] = []
  const withheld = new Set(spokenForByTheGate)
  for (const [lower, { name, value: setting }] of chosen) {
    if (setting === false) continue
    fields.push(name, setting)
    withheld.add(lower)
  }
  return { fields, withheld }
}

/** Fields that the gate writes itself, and those that tell strangers what an upstream is built of. */
// biome-ignore format: a list reads best as a list
const spokenForByTheGate = [
  'x-request-id', 'ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset',
  'access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers',
  'server', 'x-powered-by', 'x-aspnet-version',
]
