import { type Check, either, fails, holds, inData, none, unknown } from '../check.ts'
import { dayMs, minuteMs, spanText } from '../spans.ts'

/** Keys, secrets and certificates of programs, and the keys that tokens are signed with. */
export const credentialChecks: readonly Check[] = [
  {
    id: 'keys-expire',
    title: 'API keys end by themselves',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { keys } }) =>
      either(
        keys.expiry !== undefined,
        `after ${spanText(keys.expiry ?? 0)}`,
        'a key lives until somebody revokes it',
        "keys.expiry: '90d'",
      ),
  },
  {
    id: 'keys-expire-at-last',
    title: 'No API key lives for longer than a year',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { keys } }) =>
      either(
        (keys.expiryMax ?? Number.POSITIVE_INFINITY) <= 366 * dayMs,
        `${spanText(keys.expiryMax ?? 0)} at most`,
        keys.expiryMax === undefined ? 'whoever makes a key may leave it without an end' : spanText(keys.expiryMax),
        "keys.expiryMax: '365d'",
      ),
  },
  {
    id: 'keys-without-end',
    title: 'No API key is without an end',
    area: 'authentication',
    level: 'should',
    owasp: ['API2', 'API9'],
    look: inData(({ keys }) =>
      none(
        keys.withoutExpiry,
        `${keys.living} living keys`,
        'without an end',
        'gatehouse key create NAME --expires 90d in their place, and gatehouse key revoke ID',
      ),
    ),
  },
  {
    id: 'keys-owned',
    title: 'Every API key has an owner who is there',
    area: 'authentication',
    level: 'must',
    owasp: ['API9'],
    look: inData(({ keys }) =>
      none(keys.ownerless, `${keys.living} living keys`, 'their owner is locked or gone', 'gatehouse key revoke ID'),
    ),
  },
  {
    id: 'keys-in-use',
    title: 'API keys are in use',
    area: 'authentication',
    level: 'should',
    owasp: ['API9'],
    look: inData(({ keys }) =>
      none(keys.unusedFor90Days, `${keys.living} living keys`, 'unused for 90 days', 'gatehouse key revoke ID'),
    ),
  },
  {
    id: 'keys-rotated',
    title: 'API keys are younger than a year',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ keys }) =>
      none(keys.olderThanAYear, `${keys.living} living keys`, 'older than a year', 'gatehouse key rotate ID'),
    ),
  },
  {
    id: 'keys-least',
    title: 'No API key may everything',
    area: 'authorisation',
    level: 'must',
    owasp: ['API5'],
    look: inData(({ keys }) =>
      none(
        keys.allPowerful,
        `${keys.living} living keys`,
        'hold `*`',
        'make one that holds what it needs, and gatehouse key revoke ID',
      ),
    ),
  },
  {
    id: 'managed-keys',
    title: 'Keys that the house keeps are renewed within a month',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { keys } }) => {
      const all = Object.entries(keys.managed)
      const slow = all.filter(([, { rotateEvery }]) => rotateEvery > 31 * dayMs).map(([name]) => name)
      return all.length === 0
        ? holds('the house keeps no keys in files')
        : none(slow, `${all.length} keys`, 'renewed more seldom', "keys.managed.NAME.rotateEvery: '24h'")
    },
  },
  {
    id: 'signing-keys-rotate',
    title: 'Signing keys take turns',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) => {
      if (tokens.secret !== undefined)
        return fails(
          'the signing secret stands in the configuration, and is changed by hand',
          'leave tokens.secret out: the house makes and renews its own',
        )
      const { every } = tokens.rotation
      return either(
        every !== 'never' && every <= 366 * dayMs,
        every === 'never' ? '' : `every ${spanText(every)}`,
        every === 'never' ? 'never' : `every ${spanText(every)}`,
        "tokens.rotation.every: '90d'",
      )
    },
  },
  {
    id: 'signing-keys-age',
    title: 'No signing key is older than a year',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ signingKeys: { living, oldestActiveFrom } }, { now }) => {
      if (oldestActiveFrom === undefined) return unknown('no signing key lies in the store')
      const age = now - oldestActiveFrom
      return either(
        age <= 366 * dayMs,
        `${living} keys, the oldest of ${spanText(Math.max(0, age))}`,
        `the oldest is of ${spanText(age)}`,
        'gatehouse secrets rotate signing-key',
      )
    }),
  },
  {
    id: 'old-secrets',
    title: 'Secrets of services and clients are younger than a year',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: inData(({ oldSecrets }) =>
      none(oldSecrets, 'each is', 'older than a year', 'gatehouse service rotate NAME; gatehouse client add-secret ID'),
    ),
  },
  {
    id: 'services-by-key',
    title: 'Services prove themselves by keys or certificates rather than by shared secrets',
    area: 'authentication',
    level: 'should',
    owasp: ['API2', 'API10'],
    look: ({ settings: { services } }) => {
      const all = Object.entries(services)
      const shared = all.filter(
        ([, { secrets, publicKeys, certificates }]) =>
          secrets.length > 0 && publicKeys.length + certificates.length === 0,
      )
      return all.length === 0
        ? holds('the configuration names no services')
        : none(
            shared.map(([name]) => name),
            `${all.length} services`,
            'by a shared secret alone',
            'services.NAME.publicKeys, or services.NAME.certificates',
          )
    },
  },
  {
    id: 'signature-window',
    title: 'A signed request is good for five minutes at most',
    area: 'authentication',
    level: 'must',
    owasp: ['API2', 'API6'],
    look: ({ settings: { signatures } }) => {
      const all = Object.entries(signatures)
      const wide = all.filter(([, { window }]) => window > 5 * minuteMs).map(([name]) => name)
      return all.length === 0
        ? holds('no form of signature is configured')
        : none(wide, `${all.length} forms`, 'good for longer', "signatures.NAME.window: '5m'")
    },
  },
  {
    id: 'signatures-demanded',
    title: 'Each form of signature is demanded by a route',
    area: 'authentication',
    level: 'should',
    owasp: ['API9'],
    look: ({ settings: { signatures, routes } }) => {
      const demanded = new Set(routes.map(({ signature }) => signature))
      const idle = Object.keys(signatures).filter((name) => !demanded.has(name))
      return none(
        idle,
        Object.keys(signatures).length === 0 ? 'no form of signature is configured' : `${demanded.size} in use`,
        'no route demands',
        'routes[…].signature, or take the form out of `signatures`',
      )
    },
  },
  {
    id: 'client-certificates',
    title: 'Client certificates that were taken back are refused',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { listen } }) =>
      listen.tls?.clientCa === undefined
        ? holds('no client certificates are asked for on our own connections')
        : either(
            listen.tls.crl !== undefined,
            'by revocation lists',
            'no revocation list is named: a stolen key is good until its certificate ends',
            'listen.tls.crl',
          ),
  },
  {
    id: 'registration-of-clients',
    title: 'Clients do not register themselves freely',
    area: 'authentication',
    level: 'should',
    owasp: ['API6'],
    look: ({ settings: { oauth } }) => {
      if (oauth === undefined) return holds('the house gives no tokens to clients of others')
      const { access } = oauth.registration
      return either(
        access !== 'open',
        `registration of clients is \`${access}\``,
        'registration of clients is `open`',
        "oauth.registration.access: 'token'",
      )
    },
  },
  {
    id: 'clients-secrets',
    title: 'Tokens of clients are bound to a key, or the clients keep a secret',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { oauth } }) => {
      if (oauth === undefined) return holds('the house gives no tokens to clients of others')
      const loose = oauth.clients
        .filter(
          ({ secrets, jwks, jwksUri, certificate, boundTokens }) =>
            secrets.length === 0 &&
            jwks === undefined &&
            jwksUri === undefined &&
            certificate === undefined &&
            boundTokens === false,
        )
        .map(({ id }) => id)
      return none(
        loose,
        `${oauth.clients.length} clients of the configuration`,
        'whoever has a token may use it',
        'oauth.clients[…].boundTokens: true',
      )
    },
  },
  {
    id: 'clients-refresh',
    title: 'Clients of others ask again within 30 days',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { oauth } }) =>
      oauth === undefined
        ? holds('the house gives no tokens to clients of others')
        : either(
            oauth.refreshTtl <= 30 * dayMs,
            spanText(oauth.refreshTtl),
            spanText(oauth.refreshTtl),
            "oauth.refreshTtl: '30d'",
          ),
  },
  {
    id: 'clients-in-use',
    title: 'Clients of others are in use',
    area: 'authentication',
    level: 'should',
    owasp: ['API9'],
    look: inData(({ clients: { all, unused } }) =>
      either(
        unused === 0,
        `${all} clients`,
        `${unused} of ${all} have no grant and are older than 90 days`,
        'gatehouse client disable ID',
      ),
    ),
  },
]
