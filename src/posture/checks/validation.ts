import { type Check, either, none } from '../check.ts'
import { routeName, routesThat, takesBody } from '../routes.ts'

const mb = 1024 * 1024

/** What a request may hold. */
export const validationChecks: readonly Check[] = [
  {
    id: 'body-schemas',
    title: 'Bodies are held against a schema',
    area: 'validation',
    level: 'should',
    owasp: ['API3', 'API8'],
    look: ({ settings }) => {
      const taking = settings.routes.filter(takesBody)
      return none(
        taking.filter(({ body }) => body === undefined).map(routeName),
        `${taking.length} routes that take one`,
        'no schema on',
        'routes[…].body: a JSON Schema',
      )
    },
  },
  {
    id: 'schemas-closed',
    title: 'Schemas refuse fields that they do not know',
    area: 'validation',
    level: 'should',
    owasp: ['API3'],
    look: ({ settings }) =>
      none(
        routesThat(settings, ({ body }) => body !== undefined && !isClosed(body as Readonly<Record<string, unknown>>)),
        'each does, or there is none',
        'whatever else is sent reaches the API',
        'routes[…].body: { additionalProperties: false, … }',
      ),
  },
  {
    id: 'body-size',
    title: 'A body has 100 MB at most',
    area: 'validation',
    level: 'must',
    owasp: ['API4'],
    look: ({ settings }) => {
      const found = `${sizeText(settings.bodyMax)} where a route says nothing else`
      return settings.bodyMax > 100 * mb
        ? either(false, '', found, "bodyMax: '10mb'")
        : none(
            routesThat(settings, ({ bodyMax = 0 }) => bodyMax > 100 * mb),
            found,
            'more on',
            "routes[…].bodyMax: '100mb'",
          )
    },
  },
  {
    id: 'body-memory',
    title: 'Bodies that are read whole take 1 GB together at most',
    area: 'validation',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { bodyMemory } }) =>
      either(bodyMemory <= 1024 * mb, sizeText(bodyMemory), sizeText(bodyMemory), "bodyMemory: '256mb'"),
  },
  {
    id: 'identity-headers',
    title: 'Headers by which an API knows people come from the house alone',
    area: 'validation',
    level: 'should',
    owasp: ['API2', 'API8'],
    look: ({ settings: { identityHeaders } }) =>
      either(
        identityHeaders.length > 0,
        ['X-Gatehouse-', ...identityHeaders].map((name) => `\`${name}*\``).join(', '),
        'only `X-Gatehouse-*` is taken off; an API that reads others, such as `X-User`, would believe callers',
        "identityHeaders: ['X-User']",
      ),
  },
  {
    id: 'trusted-proxies',
    title: 'Only named proxies say where a request comes from',
    area: 'validation',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { listen } }) =>
      none(
        listen.trustedProxies.filter((network) => /\/0$/.test(network)),
        listen.trustedProxies.join(', ') || 'no proxy is believed',
        'everybody is believed',
        "listen.trustedProxies: ['10.0.0.0/8']",
      ),
  },
]

/** Of a schema that is put together of others, the whole says it. */
function isClosed(schema: Readonly<Record<string, unknown>>): boolean {
  const isObject = schema['type'] === 'object' || 'properties' in schema
  return !isObject || schema['additionalProperties'] === false || schema['unevaluatedProperties'] === false
}

function sizeText(bytes: number): string {
  return bytes >= mb ? `${Math.round(bytes / mb)} MB` : `${Math.ceil(bytes / 1024)} KB`
}
