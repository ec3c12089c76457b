import { defineConfig, env } from 'gatehouse'
import { url } from '../upstream.ts'

/** A folder of `gatehouse certs dev`. Where it is named, the house speaks TLS, and knows services by their certificates. */
const certs = process.env['ASSISTANT_CERTS']

/** Where the people on duty are told. */
const alarm = process.env['ASSISTANT_ALERTS']

/** AI Assistant: front end, orchestrator, MCP servers. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url, mcp: url, memory: url },

  ...(certs !== undefined && {
    listen: {
      tls: {
        cert: `${certs}/server.pem`,
        key: `${certs}/server.key`,
        clientCa: `${certs}/ca.pem`,
        crl: `${certs}/crl.pem`,
        minVersion: 'TLSv1.2',
      },
    },
  }),

  // Who calls whom: the orchestrator the MCP servers and the memory, and these by no way around the gate.
  services: {
    orchestrator: {
      permissions: ['tool:execute', 'conversation:read'],
      secrets: process.env['ORCHESTRATOR_SECRET'] === undefined ? [] : [env('ORCHESTRATOR_SECRET')],
      certificates: [{ dns: 'orchestrator' }],
    },
    indexer: { permissions: ['conversation:read'], certificates: [{ subject: 'CN=indexer' }] },
  },
  publicUrl: 'http://localhost:8080',

  tokens: { accessTtl: '15m', refreshTtl: '30d', refreshIdle: '30d', claims: ['email', 'permissions'] },

  // To try it out letters are files; a deployment names its mail server: `smtp: { host: … }`.
  mail: {
    from: 'AI Assistant <no-reply@assistant.example>',
    folder: process.env['ASSISTANT_LETTERS'] ?? './data/letters',
  },

  identity: {
    registration: 'open',
    username: 'required',
    lockout: [{ per: 'account', failures: 5, within: '5m', for: '30m' }],
    session: { idle: '1h', absolute: '1h', sameSite: 'strict' },
    // Each provider whose secret is at hand, so that the example starts without any.
    providers: Object.fromEntries(
      ['google', 'github', 'microsoft']
        .map((name) => [name, `${name.toUpperCase()}_CLIENT_SECRET`] as const)
        .filter(([, secret]) => process.env[secret] !== undefined)
        .map(([name, secret]) => [name, { clientId: 'assistant', clientSecret: env(secret) }]),
    ),
  },

  // What its response to incidents does by itself. An account that is guessed at is locked by the house for as long anyway.
  incidents: {
    detection: { presets: ['standard', 'ai-assistant'] },
    playbooks: {
      'brute-force': {
        for: ['brute-force'],
        automatic: true,
        steps: [{ do: 'account.lock', for: '30m' }, { do: 'sessions.end' }, { do: 'address.block', for: '1h' }],
      },
    },
    alerts: {
      console: { kind: 'console' },
      mail: { kind: 'email', to: ['security@assistant.example'], minSeverity: 'high' },
      ...(alarm !== undefined && { team: { kind: 'webhook' as const, url: alarm, minSeverity: 'high' as const } }),
    },
  },

  // Each an exact log: no window admits more. What everybody, a person and an address may holds on every route together.
  limits: {
    global: { algorithm: 'log', limit: 1000, window: '1h', by: 'global', everywhere: true },
    person: { algorithm: 'log', limit: 100, window: '1h', by: ['principal', 'none'], everywhere: true },
    address: { algorithm: 'log', limit: 500, window: '1h', by: 'ip', everywhere: true },
    authentication: { algorithm: 'log', limit: 5, window: '5m', by: 'ip' },
    tool: { algorithm: 'log', limit: 10, window: '1m' },
    general: false,
  },

  roles: {
    viewer: { permissions: ['conversation:read'] },
    user: { permissions: ['conversation:*', 'tool:execute'] },
    developer: { permissions: ['tool:register', 'tool:delete'], inherits: ['user'] },
    // The house's administrator, who may everything; these three are what the system calls by name.
    admin: { permissions: ['user:manage', 'system:config', 'audit:view'], inherits: ['developer'] },
  },

  // By attributes, in the system's own form. Whose a conversation is, the API is asked.
  policies: [{ name: 'conversations', file: `${import.meta.dirname}/conversations.policy.json`, record: 100 }],
  resources: {
    conversation: {
      owner: { lookup: '/internal/owners/conversations/:id', field: 'owner_id', decidedBy: 'policy' },
      policy: 'conversations',
    },
  },

  // On every route.
  inspection: { injection: 'block' },

  routes: [
    { path: '/api/conversations', methods: ['GET'], require: 'conversation:read', to: 'api' },
    { path: '/api/conversations', methods: ['POST'], require: 'conversation:create', to: 'api' },
    {
      path: '/api/conversations/:id',
      methods: ['GET'],
      require: 'conversation:read',
      resource: 'conversation',
      to: 'api',
    },
    {
      path: '/api/conversations/:id',
      methods: ['DELETE'],
      require: 'conversation:delete',
      resource: 'conversation',
      to: 'api',
    },
    // What a person says to the model. Links stay in it, to where links may lead; orders to the model are remembered.
    {
      path: '/api/conversations/:id/messages',
      methods: ['POST'],
      require: 'conversation:create',
      resource: 'conversation',
      to: 'api',
      body: {
        type: 'object',
        properties: { text: { type: 'string', minLength: 1, maxLength: 10_000 } },
        required: ['text'],
        additionalProperties: false,
      },
      inspection: { html: { '/text': 'links' }, prompts: 'log' },
    },
    // What people say of themselves; registration itself holds the same of names and addresses.
    {
      path: '/api/profile',
      methods: ['PUT'],
      access: 'authenticated',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          username: { type: 'string', minLength: 3, maxLength: 20, pattern: '^[a-zA-Z0-9_-]+$' },
          email: { type: 'string', format: 'email' },
          about: { type: 'string', maxLength: 1000 },
        },
        required: ['username', 'email'],
        additionalProperties: false,
      },
      inspection: { html: { '/about': 'links' } },
    },
    // What comes back from a tool was written by others, and the model reads it.
    {
      path: '/api/tools/:name',
      methods: ['POST'],
      require: 'tool:execute',
      limit: 'tool',
      to: 'api',
      inspection: { prompts: { answers: 'log' } },
    },
    { path: '/api/tools/:name', methods: ['PUT'], require: 'tool:register', to: 'api' },
    { path: '/api/users', methods: ['GET'], require: 'user:manage', to: 'api' },
    { path: '/api/config', methods: ['PUT'], require: 'system:config', to: 'api' },
    { path: '/api/audit', methods: ['GET'], require: 'audit:view', to: 'api' },
    // Between services: by a token that the caller makes for this target, good for five minutes.
    {
      path: '/internal/mcp/*',
      require: 'tool:execute',
      credentials: ['service-token'],
      limit: 'tool',
      to: 'mcp',
      inspection: { prompts: { answers: 'log' } },
    },
    // By a client certificate. Without TLS nobody has one.
    {
      path: '/internal/memory/*',
      require: 'conversation:read',
      credentials: ['certificate'],
      certificate: certs === undefined ? undefined : 'required',
      to: 'memory',
    },
    // Whoever takes a tool away for everybody has shown two factors, and lately.
    {
      path: '/api/tools/:name',
      methods: ['DELETE'],
      require: 'tool:delete',
      recent: '15m',
      strength: 'multi-factor',
      to: 'api',
    },
  ],
})
