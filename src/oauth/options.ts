import { z } from 'zod'
import { duration } from '../kernel/shape.ts'
import { clientOptions } from './client-options.ts'

/** A scope as RFC 6749 §3.3 allows it to be written. */
export const scopeName = z
  .string()
  .max(100)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope such as `widgets:read`')

const permission = z.string().regex(/^(?:\*|[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*(?::\*)?)$/, 'expected a permission')

/** What a client can be allowed. */
export const scopeOptions = z.strictObject({
  /** What the consent page says: `See your widgets`. */
  description: z.string().min(1).max(200),
  /** The permissions that it lends, of those that the person has; the one of the same name, where it is left out. */
  permissions: z.array(permission).min(1).optional(),
  /** Only for clients that an operator made. */
  privileged: z.boolean().default(false),
})

export type ScopeOptions = z.output<typeof scopeOptions>

/** A part of the house that tokens are issued for by itself (RFC 8707): an MCP server, for one. */
export const resourceOptions = z.strictObject({
  /** It and everything below it; its identifier is the public address with this path. */
  path: z.string().regex(/^\/(?!.*\/\/)[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, 'expected a path such as `/mcp`'),
  name: z.string().min(1).max(100),
  /** What may be asked for there; whoever names no scope asks for those that are not privileged. */
  scopes: z.array(scopeName).min(1),
  /** The client, of those of the configuration, that serves it: it may exchange the tokens that it is shown (RFC 8693). */
  server: z.string().optional(),
})

export type ResourceOptions = z.output<typeof resourceOptions>

/** The authorization server: tokens for other people's clients (RFC 6749, RFC 9700, OpenID Connect). */
export const oauthOptions = z.strictObject({
  /** Where its endpoints stand. */
  path: z
    .string()
    .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, 'expected a path such as `/oauth`')
    .default('/oauth'),
  scopes: z.record(scopeName, scopeOptions).default({}),
  resources: z.array(resourceOptions).default([]),
  /** Clients that the configuration knows; others are made by command, by API, or make themselves known. */
  clients: z.array(clientOptions).default([]),
  /** Whether clients may register themselves (RFC 7591): never, with a token of an operator's, or freely within a quota. */
  registration: z
    .strictObject({
      access: z.enum(['closed', 'token', 'open'], { error: 'expected `closed`, `token` or `open`' }).default('closed'),
      /** Registrations that an address may make in an hour. */
      perAddress: z.int().min(1).max(1000).default(10),
      /** Clients that registered themselves, at most. */
      clients: z.int().min(1).max(1_000_000).default(1000),
      /** How long one that nobody has ever allowed anything is kept. */
      unusedFor: duration.default(86_400_000),
    })
    .prefault({}),
  /** Whether a client may be an https address where its metadata can be read. */
  metadataDocuments: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
  /**
   * What the house knows of certificates of clients (RFC 8705); left out, what `listen` says. A house inside another server
   * cannot know what that server asks for.
   */
  clientCertificates: z
    .enum(['none', 'shown', 'verified'], { error: 'expected `none`, `shown` or `verified`' })
    .optional(),
  /** How long a client's refresh tokens live at most, and without a sign of life. */
  refreshTtl: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(2_592_000_000),
  refreshIdle: duration.refine((ms) => ms >= 60_000, 'expected at least `1m`').default(604_800_000),
  /** Whether proofs of possession have to carry a nonce of ours (RFC 9449 §8). */
  dpopNonce: z.enum(['off', 'required'], { error: 'expected `off` or `required`' }).default('off'),
  /** Whether every client has to push its requests (RFC 9126). */
  pushedRequests: z.enum(['optional', 'required'], { error: 'expected `optional` or `required`' }).default('optional'),
})

export type OauthOptions = z.output<typeof oauthOptions>
