import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/error.ts'
import type { Secret } from '../kernel/secret.ts'

/** Where a Redis is. */
export interface RedisPlace {
  /** `redis://` or `rediss://`, host, port and number of the database; a user and a password where it wants them. */
  readonly url: string
  /** In place of one in the address. */
  readonly password: Secret | undefined
  /** A file with the certificate of the authority that signed the server's. */
  readonly ca: string | undefined
  /** A cluster, of which the address names one node. */
  readonly cluster: boolean
}

/** A program that runs inside Redis, all of it or nothing, while nobody else is served. */
export interface Script {
  readonly text: string
  /** SHA-1: by which Redis knows it. */
  readonly sha: string
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** One connection to Redis. It comes back by itself, as often as it takes, and never keeps anybody waiting for that. */
export interface Redis {
  /** Host and port, without credentials. */
  readonly server: string
  /** The answer, its texts as bytes, in time; else throws a `RedisFault`. What comes too late was done all the same. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Sends what needs no answer, or does not where there is no connection. */
  tell(command: string, key: string, args: readonly string[]): void
  /** At once. What is under way fails. */
  close(): void
}

/** Redis gave no answer. Its message holds neither key nor credential. */
export class RedisFault extends Error {
  override readonly name = 'RedisFault'
  /** Nobody is there: the next one need not try. */
  readonly gone: boolean

  constructor(message: string, gone = false) {
    super(message)
    this.gone = gone
  }
}

export interface RedisCircumstances {
  readonly clock: Clock
  readonly timeoutMs: number
  /** What the server calls its guest in `CLIENT LIST`. */
  readonly name: string
  /** The connection stands, also for the first time. */
  readonly onReady?: () => void
  /** The connection broke, or could not be made. Why, in half a sentence. */
  readonly onLost?: (reason: string) => void
}

/** Opens a connection without waiting for it. Its driver is loaded by those who have a Redis. */
export async function openRedis(place: RedisPlace, circumstances: RedisCircumstances): Promise<Redis> {
  const ioredis = await import('ioredis')
  const { clock, timeoutMs, onReady, onLost } = circumstances
  const { host, port, options } = placeOptions(place, circumstances)
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const client = place.cluster
    ? new ioredis.Cluster([{ host, port }], clusterOptions(options))
    : new ioredis.Redis({ ...options, host, port, retryStrategy: backoffMs, enableOfflineQueue: false })
  let problem = 'the connection broke'
  let closed = false
  // An error that nobody hears is printed, with what was sent.
  client.on('error', (error) => (problem = reasonOf(error)))
  client.on('ready', () => onReady?.())
  client.on('close', () => {
    if (!closed) onLost?.(problem)
    problem = 'the connection broke'
  })
  const deadlines = new Deadlines(clock, timeoutMs)

  return {
    server,
    run(script, keys, args) {
      return new Promise((resolve, reject) => {
        if (client.status !== 'ready') {
          reject(new RedisFault('there is no connection', true))
          return
        }
        const deadline = deadlines.add(reject)
        const done = (answer: unknown) => {
          if (meet(deadline)) resolve(answer)
        }
        const fail = (error: unknown) => {
          if (meet(deadline)) reject(new RedisFault(reasonOf(error), isGone(error)))
        }
        client.callBuffer('evalsha', script.sha, keys.length, ...keys, ...args).then(done, (error: unknown) => {
          // A server that has started anew, or was told to forget, does not know the script: it learns it with this call.
          // Not for somebody who has been told already that there was no answer.
          if (!isUnknownScript(error) || deadline.late === undefined) return fail(error)
          client.callBuffer('eval', script.text, keys.length, ...keys, ...args).then(done, fail)
        })
      })
    },
    tell(command, key, args) {
      if (client.status === 'ready') client.call(command, key, ...args).catch(() => {})
    },
    close() {
      closed = true
      deadlines.clear()
      client.disconnect()
    },
  }
}

function placeOptions(
  { url, password, ca }: RedisPlace,
  { name, timeoutMs }: RedisCircumstances,
): { readonly host: string; readonly port: number; readonly options: Driven } {
  const { protocol, hostname, port, username, password: inUrl, pathname } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const secret = password?.reveal() ?? decodeURIComponent(inUrl)
  return {
    host,
    port: port === '' ? 6379 : Number(port),
    options: {
      replyMapping: 'legacy',
      connectionName: name,
      db: Number(pathname.slice(1)),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(secret === '' ? {} : { password: secret }),
      ...(protocol === 'rediss:'
        ? { tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: certificate(ca) }) } }
        : {}),
      connectTimeout: connectMs,
      // A line that is silent while something is asked is dead, whatever TCP believes.
      socketTimeout: Math.max(connectMs, 4 * timeoutMs),
      // What failed is told. To send it again would count it twice.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: false,
      disableClientInfo: true,
    },
  }
}

/** Options of the driver, by which it answers as it always has. */
type Driven = RedisOptions & { replyMapping: 'legacy' }

function clusterOptions(redisOptions: Driven): ClusterOptions & { redisOptions: Driven } {
  return {
    redisOptions,
    clusterRetryStrategy: backoffMs,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    maxRedirections: 3,
    slotsRefreshTimeout: connectMs,
  }
}

function certificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault('unavailable', `\`shared.ca\`: \`${path}\` cannot be read`, error)
  }
}

/** Before a connection is tried again: soon at first, and never less often than once a second. */
function backoffMs(times: number): number {
  return Math.min(1_000, 50 * 2 ** Math.min(times, 10))
}

const connectMs = 1_000

/** What may be told of an error. Its other members hold what was sent, credentials included. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed'
  const code = (error as NodeJS.ErrnoException).code
  if (typeof code === 'string') return code
  return codeOf(error.message) ?? (isGone(error) ? 'the connection broke' : 'it failed')
}

/** What an error of Redis begins with: `READONLY You can’t write …`, `WRONGPASS …`. */
export function codeOf(message: string): string | undefined {
  return /^-?([A-Z]{2,})\b/.exec(message)?.[1]
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}

/** Said by the driver, and not by Redis. */
function isGone(error: unknown): boolean {
  return error instanceof Error && error.name !== 'ReplyError'
}

/**
 * Lets go of answers that are late. All may take equally long, so the first to be asked is the first to be late, and one
 * timer serves them all.
 */
class Deadlines {
  readonly #clock: Clock
  readonly #timeoutMs: number
  #waiting: Deadline[] = []
  #first = 0
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Calls `late` in time, unless the deadline is met before. */
  add(late: (error: RedisFault) => void): Deadline {
    const deadline: Deadline = { dueAtMs: this.#clock.monotonic() + this.#timeoutMs, late }
    this.#waiting.push(deadline)
    this.#timer ??= this.#after(this.#timeoutMs)
    return deadline
  }

  clear(): void {
    clearTimeout(this.#timer)
    for (const { late } of this.#waiting.slice(this.#first)) late?.(new RedisFault('the connection was closed', true))
    this.#waiting = []
    this.#first = 0
  }

  // What has arrived while this thread was busy is read before anybody is called late: timers run before sockets.
  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.#sweep()), Math.max(1, Math.ceil(ms)))
  }

  #sweep(): void {
    const now = this.#clock.monotonic()
    this.#timer = undefined
    for (; this.#first < this.#waiting.length; this.#first++) {
      const deadline = this.#waiting[this.#first] as Deadline
      const { late, dueAtMs } = deadline
      if (late !== undefined && dueAtMs > now) {
        this.#timer = this.#after(dueAtMs - now)
        break
      }
      deadline.late = undefined
      late?.(new RedisFault(`no answer within ${this.#timeoutMs} ms`))
    }
    this.#waiting.splice(0, this.#first)
    this.#first = 0
  }
}

interface Deadline {
  readonly dueAtMs: number
  /** Undefined once it is met, or has passed. */
  late: ((error: RedisFault) => void) | undefined
}

/** Whether it was met in time; of an answer and an error, only the first. */
function meet(deadline: Deadline): boolean {
  const inTime = deadline.late !== undefined
  deadline.late = undefined
  return inTime
}
