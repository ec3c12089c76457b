import { join } from 'node:path'
import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** Where people reach it: `https://analytics.example` once it is more than a try. */
const publicUrl = process.env['ANALYTICS_URL'] ?? 'http://localhost:8080'

/** Where the people on duty are told. */
const alarm = process.env['ANALYTICS_ALERTS']

/** A time: its end comes after its beginning. */
const period = {
  start_date: { type: 'string', format: 'date' },
  end_date: { type: 'string', format: 'date', formatExclusiveMinimum: { $data: '1/start_date' } },
}

/** E-commerce analytics: dashboards for admins, analysts and viewers. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },
  publicUrl,

  // Its proxy stands on the same machine. What anybody else writes into `X-Forwarded-For` counts for nothing. Where the proxy
  // speaks TLS, whoever came to it without is sent there.
  listen: { trustedProxies: ['127.0.0.1'], ...(publicUrl.startsWith('https:') && { https: 'required' as const }) },

  keys: { prefix: 'shop', expiry: '365d' },

  tokens: { algorithm: 'HS256', accessTtl: '1h' },

  mail: {
    from: 'Analytics <no-reply@analytics.example>',
    folder: process.env['ANALYTICS_LETTERS'] ?? './data/letters',
  },

  identity: {
    lockout: [{ per: 'pair', failures: 5, within: '1h', locks: 'address', for: '1h', notify: true }],
  },

  // Guessing is answered by itself. The house's own playbooks, for leaks, breaches and the rest, begin when somebody has looked.
  incidents: {
    detection: { presets: ['standard', 'ecommerce-analytics'] },
    playbooks: {
      'brute-force': {
        for: ['brute-force'],
        automatic: true,
        steps: [{ do: 'account.lock', for: '30m' }, { do: 'sessions.end' }, { do: 'address.block', for: '1h' }],
      },
    },
    alerts: {
      console: { kind: 'console' },
      mail: { kind: 'email', to: ['security@analytics.example'], minSeverity: 'high' },
      ...(alarm !== undefined && { team: { kind: 'webhook' as const, url: alarm, minSeverity: 'high' as const } }),
    },
  },

  // By address and endpoint, as the system counts: each endpoint apart.
  limits: {
    general: { limit: 1000, window: '1h', by: 'ip+route' },
    analytics: { limit: 100, window: '1h', by: 'ip+route' },
    authentication: { limit: 100, window: '1h', by: 'ip' },
  },

  // Over 100 requests in a minute or 10 in a second block an address for an hour; known bad actors never come.
  shield: {
    rate: {
      thresholds: [
        { limit: 100, window: '1m' },
        { limit: 10, window: '1s' },
      ],
      block: '1h',
    },
    exempt: { addresses: ['198.51.100.0/24'] }, // the office: all who work there come from one address
    addresses: { denyFiles: [join(import.meta.dirname, 'bad-actors.txt')] },
  },

  roles: {
    // The house's administrator, who may everything everywhere; these four are what the system calls by name.
    admin: { permissions: ['read', 'write', 'delete', 'manage_users'], scope: 'global' },
    // These count on routes of the area `analytics`, and nowhere else.
    analyst: { permissions: ['read', 'write'], scope: 'analytics' },
    viewer: { permissions: ['read'], scope: 'analytics' },
  },

  // What people write stays as they wrote it, quotes and all. What a page would run is refused, and not trimmed; of everything else
  // that looks like an attack the record is told.
  inspection: { injection: { mode: 'log', families: { xss: 'block' } } },

  routes: [
    {
      path: '/api/analytics/*',
      methods: ['GET'],
      area: 'analytics',
      require: 'read',
      limit: 'analytics',
      to: 'api',
      // A dashboard of a time: the rest of its query is its own.
      requestSchemas: {
        query: { type: 'object', properties: period, dependentRequired: { end_date: ['start_date'] } },
      },
    },
    { path: '/api/analytics/*', methods: ['POST'], area: 'analytics', require: 'write', limit: 'analytics', to: 'api' },
    {
      path: '/api/analytics/*',
      methods: ['DELETE'],
      area: 'analytics',
      require: 'delete',
      limit: 'analytics',
      to: 'api',
    },
    // A question to the numbers: of a time that ends after it begins.
    {
      path: '/api/analytics/query',
      methods: ['POST'],
      area: 'analytics',
      require: 'read',
      limit: 'analytics',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          metrics: {
            type: 'array',
            items: { enum: ['revenue', 'orders', 'conversion_rate', 'average_order_value', 'visitors'] },
            minItems: 1,
            uniqueItems: true,
          },
          ...period,
          granularity: { enum: ['hour', 'day', 'week', 'month'] },
        },
        required: ['metrics', 'start_date', 'end_date'],
        additionalProperties: false,
      },
    },
    // The shop's own catalogue: out of the area, where an analyst may not even read.
    { path: '/api/catalogue/*', methods: ['GET'], require: 'read', limit: 'general', to: 'api' },
    // From the office alone. The proxy is not in it: who comes without being named by the proxy has no address to show.
    {
      path: '/api/users',
      require: 'manage_users',
      addresses: { allow: ['198.51.100.0/24', '2001:db8:5409::/48'] },
      limit: 'general',
      to: 'api',
    },
  ],
})
