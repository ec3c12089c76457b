import { z } from 'zod'
import { parseCidr } from '../kernel/ip.ts'
import { duration } from '../kernel/shape.ts'

export const cidr = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, 'expected an address or a network such as `10.0.0.0/8`')

export const listenOptions = z.strictObject({
  port: z.int().min(0).max(65_535).default(8080),
  host: z.string().min(1).default('127.0.0.1'),
  /** Peers whose `X-Forwarded-*` fields are believed. */
  trustedProxies: z.array(cidr).default([]),
  /** How long the head of a request may take. */
  headersTimeout: duration.default(10_000),
  /** How long a whole request may take to arrive. */
  requestTimeout: duration.default(300_000),
  /** How long an idle connection is kept; longer than the balancer in front keeps its own. */
  keepAliveTimeout: duration.default(65_000),
  /** Connections at most. */
  connections: z.int().min(1).max(1_000_000).default(10_000),
  /** How long requests on their way may take to end when the house shuts down. */
  drain: duration.default(10_000),
})

export type ListenOptions = z.output<typeof listenOptions>
