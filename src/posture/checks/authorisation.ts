import { type Check, either, holds, inData, none } from '../check.ts'
import type { RouteFacts } from '../facts.ts'
import { isPublic, routesThat, writes } from '../routes.ts'

/** Who may do what. */
export const authorisationChecks: readonly Check[] = [
  {
    id: 'routes-say-who',
    title: 'Every route says who may; every other path leads nowhere',
    area: 'authorisation',
    level: 'must',
    owasp: ['API5'],
    look: ({ settings }) =>
      none(
        routesThat(settings, ({ require, access }) => require === undefined && access === undefined),
        `${settings.routes.length} routes`,
        'nothing is said on',
        'routes[…].require',
      ),
  },
  {
    id: 'public-routes-read',
    title: 'Whoever is not known changes nothing',
    area: 'authorisation',
    level: 'must',
    owasp: ['API2', 'API5'],
    look: ({ settings }) =>
      none(
        routesThat(settings, (route) => isPublic(route) && route.methods !== undefined && writes(route)),
        `${routesThat(settings, isPublic).length} public routes`,
        'open to everybody',
        'routes[…].require, in place of access',
      ),
  },
  {
    id: 'public-routes-methods',
    title: 'Public routes name their methods',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5', 'API9'],
    look: ({ settings }) =>
      none(
        routesThat(settings, (route) => isPublic(route) && route.methods === undefined),
        'each does, or there is none',
        'every method is open to everybody',
        "routes[…].methods: ['GET']",
      ),
  },
  {
    id: 'writes-need-permission',
    title: 'Routes that change something demand a permission',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5'],
    look: ({ settings }) =>
      none(
        routesThat(settings, (route) => route.access === 'authenticated' && writes(route) && !isNarrowed(route)),
        'each does, or there is none',
        'being signed in is enough',
        "routes[…].require: 'a:permission'",
      ),
  },
  {
    id: 'routes-narrow',
    title: 'No one rule stands for the whole API',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5', 'API9'],
    look: ({ settings }) =>
      none(
        routesThat(settings, ({ path }) => path === '/*'),
        'each route names a part of it',
        'everything behind the house is one route',
        'a route for each path that the API has',
      ),
  },
  {
    id: 'things-are-owned',
    title: 'Routes to one thing ask whose it is, or a policy',
    area: 'authorisation',
    level: 'should',
    owasp: ['API1'],
    look: ({ settings }) =>
      none(
        routesThat(
          settings,
          (route) =>
            /\/:[^/]+/.test(route.path) && !isPublic(route) && route.credentials === undefined && !isNarrowed(route),
        ),
        'each does, or there is none',
        'whoever holds the permission reaches everybody’s',
        "routes[…].owner or resource; or owner: false, where it is nobody's",
      ),
  },
  {
    id: 'fields-are-owned',
    title: 'What is one person’s is kept from others by the answer itself, or before it is asked for',
    area: 'authorisation',
    level: 'should',
    owasp: ['API1', 'API3'],
    look: ({ settings: { routes } }) => {
      const owned = routes.filter(
        ({ owner, resource }) => (owner !== undefined && owner !== false) || resource !== undefined,
      )
      return either(
        owned.length > 0,
        `${owned.length} of ${routes.length} routes know an owner`,
        'no route knows an owner',
        "routes[…].owner: { answer: 'X-Owner-Id' }",
      )
    },
  },
  {
    id: 'credentials-stay',
    title: 'What callers show reaches no upstream',
    area: 'authorisation',
    level: 'must',
    owasp: ['API2', 'API10'],
    look: ({ settings }) =>
      none(
        routesThat(settings, ({ forwardAuthorization }) => forwardAuthorization),
        'nowhere',
        '`Authorization` is passed on',
        'leave routes[…].forwardAuthorization out',
      ),
  },
  {
    id: 'one-administrator-role',
    title: 'One role holds everything, and no other',
    area: 'authorisation',
    level: 'must',
    owasp: ['API5'],
    look: ({ settings: { roles, administrator } }) =>
      none(
        Object.entries(roles).flatMap(([name, { permissions }]) =>
          name !== administrator && permissions.includes('*') ? [name] : [],
        ),
        `\`${administrator}\`, of ${Object.keys(roles).length} roles in the configuration`,
        '`*` is held by',
        'roles.NAME.permissions: name them',
      ),
  },
  {
    id: 'roles-differ',
    title: 'People have roles of their own, beside the administrator',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5'],
    look: ({ settings: { roles, administrator } }) => {
      const names = Object.keys(roles).filter((name) => name !== administrator)
      return either(
        names.length > 0,
        names.join(', '),
        'there is no other role',
        'roles: { user: { permissions: [] } }',
      )
    },
  },
  {
    id: 'administrators-few',
    title: 'Few people administer, and more than one',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5'],
    look: inData(({ administrators: { all }, accounts }) => {
      const most = Math.max(5, Math.ceil(accounts.all / 10))
      return either(
        all >= 2 && all <= most,
        `${all} of ${accounts.all} accounts`,
        all < 2 ? `${all}: when they are away, nobody can act` : `${all} of ${accounts.all} accounts`,
        all < 2 ? 'gatehouse user grant EMAIL ROLE' : 'gatehouse user withdraw EMAIL ROLE',
      )
    }),
  },
  {
    id: 'separation-of-duty',
    title: 'Roles that nobody should have together are kept apart',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5', 'API6'],
    look: ({ settings: { separationOfDuty } }) =>
      either(
        separationOfDuty.length > 0,
        `${separationOfDuty.length} rules`,
        'no such roles are named',
        "separationOfDuty: [{ roles: ['requester', 'approver'] }]",
      ),
  },
  {
    id: 'policies-asked',
    title: 'Each policy is asked by a route, or a kind of thing',
    area: 'authorisation',
    level: 'should',
    owasp: ['API1', 'API5'],
    look: ({ settings: { policies, routes, resources } }) => {
      const asked = new Set([...routes, ...Object.values(resources)].flatMap(({ policy = [] }) => policy))
      const idle = policies.flatMap(({ name }) => (asked.has(name) ? [] : [name]))
      return none(
        idle,
        policies.length === 0 ? 'no policies: permissions alone decide' : `${policies.length} policies`,
        'nobody asks',
        'routes[…].policy',
      )
    },
  },
  {
    id: 'scopes-named',
    title: 'Clients of others come in by a scope that a route, or a permission, names',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5'],
    look: ({ settings: { oauth, routes } }) => {
      if (oauth === undefined) return holds('the house gives no tokens to clients of others')
      const used = new Set(routes.flatMap(({ scope = [], require = '' }) => [...scope, require]))
      const idle = Object.entries(oauth.scopes).flatMap(([name, { permissions = [name] }]) =>
        [name, ...permissions].some((one) => used.has(one) || one.endsWith('*')) ? [] : [name],
      )
      return none(
        idle,
        `${Object.keys(oauth.scopes).length} scopes`,
        'no route asks for',
        'take it out of oauth.scopes',
      )
    },
  },
  {
    id: 'scopes-lend-little',
    title: 'No scope lends everything',
    area: 'authorisation',
    level: 'must',
    owasp: ['API5'],
    look: ({ settings: { oauth } }) =>
      none(
        Object.entries(oauth?.scopes ?? {}).flatMap(([name, { permissions = [] }]) =>
          permissions.includes('*') ? [name] : [],
        ),
        oauth === undefined
          ? 'the house gives no tokens to clients of others'
          : `${Object.keys(oauth.scopes).length} scopes`,
        '`*` is lent by',
        'oauth.scopes.NAME.permissions: name them',
      ),
  },
  {
    id: 'upstreams-told',
    title: 'Upstreams are told who asks in a form that they can check',
    area: 'authorisation',
    level: 'should',
    owasp: ['API10'],
    look: ({ settings: { upstreams } }) =>
      none(
        Object.entries(upstreams).flatMap(([name, { assertion, signature }]) => (assertion || signature ? [] : [name])),
        `${Object.keys(upstreams).length} upstreams`,
        'by plain headers alone',
        'upstreams.NAME.assertion: true',
      ),
  },
  {
    id: 'routes-by-address',
    title: 'What only some places need is open to those places alone',
    area: 'authorisation',
    level: 'should',
    owasp: ['API5'],
    look: ({ settings }) => {
      const limited = settings.routes.filter(({ addresses }) => addresses !== undefined).length
      return either(
        limited > 0 || settings.shield.addresses?.allow !== undefined,
        `${limited} routes by address${settings.shield.addresses?.allow === undefined ? '' : ', and the whole house'}`,
        'no route asks where a request comes from',
        "routes[…].addresses: { allow: ['192.0.2.0/24'] }",
      )
    },
  },
]

/** Whether something beside being known, or holding a permission, says to whom it is open. */
function isNarrowed({ owner, resource, policy, signature, certificate, addresses }: RouteFacts): boolean {
  return [owner, resource, policy, signature, certificate, addresses].some((one) => one !== undefined)
}
