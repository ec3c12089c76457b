import { defineConfig } from 'gatehouse'
import { url } from '../upstream.ts'

/** A folder of `gatehouse certs dev`. Where it is named, the house speaks TLS, and knows services by their certificates. */
const certs = process.env['JAF_CERTS']

/** Where its SIEM takes syslog on this machine, and where its log service takes JSON. */
const siem = process.env['JAF_SYSLOG_PORT']
const logs = process.env['JAF_LOGS_URL']

/** A moderation endpoint that speaks as OpenAI's does, where there is one. */
const moderator = process.env['JAF_MODERATION_URL']

/** Its five categories. Where the endpoint fails that is told, and what people say goes on by the list of words alone. */
const moderation = {
  mode: 'block' as const,
  providers: [
    { kind: 'words' as const },
    ...(moderator === undefined ? [] : [{ kind: 'openai' as const, name: 'endpoint', url: moderator }]),
  ],
  categories: { harassment: 'off' as const, 'self-harm': 'off' as const, sexual: 'off' as const },
  deadline: '2s',
  whenDown: 'allow' as const,
}

/**
 * What a program says of a message. JSON Schema counts no characters of an object: these bounds together are less than 1000 of them,
 * and let nothing lie deeper than a list of words.
 */
const metadata = {
  type: 'object',
  maxProperties: 10,
  propertyNames: { maxLength: 28 },
  additionalProperties: {
    anyOf: [
      { type: 'string', maxLength: 64 },
      { type: ['number', 'boolean', 'null'] },
      { type: 'array', maxItems: 4, items: { type: 'string', maxLength: 12 } },
    ],
  },
}

/** JAF: an agent framework with chat, agents, tools and memory. Its own numbers, as far as the house has what they are about. */
export default defineConfig({
  upstreams: { api: url },
  ...(process.env['JAF_URL'] !== undefined && { publicUrl: process.env['JAF_URL'] }),

  ...(certs !== undefined && {
    listen: {
      tls: {
        cert: `${certs}/server.pem`,
        key: `${certs}/server.key`,
        clientCa: `${certs}/ca.pem`,
        crl: `${certs}/crl.pem`,
      },
      // Whoever comes without TLS is sent to it.
      https: { redirectFrom: Number(process.env['JAF_HTTP_PORT'] ?? 8081) },
    },
  }),

  keys: { prefix: 'jaf', expiry: '90d', expiryMax: '365d' },

  // Base64 over METHOD, URI, BODY and TIMESTAMP, in `X-Signature` and `X-Timestamp`.
  signatures: { secure: { form: 'method-uri-body', service: 'agent-runner', window: '5m' } },

  tokens: { issuer: 'jaf-system', algorithm: 'HS256', accessTtl: '1h', claims: ['user_id', 'permissions'] },

  identity: { lockout: [{ per: 'account', failures: 5, within: '5m', for: '5m' }] },

  // Ten violations of a limit, three suspicious patterns, one try at what is an administrator's.
  incidents: { detection: { presets: ['standard', 'jaf'] } },

  // What happens goes to its SIEM: by syslog where there is one, else as lines of JSON; and to its log service, where that has an address.
  audit: {
    sinks: [
      siem === undefined
        ? { kind: 'file', name: 'siem', path: process.env['JAF_SIEM'] ?? './data/siem.jsonl' }
        : { kind: 'syslog', name: 'siem', host: '127.0.0.1', port: Number(siem), protocol: 'tcp', appName: 'jaf' },
      ...(logs === undefined ? [] : [{ kind: 'webhook' as const, name: 'logs', url: logs }]),
    ],
  },

  // Each category a bucket of its own. `general` is what the system calls its default; health is not counted.
  limits: {
    general: { algorithm: 'token-bucket', limit: 100, window: '1m' },
    chat: { algorithm: 'token-bucket', limit: 20, window: '1m' },
    api: { algorithm: 'token-bucket', limit: 1000, window: '1h' },
    upload: { algorithm: 'token-bucket', limit: 5, window: '5m' },
    authentication: { algorithm: 'token-bucket', limit: 100, window: '1m', by: 'ip' },
    health: false,
  },

  // Over 100 requests in a minute or 10 in a second block an address for an hour; programs that give themselves away are refused.
  shield: {
    rate: {
      thresholds: [
        { limit: 100, window: '1m' },
        { limit: 10, window: '1s' },
      ],
      block: '1h',
    },
    userAgents: { refuse: 'suspicious' },
    exempt: { paths: ['/health', '/metrics'] },
  },

  roles: {
    user: { permissions: ['chat:basic'] },
    premium_user: { permissions: ['chat:advanced', 'data:export'], inherits: ['user'] },
    admin: { permissions: ['agent:manage', 'analytics:view'], inherits: ['premium_user'] },
    system_admin: { permissions: ['system:admin'], inherits: ['admin'] },
  },
  // The role that holds everything, the house's own administration included. JAF's `admin` holds less.
  administrator: 'system_admin',

  // On every route. Sentences about plans to select and rows to update are none of it; what is personal is struck out on its way
  // in and on its way out, streams included.
  inspection: {
    injection: 'block',
    pii: { requests: 'redact', answers: 'redact', kinds: ['ssn', 'card', 'email', 'phone'] },
  },

  routes: [
    {
      path: '/api/chat',
      methods: ['POST'],
      require: 'chat:basic',
      limit: 'chat',
      to: 'api',
      body: {
        type: 'object',
        properties: {
          content: { type: 'string', minLength: 1, maxLength: 10_000 },
          type: { enum: ['text', 'image', 'document'] },
          metadata,
        },
        required: ['content'],
        additionalProperties: false,
      },
      inspection: { html: { '/content': 'basic' }, moderation },
    },
    {
      path: '/api/chat/advanced',
      methods: ['POST'],
      require: 'chat:advanced',
      limit: 'chat',
      to: 'api',
      inspection: { moderation },
    },
    { path: '/api/export', methods: ['GET'], require: 'data:export', limit: 'api', to: 'api' },
    { path: '/api/analytics', methods: ['GET'], require: 'analytics:view', limit: 'api', to: 'api' },
    { path: '/api/agents/:name', methods: ['PUT'], require: 'agent:manage', limit: 'api', to: 'api' },
    { path: '/api/system', methods: ['PUT'], require: 'system:admin', limit: 'api', to: 'api' },
    // Files by what they hold, whatever they are called. A document about SQL is a document: nothing puts it into a query.
    {
      path: '/api/upload',
      methods: ['POST'],
      require: 'chat:basic',
      limit: 'upload',
      to: 'api',
      bodyMax: '11mb',
      bodyByType: {
        multipart: {
          type: 'object',
          properties: {
            file: { type: 'array', minItems: 1, maxItems: 5, items: { type: 'string', format: 'binary' } },
          },
          required: ['file'],
          additionalProperties: false,
        },
      },
      inspection: {
        uploads: { types: ['image/*', 'application/pdf', 'text/plain', 'application/zip'], max: '10mb', files: 5 },
        bodyMax: '11mb',
        deadline: '10s', // of large files, and of archives in archives
        injection: 'log',
      },
    },
    // Programs: by a key of theirs, and by nothing else.
    { path: '/api/agents', require: 'chat:basic', credentials: ['api-key'], limit: 'api', to: 'api' },
    // Whoever asks, the request is signed.
    {
      path: '/api/secure/*',
      require: 'agent:manage',
      signature: 'secure',
      bodyMax: '1mb',
      limit: 'api',
      to: 'api',
    },
    // Other services: by a client certificate. Without TLS nobody has one.
    {
      path: '/api/internal/*',
      require: 'agent:manage',
      credentials: ['certificate'],
      certificate: certs === undefined ? undefined : 'required',
      limit: 'api',
      to: 'api',
    },
    { path: '/health', access: 'public', to: 'api' },
  ],
})
