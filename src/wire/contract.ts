import { z } from 'zod'

/** One endpoint of the house's own API, as data: the server, the client and the documentation read the same line. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  /** `public`; `authenticated`; or the permission that it demands. */
  readonly access: 'public' | 'authenticated' | { readonly permission: string }
  /** The limit, by its name in the configuration. */
  readonly limit: 'authentication' | 'general' | 'health' | undefined
  readonly body?: z.ZodType
  /** Answers also while the house shuts down. */
  readonly whileDraining?: true
}

export const signInBody = z.strictObject({
  email: z.string().min(3).max(254),
  /** As typed: never trimmed, never cut. */
  password: z.string().min(1).max(1024),
})

export const refreshBody = z.strictObject({ refresh_token: z.string().min(1).max(1024) })

/** A person as they and their programs may see them. */
export const personShape = z.strictObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  created_at: z.string().meta({ description: 'RFC 3339' }),
})

/** What signing in and refreshing answer (RFC 6749 §5.1, and who it is). */
export const tokensShape = z.strictObject({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().meta({ description: 'seconds' }),
  user: personShape.omit({ created_at: true }),
})

export type Tokens = z.output<typeof tokensShape>
export type Person = z.output<typeof personShape>

export const contract = {
  signIn: {
    method: 'POST',
    path: '/api/auth/login',
    summary: 'Sign in with a password',
    access: 'public',
    limit: 'authentication',
    body: signInBody,
  },
  refresh: {
    method: 'POST',
    path: '/api/auth/token/refresh',
    summary: 'Trade a refresh token for new tokens',
    access: 'public',
    limit: 'authentication',
    body: refreshBody,
  },
  signOut: {
    method: 'POST',
    path: '/api/auth/logout',
    summary: 'End this session, its access tokens included',
    access: 'authenticated',
    limit: 'general',
  },
  validate: {
    method: 'GET',
    path: '/api/auth/validate',
    summary: 'Whether the presented credential is good, and for whom',
    access: 'authenticated',
    limit: 'general',
  },
  me: { method: 'GET', path: '/api/auth/me', summary: 'Who I am', access: 'authenticated', limit: 'general' },
  health: {
    method: 'GET',
    path: '/health',
    summary: 'Whether this node can serve',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  live: {
    method: 'GET',
    path: '/health/live',
    summary: 'Whether this process runs',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  ready: {
    method: 'GET',
    path: '/health/ready',
    summary: 'Whether to send this node requests',
    access: 'public',
    limit: 'health',
    whileDraining: true,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics, for loopback and configured addresses',
    access: 'public',
    limit: undefined,
    whileDraining: true,
  },
  problem: {
    method: 'GET',
    path: '/.well-known/gatehouse/problems/:code',
    summary: 'What a problem means, and what to do',
    access: 'public',
    limit: 'health',
  },
  jwks: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that our tokens verify with (RFC 7517)',
    access: 'public',
    limit: 'health',
  },
} as const satisfies Record<string, Endpoint>

export type EndpointName = keyof typeof contract
