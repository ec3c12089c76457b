// A house that speaks TLS itself, and clients that connect to it in every way.
import { writeFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Config } from '../../src/config/settings.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import type { Authority, Identity } from './certificates.ts'
import { throwAwayFolder } from './folder.ts'
import { mirror, startHouse, startUpstream, type TestHouse } from './house.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface TlsHouse extends TestHouse {
  readonly folder: string
  /** Writes one of the files that the house reads, and answers its path. */
  write(name: string, text: string): string
  /** One request on a connection of its own, unless an agent is given. */
  ask(path: string, options?: RequestOptions): Promise<Answer>
  /** A connection with TLS on it. */
  connect(options?: ConnectionOptions): Promise<TLSSocket>
  /** What was logged so far. */
  readonly logged: readonly { readonly level: string; readonly message: string; readonly fields: LogFields }[]
}

type TlsConfig = NonNullable<NonNullable<Config['listen']>['tls']>

/** What stands in `listen.tls` beside certificate and key. The files are given by what they hold: `ca.pem`, and `crl.pem`. */
type Tls = Omit<TlsConfig, 'cert' | 'key' | 'crl'> & { readonly crl?: string }

export async function startTlsHouse(
  context: TestContext,
  authority: Authority,
  {
    tls = {},
    config = {},
    server,
    clock,
  }: { readonly tls?: Tls; readonly config?: Config; readonly server?: Identity; readonly clock?: Clock } = {},
): Promise<TlsHouse> {
  const folder = throwAwayFolder(context)
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const { cert, key } = server ?? (await authority.issue({ dns: ['localhost'], addresses: ['127.0.0.1'] }))
  const logged: { level: string; message: string; fields: LogFields }[] = []
  const line =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void logged.push({ level, message, fields })
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const upstream = await startUpstream(context, mirror)
  const house = await startHouse(
    context,
    {
      upstreams: { api: upstream.url },
      limits: false,
      routes: [
        { path: '/open', access: 'public', to: 'api' },
        ...(tls.clientCa === undefined
          ? []
          : [{ path: '/known', access: 'authenticated', certificate: 'required', to: 'api' } as const]),
      ],
      services: { billing: { certificates: [{ dns: 'billing.internal' }] } },
      ...config,
      listen: {
        ...config.listen,
        tls: {
          cert: write('server.pem', cert),
          key: write('server.key', key),
          ...tls,
          ...(tls.clientCa === undefined ? {} : { clientCa: write('ca.pem', tls.clientCa) }),
          ...(tls.crl === undefined ? {} : { crl: write('crl.pem', tls.crl) }),
        },
      },
    },
    { log, ...(clock === undefined ? {} : { clock }) },
  )
  const base = { host: '127.0.0.1', port: house.port, ca: authority.cert, servername: 'localhost' }
  return {
    ...house,
    folder,
    write,
    logged,
    ask(path, options = {}) {
      return new Promise((resolve, reject) => {
        const agent = options.agent ?? new Agent({ maxCachedSessions: 0 })
        const outgoing = request({ ...base, path, agent, ...options }, (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (text: string) => (body += text))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
          response.on('error', reject)
        })
        outgoing.on('error', reject)
        outgoing.end()
      })
    },
    connect(options = {}) {
      return new Promise((resolve, reject) => {
        const socket = connect({ ...base, ...options }, () => resolve(socket))
        socket.on('error', reject)
        context.after(() => socket.destroy())
      })
    },
  }
}

/** The service that the upstream was told is asking. */
export function serviceIn({ body }: Answer): string | undefined {
  return (JSON.parse(body) as { headers: Record<string, string | undefined> }).headers['x-gatehouse-service']
}
