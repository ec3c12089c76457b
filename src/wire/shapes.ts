import { z } from 'zod'

/** One endpoint of the house's own API, as data: the server, the client and the documentation read the same line. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  /** `public`; `authenticated`; or the permission that it demands. */
  readonly access: 'public' | 'authenticated' | { readonly permission: string }
  /** The limit, by its name in the configuration. */
  readonly limit: 'authentication' | 'general' | 'decisions' | 'reports' | 'sandbox' | 'health' | undefined
  readonly body?: z.ZodType
  /** Reads its body itself, in the words of another standard: it comes to it whole, whatever it is. */
  readonly wholeBody?: true
  /** Bytes; 64 KiB where it is left out. */
  readonly bodyMax?: number
  /** Demands a recent sign-in (RFC 9470). */
  readonly recent?: true
  /** Refuses somebody who acts as the person. */
  readonly inPerson?: true
  /** Whether clients of other people may ask too, though no permission is demanded. */
  readonly delegable?: true
  /** The scopes that they need for it: all of them. */
  readonly scope?: readonly string[]
  /** Pages of every origin may read it; else those that the configuration lists. */
  readonly cors?: 'open'
  /** Answers also while the house shuts down. */
  readonly whileDraining?: true
}

/** As typed: never trimmed, never cut. */
export const password = z.string().min(1).max(1024)
export const email = z.string().min(3).max(254)
export const username = z.string().regex(/^[A-Za-z0-9_-]{3,20}$/, 'must have 3 to 20 letters, digits, `_` and `-`')
export const name = z.string().min(1).max(200)
export const secret = z.string().min(1).max(512)
export const code = z.string().min(6).max(64)
/** One permission, or a pattern of them. */
export const permission = z
  .string()
  .max(200)
  .regex(
    /^(?:\*|[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*(?::\*)?)$/,
    'expected a permission such as `task:read`, `task:*` or `*`',
  )
export const roles = z.array(z.string().min(1).max(64)).max(32)
/** An answer of `navigator.credentials`, as `toJSON()` gives it (WebAuthn 3 §5.1). */
export const credential = z.record(z.string(), z.unknown())

/** A person as they and their programs may see them. */
export const personShape = z.strictObject({
  id: z.string(),
  email: z.string(),
  email_verified: z.boolean(),
  username: z.string().optional(),
  name: z.string(),
  roles: z.array(z.string()),
  created_at: z.string().meta({ description: 'RFC 3339' }),
})

/** What signing in and refreshing answer (RFC 6749 §5.1, and who it is). */
export const tokensShape = z.strictObject({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().meta({ description: 'seconds' }),
  user: personShape.pick({ id: true, email: true, name: true, roles: true }),
  /** To be sent with the next sign-in: strangers' failures do not lock this device out. */
  device_token: z.string().optional(),
})

export type Tokens = z.output<typeof tokensShape>
export type Person = z.output<typeof personShape>
