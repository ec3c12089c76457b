// An https server as a client of other people's may have one: well-behaved, or not.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { throwAwayFolder } from './folder.ts'

export interface HttpsServer {
  readonly port: number
  /** The certificate that vouches for it. */
  readonly ca: string
  /** How many have connected. */
  readonly connections: number
  readonly requests: readonly IncomingMessage[]
}

/** Answers for these names, with a certificate of its own. */
export async function startHttps(
  context: TestContext,
  answer: RequestListener,
  {
    names = ['*.client.example'],
    host = '127.0.0.1',
    port = 0,
    like,
  }: {
    readonly names?: readonly string[]
    readonly host?: string
    readonly port?: number
    /** Another whose certificate it has too. */
    readonly like?: HttpsServer
  } = {},
): Promise<HttpsServer> {
  const identity = like === undefined ? certificate(context, names) : (identities.get(like.ca) as Identity)
  identities.set(identity.cert, identity)
  const requests: IncomingMessage[] = []
  let connections = 0
  const server = createServer(identity, (request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    ca: identity.cert,
    requests,
    get connections() {
      return connections
    },
  }
}

interface Identity {
  readonly key: string
  readonly cert: string
}

const identities = new Map<string, Identity>()

function certificate(context: TestContext, names: readonly string[]): Identity {
  const folder = throwAwayFolder(context)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = names.map((name) => `${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`).join()
  execFileSync(
    'openssl',
    // biome-ignore format: a command line
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert, '-subj', '/CN=client', '-addext', `subjectAltName=${subject}`],
    { stdio: 'ignore' },
  )
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
