import { type Check, either, holds, none } from '../check.ts'
import { isReachable, routesThat } from '../routes.ts'
import { dayMs, hourMs, minuteMs, spanText } from '../spans.ts'

/** How long a proof lasts, and what it is written in. */
export const sessionChecks: readonly Check[] = [
  {
    id: 'access-token-life',
    title: 'An access token lives for an hour at most',
    area: 'authentication',
    level: 'must',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) =>
      either(
        tokens.accessTtl <= hourMs,
        spanText(tokens.accessTtl),
        spanText(tokens.accessTtl),
        "tokens.accessTtl: '15m'",
      ),
  },
  {
    id: 'refresh-token-life',
    title: 'A family of refresh tokens lives for 30 days at most, and 14 without a sign of life',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) => {
      const found = `${spanText(tokens.refreshTtl)}, unused ${spanText(tokens.refreshIdle)}`
      return either(
        tokens.refreshTtl <= 30 * dayMs && tokens.refreshIdle <= 14 * dayMs,
        found,
        found,
        "tokens: { refreshTtl: '30d', refreshIdle: '14d' }",
      )
    },
  },
  {
    id: 'refresh-grace',
    title: 'A spent refresh token is good for seconds, and for an honest retry alone',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) =>
      either(
        tokens.refreshGrace <= 30_000,
        spanText(tokens.refreshGrace),
        spanText(tokens.refreshGrace),
        "tokens.refreshGrace: '10s'",
      ),
  },
  {
    id: 'client-refresh',
    title: 'Tokens live long enough to be refreshed five minutes before they end',
    area: 'development',
    level: 'should',
    owasp: [],
    look: ({ settings: { tokens } }) =>
      either(
        tokens.accessTtl > 5 * minuteMs,
        spanText(tokens.accessTtl),
        `${spanText(tokens.accessTtl)}: a client that refreshes five minutes before asks all the time`,
        "tokens.accessTtl: '15m'",
      ),
  },
  {
    id: 'token-algorithm',
    title: 'Whoever verifies tokens cannot make them',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) =>
      either(
        tokens.algorithm !== 'HS256',
        tokens.algorithm,
        '`HS256`: who has the secret to verify with can sign with it',
        "tokens.algorithm: 'EdDSA'",
      ),
  },
  {
    id: 'token-names',
    title: 'Tokens name this house and whom they are for',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { tokens } }) => {
      const found = `issuer \`${tokens.issuer}\`, audience \`${tokens.audience}\``
      return either(
        tokens.issuer !== 'gatehouse' || tokens.audience !== 'gatehouse',
        found,
        `${found}: those of every house that says nothing else`,
        'tokens.issuer: the name of this system',
      )
    },
  },
  {
    id: 'session-idle',
    title: 'A browser that does nothing is signed out within an hour',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { identity } }) =>
      either(
        identity.session.idle <= hourMs,
        spanText(identity.session.idle),
        spanText(identity.session.idle),
        "identity.session.idle: '1h'",
      ),
  },
  {
    id: 'session-life',
    title: 'A browser signs in again within a day',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { identity } }) =>
      either(
        identity.session.absolute <= dayMs,
        spanText(identity.session.absolute),
        spanText(identity.session.absolute),
        "identity.session.absolute: '24h'",
      ),
  },
  {
    id: 'session-cookie',
    title: 'The session cookie stays on our own pages',
    area: 'authentication',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { identity } }) =>
      either(
        identity.session.sameSite === 'strict',
        'SameSite=Strict, beside `__Host-`, Secure and HttpOnly',
        'SameSite=Lax',
        "identity.session.sameSite: 'strict'",
      ),
  },
  {
    id: 'recent-sign-in',
    title: 'Whoever changes what proves them has signed in within 15 minutes',
    area: 'authentication',
    level: 'should',
    owasp: ['API2', 'API6'],
    look: ({ settings: { identity } }) =>
      either(
        identity.session.recent <= 15 * minuteMs,
        spanText(identity.session.recent),
        spanText(identity.session.recent),
        "identity.session.recent: '10m'",
      ),
  },
  {
    id: 'step-up',
    title: 'Routes that delete ask for a recent or strong sign-in',
    area: 'authentication',
    level: 'should',
    owasp: ['API6'],
    look: ({ settings }) =>
      none(
        routesThat(
          settings,
          ({ methods, access, recent, strength }) =>
            access !== 'public' &&
            methods?.includes('DELETE') === true &&
            recent === undefined &&
            strength === undefined,
        ),
        'each route that names `DELETE` does, or there is none',
        'any sign-in will do on',
        "routes[…].recent: '15m', or strength: 'multi-factor'",
      ),
  },
  {
    id: 'public-address',
    title: 'The house knows its public address: links, cookies and passkeys are made for it',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings }) =>
      settings.publicUrl !== undefined
        ? holds(settings.publicUrl)
        : either(
            !isReachable(settings),
            'it is asked from this machine alone',
            'nobody said it',
            "publicUrl: 'https://gate.example.com'",
          ),
  },
]
