import { join } from 'node:path'
import { programAt } from './machine.ts'

/** What a contestant is given to run with. */
export interface Place {
  readonly port: number
  readonly upstreamPort: number
  /** The HS256 secret that all of them verify with. */
  readonly secret: string
  /** A folder of its own, empty. */
  readonly dataDir: string
  readonly admin: { readonly email: string; readonly password: string }
}

export interface Contestant {
  readonly name: string
  /** As it is called in the results. */
  readonly title: string
  /** Whether it asks for a token, holds a limit and sets headers; only the yardstick does not. */
  readonly guarded: boolean
  /** `packages`: those of bench/package.json; else a program of the system. */
  readonly needs?: 'packages' | 'haproxy'
  readonly command: (place: Place) => readonly string[]
  /** How to come by a token, where it takes only its own. */
  readonly signIn?: (place: Place) => Promise<string>
}

/** In the order in which they take turns. */
export const contestants: readonly Contestant[] = [
  {
    name: 'bare',
    title: 'the same server with no checks',
    guarded: false,
    command: () => [process.execPath, here('bare.ts')],
  },
  {
    name: 'gatehouse',
    title: '**Gatehouse**, the whole way',
    guarded: true,
    command: ({ port, dataDir }) => [
      process.execPath,
      here('../src/main.ts'),
      'start',
      '--config',
      here('gatehouse.config.ts'),
      '--port',
      String(port),
      '--data',
      dataDir,
    ],
    signIn: logIn,
  },
  {
    name: 'fastify',
    title: 'Fastify + jwt, helmet, cors, rate-limit, http-proxy',
    guarded: true,
    needs: 'packages',
    command: () => [process.execPath, here('fastify.mjs')],
  },
  {
    name: 'express',
    title: 'Express + helmet, cors, express-rate-limit, express-jwt, http-proxy-middleware',
    guarded: true,
    needs: 'packages',
    command: () => [process.execPath, here('express.mjs')],
  },
  {
    name: 'haproxy',
    title: 'HAProxy, JWT, stick table, headers',
    guarded: true,
    needs: 'haproxy',
    command: () => [programAt('haproxy') ?? 'haproxy', '-db', '-f', here('haproxy.cfg')],
  },
]

function here(path: string): string {
  return join(import.meta.dirname, path)
}

/** The environment that all of them read. */
export function environmentOf({ port, upstreamPort, secret, admin }: Place): Record<string, string> {
  return {
    BENCH_PORT: String(port),
    BENCH_UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    BENCH_UPSTREAM_PORT: String(upstreamPort),
    BENCH_SECRET: secret,
    GATEHOUSE_ADMIN_EMAIL: admin.email,
    GATEHOUSE_ADMIN_PASSWORD: admin.password,
  }
}

async function logIn({ port, admin }: Place): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(admin),
  })
  if (answer.status !== 200)
    throw new Error(`gatehouse: expected 200 for the sign-in, got ${answer.status}: ${await answer.text()}`)
  const { access_token: token } = (await answer.json()) as { access_token: string }
  return token
}
