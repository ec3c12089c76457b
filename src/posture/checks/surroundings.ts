import { type Check, either, fails, holds, none, onMachine } from '../check.ts'
import { isLoopback, isReachable } from '../routes.ts'

/** Where the house runs, and whether what was good for trying it out is gone. */
export const surroundingChecks: readonly Check[] = [
  {
    id: 'node-version',
    title: 'Node.js is one that the house is made for',
    area: 'production',
    level: 'must',
    owasp: ['API8'],
    look: onMachine(({ nodeVersion }) =>
      either(Number(nodeVersion.split('.')[0]) >= 24, nodeVersion, nodeVersion, 'Node.js 24 or later'),
    ),
  },
  {
    id: 'not-root',
    title: 'The house does not run as root',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: onMachine(({ isRoot }) =>
      isRoot === undefined
        ? holds('this machine has no such user')
        : either(
            !isRoot,
            'it does not',
            'whoever asks now is root',
            'a user of its own; ports below 1024 by CAP_NET_BIND_SERVICE',
          ),
    ),
  },
  {
    id: 'log-level',
    title: 'The log is not that of a developer',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { log } }) => either(log.level !== 'debug', log.level, 'debug', "log.level: 'info'"),
  },
  {
    id: 'log-speaks',
    title: 'The log says what is refused',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { log } }) =>
      either(log.level === 'info' || log.level === 'debug', log.level, log.level, "log.level: 'info'"),
  },
  {
    id: 'real-letters',
    title: 'Letters go to people, not into a folder',
    area: 'production',
    level: 'should',
    owasp: ['API2'],
    look: ({ settings: { mail } }) =>
      either(
        mail?.folder === undefined,
        mail === undefined ? 'there are none' : 'by a mail server',
        'into a folder, with the links that sign in',
        'mail.smtp, in place of mail.folder',
      ),
  },
  {
    id: 'public-name',
    title: 'The public address is not that of a developer’s machine',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { publicUrl, listen } }) =>
      publicUrl === undefined || isLoopback(listen.host)
        ? holds(publicUrl ?? 'none is set')
        : either(
            !isLoopback(new URL(publicUrl).hostname),
            publicUrl,
            `${publicUrl}, and the house listens on ${listen.host}`,
            "publicUrl: 'https://gate.example.com'",
          ),
  },
  {
    id: 'real-certificate',
    title: 'Our certificate is not one to try TLS with',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: onMachine(({ certificates }) =>
      none(
        certificates.flatMap(({ path, subject }) =>
          /gatehouse|localhost|\bdev(?:elopment)?\b/i.test(subject) ? [path] : [],
        ),
        certificates.length === 0 ? 'TLS ends elsewhere, or nowhere' : `${certificates.length} certificates`,
        'made by `gatehouse certs dev`, or for this machine',
        'listen.tls.cert: one of an authority that clients know',
      ),
    ),
  },
  {
    id: 'upstreams-used',
    title: 'Each upstream is asked by a route',
    area: 'production',
    level: 'should',
    owasp: ['API9'],
    look: ({ settings: { upstreams, routes } }) => {
      const asked = new Set(routes.map(({ to }) => to))
      return none(
        Object.keys(upstreams).filter((name) => !asked.has(name)),
        `${Object.keys(upstreams).length} upstreams`,
        'no route leads to',
        'take it out of `upstreams`',
      )
    },
  },
  {
    id: 'routes-there',
    title: 'There is something behind the house',
    area: 'development',
    level: 'should',
    owasp: ['API9'],
    look: ({ settings: { routes } }) =>
      either(
        routes.length > 0,
        `${routes.length} routes`,
        'no routes: everything but the house’s own endpoints is closed',
        "routes: [{ path: '/api/tasks', require: 'task:read', to: 'api' }]",
      ),
  },
  {
    id: 'roles-used',
    title: 'Each permission that a route demands is held by a role',
    area: 'development',
    level: 'should',
    owasp: ['API5'],
    look: ({ settings: { routes, roles, services } }) => {
      const held = [...Object.values(roles), ...Object.values(services)].flatMap(({ permissions }) => permissions)
      const covered = (wanted: string): boolean =>
        held.some((one) => one === wanted || (one.endsWith(':*') && wanted.startsWith(one.slice(0, -1))))
      const demanded = [...new Set(routes.flatMap(({ require = [] }) => require))]
      return none(
        demanded.filter((one) => !covered(one)),
        `${demanded.length} permissions`,
        'only the administrator holds',
        'roles.NAME.permissions',
      )
    },
  },
  {
    id: 'store-for-nodes',
    title: 'The store fits the number of nodes',
    area: 'production',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { store, shared } }) =>
      shared === undefined || store?.startsWith('postgres') === true
        ? holds(store?.startsWith('postgres') === true ? 'PostgreSQL' : 'SQLite, for one node')
        : fails(
            'SQLite, with a shared count: nodes that share it would each have a store of their own',
            "store: 'postgres://…'",
          ),
  },
  {
    id: 'store-lasts',
    title: 'The store outlives a restart',
    area: 'production',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { store } }) =>
      either(
        store !== 'sqlite::memory:',
        store === undefined ? 'SQLite in the data folder' : (store.split(':')[0] ?? ''),
        'it is in memory: accounts, keys and the record are gone with the process',
        "store: 'sqlite:./data/gatehouse.db'",
      ),
  },
  {
    id: 'backups',
    title: 'Store and root secret are kept elsewhere too, apart from each other',
    area: 'production',
    level: 'should',
    owasp: ['API8'],
    look: () => ({ outcome: 'unknown', found: 'backups are made outside of the house' }),
  },
  {
    id: 'privacy-page',
    title: 'People find what is done with their data',
    area: 'compliance',
    level: 'should',
    owasp: [],
    look: ({ settings }) =>
      settings.identity.registration === 'closed' && !isReachable(settings)
        ? holds('nobody registers, and the house is asked from this machine alone')
        : either(
            settings.pages.links.privacy !== undefined,
            settings.pages.links.privacy ?? '',
            'no page is named',
            "pages.links.privacy: '/privacy'",
          ),
  },
]
