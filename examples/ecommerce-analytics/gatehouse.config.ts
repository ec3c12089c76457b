import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** E-commerce analytics: dashboards for admins, analysts and viewers. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },
  publicUrl: 'http://localhost:8080',

  // Its proxy stands on the same machine. What anybody else writes into `X-Forwarded-For` counts for nothing.
  listen: { trustedProxies: ['127.0.0.1'] },

  keys: { prefix: 'shop', expiry: '365d' },

  tokens: { algorithm: 'HS256', accessTtl: '1h' },

  mail: {
    from: 'Analytics <no-reply@analytics.example>',
    folder: process.env['ANALYTICS_LETTERS'] ?? './data/letters',
  },

  identity: {
    lockout: [{ per: 'pair', failures: 5, within: '1h', locks: 'address', for: '1h', notify: true }],
  },

  limits: { authentication: { limit: 100, window: '1h', by: ['ip'] } },

  roles: {
    viewer: { permissions: ['read'], scope: 'analytics' },
    analyst: { permissions: ['read', 'write'], scope: 'analytics' },
  },

  routes: [
    { path: '/api/analytics/*', methods: ['GET'], require: 'read', limit: 'general', to: 'api' },
    { path: '/api/analytics/*', methods: ['POST'], require: 'write', limit: 'general', to: 'api' },
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
