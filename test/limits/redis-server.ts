// Redis servers to count in: the one that tests share, and such as a test may stop, slow and restart.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { Redis } from 'ioredis'
import { throwAwayFolder } from '../support/folder.ts'
import { freePort } from '../support/port.ts'

/** The server that tests share. Whoever uses it keeps to a prefix of their own. */
export const sharedServer = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379'

/** A prefix that nobody else has. Its keys are gone when the test is. */
export function throwAwayPrefix(context: TestContext): string {
  const prefix = `gatehouse-test-${randomBytes(6).toString('hex')}`
  context.after(async () => {
    const redis = new Redis(sharedServer)
    const keys = await keysOf(redis, prefix)
    if (keys.length > 0) await redis.unlink(keys)
    redis.disconnect()
  })
  return prefix
}

/** Every key of a house. */
export async function keysOf(redis: Redis, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
    const [next, some] = await redis.scan(cursor, 'MATCH', `{${prefix}}:*`, 'COUNT', 1_000)
    keys.push(...some)
    cursor = next
  }
  return keys
}

export interface OwnServer {
  readonly url: string
  readonly port: number
  /** A connection for what a test does to the server. */
  readonly admin: Redis
  /** Kills it: it has no time to say goodbye. */
  kill(): Promise<void>
  /** Starts it again at its old place. Its counts are gone. */
  restart(): Promise<void>
}

/** A server of one test, with options of `redis-server` after the usual ones. */
export async function ownServer(context: TestContext, ...options: readonly string[]): Promise<OwnServer> {
  const port = await freePort()
  const folder = throwAwayFolder(context)
  const password = options[options.indexOf('--requirepass') + 1]
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
    ...(options.includes('--requirepass') && password !== undefined ? { password } : {}),
  })
  admin.on('error', () => {})
  let child: ChildProcess
  const start = async () => {
    const usual = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    child = spawn('redis-server', [...usual, ...options], { stdio: 'ignore' })
    await Promise.race([
      admin.ping(),
      once(child, 'exit').then(([code]) => {
        throw new Error(`redis-server ended with ${code}`)
      }),
    ])
  }
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await start()
  context.after(async () => {
    admin.disconnect()
    await kill()
  })
  return { url: `redis://127.0.0.1:${port}`, port, admin, kill, restart: start }
}
