import { type Check, either, fails, holds, none, onMachine, unknown } from '../check.ts'
import type { Configuration } from '../facts.ts'
import { isLoopback, isReachable, routeName } from '../routes.ts'
import { dayMs, spanText } from '../spans.ts'

/** What browsers are told, and how they come. */
export const headerChecks: readonly Check[] = [
  {
    id: 'https',
    title: 'The house is reached over https',
    area: 'headers',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings }) => {
      const { listen, publicUrl = '' } = settings
      if (listen.tls !== undefined) return holds('by TLS of its own')
      if (!isReachable(settings)) return holds('it is asked from this machine alone, without TLS')
      return either(
        publicUrl.startsWith('https:') && listen.trustedProxies.length > 0,
        `behind a proxy, as ${publicUrl}`,
        'nothing here speaks TLS, and no proxy is named that would',
        'listen.tls: { cert, key }; or publicUrl with https:// and listen.trustedProxies',
      )
    },
  },
  {
    id: 'https-enforced',
    title: 'Whoever comes without TLS is sent to https',
    area: 'headers',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings }) =>
      settings.listen.https !== undefined
        ? holds('they are')
        : either(
            !isReachable(settings),
            'it is asked from this machine alone',
            'they are answered as they come',
            "listen.https: 'required'",
          ),
  },
  {
    id: 'tls-version',
    title: 'TLS 1.2 or later, with forward secrecy',
    area: 'headers',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { listen } }) =>
      listen.tls === undefined
        ? unknown('TLS ends elsewhere, or nowhere')
        : either(
            listen.tls.minVersion === 'TLSv1.2' || listen.tls.minVersion === 'TLSv1.3',
            listen.tls.minVersion,
            listen.tls.minVersion,
            "listen.tls.minVersion: 'TLSv1.2'",
          ),
  },
  {
    id: 'certificates-last',
    title: 'Our certificates last for two weeks at least',
    area: 'headers',
    level: 'must',
    owasp: ['API8'],
    look: onMachine(({ certificates }, { now }) => {
      if (certificates.length === 0) return unknown('TLS ends elsewhere, or nowhere')
      const [first] = certificates.toSorted((a, b) => (a.validTo ?? 0) - (b.validTo ?? 0))
      const { path = '', validTo } = first ?? {}
      if (validTo === undefined)
        return fails(`\`${path}\` cannot be read`, 'listen.tls.cert: the path of a certificate')
      const left = validTo - now
      return either(
        left >= 14 * dayMs,
        `for ${spanText(left)}`,
        left <= 0 ? 'one has ended' : `one ends in ${spanText(left)}`,
        'renew it in its place: the house reads it by itself',
      )
    }),
  },
  header(
    'hsts',
    'must',
    'Strict-Transport-Security',
    'Browsers come over https for a year',
    (value) => Number(/(?:^|[;\s])max-age=(\d+)/i.exec(value)?.[1] ?? 0) >= 31_536_000,
  ),
  header(
    'content-security-policy',
    'must',
    'Content-Security-Policy',
    'Pages run nothing that is not theirs',
    (value) => !/unsafe-(?:inline|eval)|(?:default|script)-src[^;]*\s\*(?:[\s;]|$)/.test(value),
  ),
  header('no-sniffing', 'must', 'X-Content-Type-Options', 'Answers are what they say', (value) => value === 'nosniff'),
  header('no-frames', 'must', 'X-Frame-Options', 'Nobody frames the house', (value) =>
    /^(?:deny|sameorigin)$/i.test(value),
  ),
  header(
    'xss-filter',
    'should',
    'X-XSS-Protection',
    'Old browsers’ filter is set as the systems have it',
    (value) => value === '0' || value.startsWith('1'),
  ),
  header('referrer', 'should', 'Referrer-Policy', 'Addresses are not told to strangers', (value) =>
    /^(?:no-referrer|same-origin|strict-origin|strict-origin-when-cross-origin)$/.test(value),
  ),
  header('permissions-policy', 'should', 'Permissions-Policy', 'Camera, microphone and place are off', (value) =>
    ['camera=()', 'microphone=()', 'geolocation=()'].every((part) => value.includes(part)),
  ),
  {
    id: 'route-headers',
    title: 'No route takes security headers away',
    area: 'headers',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { routes } }) =>
      none(
        routes.filter(({ headers = {} }) => Object.values(headers).includes(false)).map(routeName),
        'none does',
        'some are left to the upstream',
        'routes[…].headers: a text in place of `false`',
      ),
  },
  {
    id: 'cors-origins',
    title: 'Only named origins read answers',
    area: 'headers',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { cors } }) =>
      cors === undefined
        ? holds('no other origin reads any')
        : either(
            !cors.origins.includes('*'),
            `${cors.origins.length} origins`,
            'every page reads them',
            "cors.origins: ['https://app.example.com']",
          ),
  },
  {
    id: 'cors-https',
    title: 'Pages that read answers came over https',
    area: 'headers',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { cors } }) =>
      none(
        (cors?.origins ?? []).filter((origin) => {
          const url = URL.canParse(origin) ? new URL(origin) : undefined
          return url?.protocol === 'http:' && !isLoopback(url.hostname)
        }),
        cors === undefined ? 'no other origin reads any' : `${cors.origins.length} origins`,
        'whoever stands between can act there',
        'cors.origins: with https://',
      ),
  },
  {
    id: 'cors-own-machine',
    title: 'Pages of developers’ machines read no answers with cookies',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings }) =>
      none(
        settings.cors?.credentials === true && isReachable(settings)
          ? settings.cors.origins.filter((origin) => URL.canParse(origin) && isLoopback(new URL(origin).hostname))
          : [],
        settings.cors === undefined
          ? 'no other origin reads any'
          : 'none does, or the house is on such a machine itself',
        'any program there acts as the person',
        'take it out of cors.origins',
      ),
  },
  {
    id: 'cors-retry',
    title: 'Pages of other origins are told when to come again',
    area: 'headers',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { cors } }) =>
      cors === undefined
        ? holds('no other origin reads any')
        : either(
            cors.exposed.some((name) => name.toLowerCase() === 'retry-after'),
            '`Retry-After` is exposed',
            '`Retry-After` is not exposed: clients cannot wait as they are asked to',
            "cors.exposed: ['X-Request-ID', 'Retry-After']",
          ),
  },
]

function header(
  id: string,
  level: Check['level'],
  name: string,
  title: string,
  isGood: (value: string) => boolean,
): Check {
  return {
    id,
    title: `${title} (\`${name}\`)`,
    area: 'headers',
    level,
    owasp: ['API8'],
    look({ settings }) {
      const value = settingOf(settings, name)
      if (value === undefined) return holds('as the house has it')
      if (value === false) return fails('left to the upstream', `take \`${name}\` out of \`headers\``)
      return either(isGood(value), `\`${value}\``, `\`${value}\``, `take \`${name}\` out of \`headers\``)
    },
  }
}

/** What a configuration makes of it; undefined where it says nothing, and the house's own stands. */
function settingOf({ headers }: Configuration, name: string): string | false | undefined {
  const lower = name.toLowerCase()
  return Object.entries(headers).findLast(([given]) => given.toLowerCase() === lower)?.[1]
}
