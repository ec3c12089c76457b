import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** Where the house writes the keys that it makes and rotates by itself. */
const folder = process.env['GARY_KEYS'] ?? './data'

/** Crazy-Gary: an agent platform with tasks, model endpoints, monitoring and MCP tools. Its own numbers. */
export default defineConfig({
  upstreams: { api: url },

  // Keys of its programs. The last three stay good for three days, so that with a key a day all three are there.
  keys: {
    prefix: 'gary',
    overlap: '72h',
    managed: {
      'task-runner': {
        permissions: ['task:read', 'task:create', 'mcp:call'],
        rotateEvery: '24h',
        file: `${folder}/task-runner.key`,
      },
      'endpoint-monitor': {
        permissions: ['endpoint:read', 'monitoring:read'],
        rotateEvery: '24h',
        file: `${folder}/endpoint-monitor.key`,
      },
    },
  },

  tokens: {
    issuer: 'crazy-gary-api',
    audience: 'crazy-gary-clients',
    algorithm: 'HS256',
    accessTtl: '1h',
    refreshGrace: '3s',
    claims: ['email', 'user_id', 'permissions'],
  },

  // Five failures in five minutes are suspicious, and lock nobody out.
  identity: { lockout: [{ per: 'account', failures: 5, within: '5m' }] },

  // A hundred requests of one user in a minute are looked at; everything that happens goes to its SIEM as lines of JSON.
  incidents: { detection: { presets: ['standard', 'crazy-gary'] } },
  audit: { sinks: [{ kind: 'file', name: 'siem', path: process.env['GARY_SIEM'] ?? './data/siem.jsonl' }] },

  roles: {
    user: { permissions: ['task:read', 'task:create', 'task:change', 'endpoint:read', 'monitoring:read', 'mcp:call'] },
    operator: { permissions: ['endpoint:manage'], inherits: ['user'] },
  },

  limits: {
    authentication: { limit: 10, window: '1h', burst: 3, by: 'ip' },
    general: { limit: 1000, window: '1h', burst: 50 },
    'task-creation': { limit: 100, window: '1h', burst: 10 },
    'endpoint-management': { limit: 100, window: '1h', burst: 10 },
    monitoring: { limit: 500, window: '1h', burst: 25 },
    'mcp-tools': { limit: 200, window: '1h', burst: 20 },
    health: { limit: 60, window: '1m', burst: 5, by: 'ip' },
  },

  cors: {
    origins: ['http://localhost:3000', 'https://app.crazy-gary.example'],
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
    headers: ['Content-Type', 'Authorization', 'X-Requested-With', 'X-API-Key', 'X-Request-ID'],
    exposed: ['X-Request-ID', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'Retry-After'],
  },

  routes: [
    {
      path: '/api/tasks',
      methods: ['POST'],
      require: 'task:create',
      limit: 'task-creation',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          title: { type: 'string', minLength: 3, maxLength: 100 },
          description: { type: 'string', minLength: 10, maxLength: 1000 },
          priority: { enum: ['low', 'medium', 'high', 'critical'] },
          model: { enum: ['gpt-oss-120b', 'gpt-oss-20b'] },
        },
        required: ['title', 'description'],
        additionalProperties: false,
      },
      // Its pages show both as text: no markup is left in them.
      inspection: { html: { '/title': 'none', '/description': 'none' } },
    },
    // What a task is about: a file by what it holds, whatever it is called.
    {
      path: '/api/files',
      methods: ['POST'],
      require: 'task:create',
      limit: 'general',
      to: 'api',
      bodyMax: '6mb',
      bodyByType: {
        multipart: {
          type: 'object',
          properties: { file: { type: 'string', format: 'binary' }, note: { type: 'string', maxLength: 200 } },
          required: ['file'],
          additionalProperties: false,
        },
      },
      inspection: {
        uploads: { types: ['image/png', 'image/jpeg', 'application/pdf', 'text/plain'], max: '5mb', files: 1 },
        bodyMax: '6mb',
        deadline: '10s', // of large files
      },
    },
    { path: '/api/tasks', methods: ['GET'], require: 'task:read', limit: 'general', to: 'api' },
    // A task is its owner's. To be read, the API's own answer says whose it is, before anything of it leaves.
    {
      path: '/api/tasks/:id',
      methods: ['GET'],
      require: 'task:read',
      owner: { answer: 'X-Owner-Id' },
      limit: 'general',
      to: 'api',
    },
    // To be changed, the API is asked before the request reaches it.
    {
      path: '/api/tasks/:id',
      methods: ['PUT', 'DELETE'],
      require: 'task:change',
      owner: { lookup: '/internal/owners/tasks/:id', field: 'owner_id' },
      limit: 'general',
      to: 'api',
    },
    { path: '/api/endpoints', methods: ['GET'], require: 'endpoint:read', limit: 'general', to: 'api' },
    { path: '/api/endpoints', methods: ['POST'], require: 'endpoint:manage', limit: 'endpoint-management', to: 'api' },
    {
      path: '/api/endpoints/:id',
      methods: ['PUT', 'DELETE'],
      require: 'endpoint:manage',
      limit: 'endpoint-management',
      to: 'api',
    },
    { path: '/api/monitoring/*', methods: ['GET'], require: 'monitoring:read', limit: 'monitoring', to: 'api' },
    { path: '/api/mcp/*', require: 'mcp:call', limit: 'mcp-tools', to: 'api' },
  ],
})
