import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** Where people reach it: `https://lazi.example` once it is more than a try. */
const publicUrl = process.env['LAZI_URL']

/** Lazi: widgets and projects. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },
  ...(publicUrl !== undefined && { publicUrl }),

  // Its proxy stands on the same machine. What anybody else writes into `X-Forwarded-For` counts for nothing. Where the proxy
  // speaks TLS, whoever came to it without is sent there.
  listen: {
    trustedProxies: ['127.0.0.1'],
    ...(publicUrl?.startsWith('https:') === true && { https: 'required' as const }),
  },

  // `timestamp.hex` over `timestamp.payload`. Only the runner of people's Python signs, and tells what came of it.
  signatures: { runner: { form: 'timestamp-payload', service: 'runner', window: '5m' } },

  identity: {
    lockout: [{ per: 'pair', failures: 5, within: '15m', for: '15m' }],
    session: { idle: '1h', absolute: '1h' },
  },

  incidents: { detection: { presets: ['standard', 'lazi'] } },

  limits: { authentication: { limit: 200, window: '15m', by: 'ip' } },

  // Python that people wrote for their widgets. Without the walls of the system around it the house does not start where Lazi is served.
  sandbox: {
    enabled: true,
    languages: ['python'],
    python: { imports: ['datetime', 'time', 'json', 're', 'math', 'statistics', 'collections', 'itertools'] },
    limits: { time: '5s', memory: '1024mb' },
    ...(publicUrl !== undefined && { require: ['files', 'network', 'processes', 'user'] as const }),
  },

  roles: {
    user: { permissions: ['widgets:read', 'widgets:write', 'projects:*', 'files:*', 'sandbox:run'] },
    keeper: { permissions: ['widgets:admin'] },
  },

  // Where Lazi has always had them; its clients ask for scopes, and get no more than the person may.
  oauth: {
    path: '/public/oauth',
    scopes: {
      'widgets:read': { description: 'See your widgets' },
      'widgets:write': { description: 'Make and change your widgets' },
      'widgets:admin': { description: 'Manage everybody’s widgets', privileged: true },
      'projects:read': { description: 'See your projects' },
      'projects:write': { description: 'Make and change your projects' },
      'files:read': { description: 'Read your files' },
      'files:write': { description: 'Write your files' },
    },
    clients: [
      {
        id: 'lazi-studio',
        name: 'Lazi Studio',
        redirectUris: ['https://studio.lazi.example/callback'],
        scopes: ['widgets:read', 'widgets:write', 'projects:read', 'projects:write', 'files:read', 'files:write'],
      },
    ],
  },

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
    { path: '/api/widgets/:id', methods: ['DELETE'], require: 'widgets:admin', limit: 'general', to: 'api' },
    { path: '/api/projects', methods: ['GET'], require: 'projects:read', limit: 'general', to: 'api' },
    { path: '/api/projects', methods: ['POST'], require: 'projects:write', limit: 'general', to: 'api' },
    { path: '/api/files/*', methods: ['GET'], require: 'files:read', limit: 'general', to: 'api' },
    { path: '/api/files/*', methods: ['PUT'], require: 'files:write', limit: 'general', to: 'api' },
    {
      path: '/api/runs/results',
      methods: ['POST'],
      require: 'runs:report',
      credentials: ['signature'],
      signature: 'runner',
      bodyMax: '1mb',
      limit: 'general',
      to: 'api',
    },
    // From the office alone. The proxy is not in it: who comes without being named by the proxy has no address to show.
    {
      path: '/api/maintenance/*',
      require: 'widgets:admin',
      addresses: { allow: ['192.0.2.0/24', '2001:db8:1a21::/48'], deny: ['192.0.2.66'] },
      limit: 'general',
      to: 'api',
    },
  ],
})
