import { type Check, either, fails, holds, none, onMachine, unknown } from '../check.ts'
import { isLoopback } from '../routes.ts'

/** Where data lies and by which way it goes. */
export const protectionChecks: readonly Check[] = [
  {
    id: 'root-secret',
    title: 'The root secret is the owner’s alone',
    area: 'data',
    level: 'must',
    owasp: ['API8'],
    look: onMachine(({ rootSecret: { from, mode = 0 } }) => {
      if (from === 'nowhere') return unknown('there is none yet: the first start makes it')
      if (from === 'environment') return holds('from GATEHOUSE_SECRET')
      return either(
        (mode & 0o077) === 0,
        `a file of mode ${octal(mode)}`,
        `a file of mode ${octal(mode)}`,
        'chmod 600 data/root.key',
      )
    }),
  },
  {
    id: 'data-folder',
    title: 'The data folder is closed to others',
    area: 'data',
    level: 'must',
    owasp: ['API8'],
    look: onMachine(({ dataMode }) =>
      dataMode === undefined
        ? unknown('there is none yet: the first start makes it')
        : either((dataMode & 0o027) === 0, `mode ${octal(dataMode)}`, `mode ${octal(dataMode)}`, 'chmod 700 data'),
    ),
  },
  {
    id: 'store-file',
    title: 'The store is closed to others',
    area: 'data',
    level: 'must',
    owasp: ['API8'],
    look: onMachine(({ storeMode }, { settings }) => {
      if (settings.store?.startsWith('postgres') === true) return holds('it is a server')
      if (storeMode === undefined) return unknown('there is no file yet, or it is in memory')
      return either(
        (storeMode & 0o077) === 0,
        `mode ${octal(storeMode)}`,
        `mode ${octal(storeMode)}`,
        'chmod 600 data/gatehouse.db',
      )
    }),
  },
  {
    id: 'store-password',
    title: 'The configuration holds no password of the store',
    area: 'data',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { store } }) =>
      either(
        passwordIn(store) === '',
        store === undefined ? 'SQLite in the data folder' : 'none stands in `store`',
        'it stands in `store`, in clear',
        'take it out of `store`, and set PGPASSWORD or a .pgpass file',
      ),
  },
  {
    id: 'store-line',
    title: 'The way to the store is private',
    area: 'data',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { store } }) => {
      const url = store?.startsWith('postgres') === true && URL.canParse(store) ? new URL(store) : undefined
      if (url === undefined || isLoopback(url.hostname) || url.hostname === '') return holds('it is on this machine')
      const mode = url.searchParams.get('sslmode') ?? 'none'
      return either(
        ['require', 'verify-ca', 'verify-full'].includes(mode),
        `sslmode=${mode}`,
        `sslmode is \`${mode}\``,
        'add ?sslmode=verify-full to `store`',
      )
    },
  },
  {
    id: 'shared-line',
    title: 'The way to the shared count is private, and asks for a password',
    area: 'data',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { shared } }) => {
      if (shared === undefined) return holds('there is none')
      const url = new URL(shared.url)
      if (url.password !== '')
        return fails('its password stands in `shared.url`, in clear', "shared.password: env('REDIS_PASSWORD')")
      if (isLoopback(url.hostname)) return holds('it is on this machine')
      return either(
        url.protocol === 'rediss:' && shared.password !== undefined,
        'TLS, with a password',
        `${url.protocol === 'rediss:' ? 'TLS' : 'in clear'}, ${shared.password === undefined ? 'without a password' : 'with a password'}`,
        "shared: { url: 'rediss://…', password: env('REDIS_PASSWORD') }",
      )
    },
  },
  {
    id: 'upstream-lines',
    title: 'The way to upstreams on other machines is private',
    area: 'data',
    level: 'should',
    owasp: ['API8', 'API10'],
    look: ({ settings: { upstreams } }) =>
      none(
        Object.entries(upstreams).flatMap(([name, { url }]) => {
          const { protocol, hostname } = new URL(url)
          return protocol === 'http:' && !isLoopback(hostname) ? [name] : []
        }),
        `${Object.keys(upstreams).length} upstreams, over https or on this machine`,
        'in clear over a network',
        "upstreams.NAME.url: 'https://…'",
      ),
  },
  {
    id: 'secrets-referenced',
    title: 'Secrets come from the environment or from files',
    area: 'data',
    level: 'must',
    owasp: ['API8'],
    look: ({ settings: { tokens, mail, shared, oauth, services, identity } }) => {
      const named = [
        tokens.secret,
        ...tokens.previousSecrets,
        mail?.smtp?.password,
        shared?.password,
        ...(oauth?.clients ?? []).flatMap(({ secrets }) => secrets),
        ...Object.values(services).flatMap(({ secrets }) => secrets),
        ...Object.values(identity.providers).map(({ clientSecret }) => clientSecret),
      ].filter((one) => one !== undefined)
      const inline = named.filter((one) => !('env' in one || 'file' in one)).length
      return either(
        inline === 0,
        `${named.length} secrets, none in the configuration itself`,
        `${inline} of ${named.length} stand in the configuration`,
        "env('NAME'), or file('/path')",
      )
    },
  },
  {
    id: 'letters-line',
    title: 'Letters leave by a private line',
    area: 'data',
    level: 'should',
    owasp: ['API8'],
    look: ({ settings: { mail } }) => {
      const smtp = mail?.smtp
      if (smtp === undefined) return holds('no mail server is asked')
      return either(
        smtp.security !== 'none' || isLoopback(smtp.host),
        smtp.security,
        'in clear',
        "mail.smtp.security: 'starttls'",
      )
    },
  },
  {
    id: 'certificates-checked',
    title: 'Certificates of others are checked',
    area: 'data',
    level: 'must',
    owasp: ['API8', 'API10'],
    look: onMachine(({ trustsEveryCertificate }) =>
      either(
        !trustsEveryCertificate,
        'by the authorities that this machine knows',
        'NODE_TLS_REJECT_UNAUTHORIZED=0: whoever stands between is believed',
        'unset NODE_TLS_REJECT_UNAUTHORIZED, and name the authority in NODE_EXTRA_CA_CERTS',
      ),
    ),
  },
]

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

function passwordIn(store: string | undefined): string {
  return store !== undefined && !store.startsWith('sqlite:') && URL.canParse(store) ? new URL(store).password : ''
}
