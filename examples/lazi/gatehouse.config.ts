import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** Lazi: widgets and projects. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },

  identity: {
    lockout: [{ per: 'pair', failures: 5, within: '15m', for: '15m' }],
    session: { idle: '1h', absolute: '1h' },
  },

  limits: { authentication: { limit: 200, window: '15m', by: ['ip'] } },

  roles: {
    user: { permissions: ['widgets:read', 'widgets:write', 'projects:read', 'files:write'] },
  },

  aliases: { '/public/oauth/token/refresh': '/api/auth/token/refresh' },

  routes: [
    {
      path: '/api/widgets',
      methods: ['POST'],
      require: 'widgets:write',
      limit: 'general',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[a-zA-Z0-9\\s\\-_]+$' },
          description: { type: 'string', maxLength: 500 },
          size: { enum: ['small', 'medium', 'large', 'extra_large'] },
        },
        required: ['name'],
        additionalProperties: false,
      },
    },
    { path: '/api/widgets', methods: ['GET'], require: 'widgets:read', limit: 'general', to: 'api' },
    { path: '/api/projects', methods: ['GET'], require: 'projects:read', limit: 'general', to: 'api' },
  ],
})
