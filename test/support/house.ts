import { mkdtempSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/settings.ts'
import { type Listener, listen } from '../../src/endpoints/listener.ts'
import { type House, openHouse } from '../../src/house.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { type Log, silent } from '../../src/kernel/log.ts'

/** A house on a real socket, with a real store in memory, and one person in it. */
export interface TestHouse {
  readonly house: House
  readonly url: string
  readonly port: number
  readonly listener: Listener
  /** Signs in and answers the access token. */
  signIn(): Promise<string>
  close(): Promise<void>
}

export const person = { email: 'ada@example.com', name: 'Ada', password: 'a long enough passphrase' }

export async function startHouse(
  context: TestContext,
  config: Config,
  options: {
    readonly roles?: readonly string[]
    readonly clock?: Clock
    readonly log?: Log
    readonly dataDir?: string
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<TestHouse> {
  const environment = options.environment ?? {}
  const outcome = parseConfig(
    {
      store: 'sqlite::memory:',
      ...config,
      listen: { port: 0, ...config.listen },
      // Time that a test moves on looks like a thread that hangs.
      shield: { ...(options.clock !== undefined && { load: false as const }), ...config.shield },
    },
    environment,
  )
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes, null, 2))
  const house = await openHouse(outcome.settings, {
    clock: options.clock ?? systemClock,
    random: systemRandom,
    log: options.log ?? silent,
    environment,
    dataDir: options.dataDir ?? mkdtempSync(join(tmpdir(), 'gatehouse-')),
    version: 'test',
    role: 'gate',
  })
  const listener = await listen(house.gate, outcome.settings.listen, {
    log: options.log ?? silent,
    // Connections are watched by the time that passes; what a test moves on is that of certificates.
    clock: outcome.settings.listen.tls === undefined ? systemClock : (options.clock ?? systemClock),
    environment,
  })
  const created = await house.accounts.create(house.store.db, { ...person, roles: [...(options.roles ?? ['user'])] })
  if (!('account' in created) && !('taken' in created)) throw new Error(JSON.stringify(created))
  const url = `${listener.protocol}://127.0.0.1:${listener.port}`
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await listener.close(1_000)
    await house.close()
  }
  context.after(close)
  return {
    house,
    url,
    port: listener.port,
    listener,
    close,
    async signIn() {
      const response = await fetch(`${url}/api/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: person.email, password: person.password }),
      })
      if (response.status !== 200) throw new Error(`sign-in answered ${response.status}: ${await response.text()}`)
      return ((await response.json()) as { access_token: string }).access_token
    },
  }
}

/** An API to stand behind the gate. */
export async function startUpstream(
  context: TestContext,
  listener: RequestListener,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

/** Writes bytes to the port and answers every byte that comes back until the far end closes, or `quietMs` pass without one. */
export function rawExchange(port: number, bytes: string | Buffer, quietMs = 300): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    let timer: NodeJS.Timeout | undefined
    const settle = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(Buffer.concat(chunks).toString('latin1'))
    }
    const wait = (): void => {
      clearTimeout(timer)
      timer = setTimeout(settle, quietMs)
    }
    socket.on('connect', () => {
      socket.write(bytes)
      wait()
    })
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      wait()
    })
    socket.on('close', settle)
    socket.on('error', (error) => (chunks.length > 0 ? settle() : reject(error)))
  })
}

/** An API that repeats what reached it. */
export const mirror: RequestListener = (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.headers,
      raw: request.rawHeaders,
      body: Buffer.concat(chunks).toString(),
    })
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-powered-by': 'mirrors',
    })
    response.end(body)
  })
}
