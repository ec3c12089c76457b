/** The systems whose checklists are answered. */
export const systems = {
  C: 'Crazy-Gary',
  L: 'Lazi',
  J: 'JAF',
  A: 'AI Assistant',
  E: 'e-commerce analytics',
} as const

export type System = keyof typeof systems

/** A requirement of theirs: what it is about, whose it is, and the checks that answer it. */
export interface ChecklistRow {
  readonly about: string
  /** Keys of `systems`; empty where the house asks it of itself. */
  readonly from: readonly System[]
  readonly checks: readonly string[]
}

const all: readonly System[] = ['C', 'L', 'J', 'A', 'E']

function row(about: string, from: readonly System[] | string, ...checks: readonly string[]): ChecklistRow {
  return { about, from: typeof from === 'string' ? ([...from] as System[]) : from, checks }
}

/** Every row of the five systems' requirements, by its id. */
// biome-ignore format: a table
export const checklists: Readonly<Record<string, ChecklistRow>> = {
  ID1: row('password sign-in', 'CJAE', 'password-length', 'breached-passwords', 'context-words', 'password-hashes', 'attempts-remembered', 'first-sign-in', 'administrators-in-use', 'accounts-in-use'),
  ID2: row('the same answer to every failure', 'CJ', 'same-answer'),
  ID3: row('brute force', 'LEAJC', 'failures-counted', 'failures-lock', 'sign-in-limit', 'strangers-limit'),
  ID4: row('sign-in through providers', 'A', 'providers-trust', 'single-use'),
  ID5: row('sessions', 'ACL', 'session-idle', 'session-life', 'session-cookie', 'sessions-revocable', 'public-address'),
  ID6: row('roles and profile', 'C', 'roles-differ', 'roles-of-newcomers'),
  ID7: row('second factors and step-up', '', 'administrators-second-factor', 'second-factors', 'step-up', 'recent-sign-in'),
  ID8: row('verification and reset', '', 'addresses-answer', 'verified-addresses', 'letters', 'letters-leave', 'real-letters', 'single-use'),
  TK1: row('access tokens', all, 'access-token-life', 'token-algorithm', 'token-names'),
  TK2: row('signing keys rotate', 'C', 'signing-keys-rotate', 'signing-keys-age'),
  TK3: row('refresh tokens', 'CLA', 'refresh-token-life', 'refresh-grace', 'reuse-ends-family'),
  TK4: row('revocation', 'A', 'tokens-revocable'),
  TK5: row('revocation by clients', 'L', 'tokens-revocable', 'clients-in-use'),
  TK6: row('verification', 'AEJC', 'tokens-strict', 'clock'),
  TK7: row('asking whether a credential is good', 'C', 'decisions-limit', 'tokens-revocable'),
  OA1: row('authorization server', 'L', 'pkce', 'registration-of-clients', 'clients-secrets', 'clients-refresh', 'old-secrets'),
  OA2: row('least scope', 'L', 'scopes-named', 'scopes-lend-little'),
  OA3: row('where the authorization server stands', 'L', 'public-address', 'inventory'),
  OA4: row('beyond OAuth 2', '', 'clients-secrets', 'replays-refused', 'fetches-bounded'),
  AK1: row('API keys', 'JE', 'keys-hashed', 'keys-expire', 'keys-expire-at-last', 'keys-without-end', 'keys-owned', 'keys-in-use', 'keys-least'),
  AK2: row('rotation of API keys', 'C', 'managed-keys', 'keys-rotated'),
  AK3: row('signed requests', 'LJ', 'signature-window', 'signatures-demanded', 'replays-refused'),
  AK4: row('tokens between services', 'A', 'service-tokens', 'services-by-key', 'old-secrets'),
  AK5: row('mutual TLS', 'AJ', 'client-certificates', 'services-by-key', 'tls-version', 'certificates-last', 'real-certificate'),
  AK6: row('addresses by route', 'LE', 'routes-by-address', 'trusted-proxies'),
  AZ1: row('roles', 'AJE', 'roles-differ', 'one-administrator-role', 'administrators-few', 'separation-of-duty', 'default-deny', 'roles-used'),
  AZ2: row('permissions on routes', 'JA', 'writes-need-permission', 'roles-used'),
  AZ3: row('ownership', 'CA', 'things-are-owned', 'fields-are-owned'),
  AZ4: row('policies', 'A', 'policies-asked', 'default-deny'),
  AZ5: row('closed by default', 'A', 'routes-say-who', 'public-routes-read', 'public-routes-methods', 'routes-narrow', 'routes-there'),
  TR1: row('sliding windows', 'C', 'limits-on', 'routes-limited'),
  TR2: row('token buckets', 'J', 'limits-on', 'routes-limited'),
  TR3: row('exact windows', 'A', 'limits-on', 'reports-limit'),
  TR4: row('limits by address and endpoint', 'E', 'limits-on', 'routes-limited'),
  TR5: row('limits in headers', 'CJA', 'limit-headers', 'cors-retry'),
  TR6: row('one count over nodes', 'AE', 'count-over-nodes', 'count-lost', 'store-for-nodes'),
  TR7: row('floods', 'JE', 'floods-blocked', 'bad-addresses', 'user-agents', 'load-shed', 'slow-clients', 'connections', 'body-memory', 'framing-strict'),
  TR8: row('security headers', 'CEJ', 'hsts', 'content-security-policy', 'no-sniffing', 'no-frames', 'xss-filter', 'referrer', 'permissions-policy', 'route-headers'),
  TR9: row('CORS', 'C', 'cors-origins', 'cors-https', 'cors-own-machine'),
  TR10: row('request ids', 'C', 'request-ids'),
  TR11: row('https', 'ELJ', 'https', 'https-enforced', 'certificates-checked', 'upstream-lines'),
  CT1: row('schemas', all, 'body-schemas', 'schemas-closed', 'body-size', 'fields-refused'),
  CT2: row('HTML', 'CJAE', 'html-sanitised'),
  CT3: row('injection', 'JA', 'injection-detected', 'requests-to-elsewhere'),
  CT4: row('personal data', 'J', 'personal-data-redacted'),
  CT5: row('moderation', 'J', 'moderation'),
  CT6: row('sandbox', 'L', 'sandbox', 'sandbox-every-wall', 'sandbox-walls', 'sandbox-required', 'sandbox-limited', 'not-root'),
  CT7: row('uploads', 'CJ', 'uploads', 'body-size'),
  CT8: row('prompt injection', '', 'prompts'),
  DP1: row('encryption of fields', 'LJA', 'fields-encrypted', 'store-file', 'store-line', 'shared-line'),
  DP2: row('conversations', 'J', 'conversations-encrypted'),
  DP3: row('masking', 'AE', 'masking'),
  DP4: row('logs without secrets', 'CL', 'logs-redacted', 'log-level', 'credentials-stay', 'identity-headers'),
  DP5: row('anonymisation', 'J', 'anonymisation'),
  DP6: row('secrets', 'LJ', 'secrets-referenced', 'root-secret', 'data-folder', 'store-password', 'letters-line'),
  AU1: row('events', 'AECLJ', 'attempts-remembered', 'record-grows', 'record-flows', 'record-gaps', 'record-down'),
  AU2: row('a record that cannot be altered quietly', 'A', 'record-chained', 'checkpoints-often', 'checkpoint-fresh', 'record-anchored', 'record-verified'),
  AU3: row('search and export', 'A', 'record-grows'),
  AU4: row('forwarding', 'JC', 'record-sent', 'sinks-take', 'log-speaks', 'metrics-closed'),
  AU5: row('reports of clients', 'C', 'client-reports'),
  AU6: row('detection', 'CJAE', 'attacks-noticed', 'places-known'),
  IN1: row('incidents', 'AE', 'incidents-seen'),
  IN2: row('playbooks', 'EA', 'playbooks'),
  IN3: row('alerts', 'EA', 'alerts', 'alerts-arrive'),
  IN4: row('reviews', 'E', 'reviews-made'),
  PR1: row('export for people', 'CLA', 'data-export'),
  PR2: row('erasure', 'CLJ', 'data-erasure'),
  PR3: row('consent', 'C', 'consent'),
  PR4: row('report on privacy', 'A', 'privacy-report', 'privacy-page'),
  PR5: row('retention', 'CLJ', 'retention'),
  CL1: row('clients keep tokens', 'CL', 'client-refresh', 'cors-origins'),
  CL2: row('clients wait and try again', 'CL', 'cors-retry', 'limit-headers', 'upstream-deadlines'),
  CL3: row('clients check forms and report', 'C', 'body-schemas', 'client-reports'),
  PO1: row('development and production', all, 'node-version', 'not-root', 'public-name', 'upstreams-used', 'upstreams-told', 'store-lasts', 'backups', 'inventory'),
}

/** The OWASP API Security Top 10 of 2023. */
export const owaspTitles = {
  API1: 'Broken Object Level Authorization',
  API2: 'Broken Authentication',
  API3: 'Broken Object Property Level Authorization',
  API4: 'Unrestricted Resource Consumption',
  API5: 'Broken Function Level Authorization',
  API6: 'Unrestricted Access to Sensitive Business Flows',
  API7: 'Server Side Request Forgery',
  API8: 'Security Misconfiguration',
  API9: 'Improper Inventory Management',
  API10: 'Unsafe Consumption of APIs',
} as const
