import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** JAF: an agent framework with chat, agents, tools and memory. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },

  tokens: { issuer: 'jaf-system', algorithm: 'HS256', accessTtl: '1h', claims: ['user_id', 'permissions'] },

  identity: { lockout: [{ per: 'account', failures: 5, within: '5m', for: '5m' }] },

  limits: { authentication: { limit: 100, window: '1m', by: ['ip'] } },

  roles: {
    user: { permissions: ['chat:basic'] },
    premium_user: { permissions: ['chat:advanced', 'data:export'], inherits: ['user'] },
    // `admin` is the house's own, and holds everything.
    agent_admin: { permissions: ['agent:manage', 'analytics:view'], inherits: ['premium_user'] },
    system_admin: { permissions: ['system:admin'], inherits: ['agent_admin'] },
  },

  routes: [
    {
      path: '/api/chat',
      methods: ['POST'],
      require: 'chat:basic',
      limit: 'general',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          content: { type: 'string', minLength: 1, maxLength: 10_000 },
          type: { enum: ['text', 'image', 'document'] },
        },
        required: ['content'],
        additionalProperties: false,
      },
    },
    { path: '/api/chat/advanced', methods: ['POST'], require: 'chat:advanced', limit: 'general', to: 'api' },
    { path: '/health', access: 'public', to: 'api' },
  ],
})
