import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../kernel/clock.ts'
import { type Follower, NotTaken } from '../follow/follower.ts'
import { type SyslogSinkOptions, sinkName } from './options.ts'
import { framed, syslogMessage } from './syslog-message.ts'
import { readTrust } from './trust.ts'

/**
 * RFC 5424 over TLS (RFC 5425) or TCP (RFC 6587). Nobody acknowledges anything there: a page counts as taken once the kernel has it. What
 * may be on its way when a connection ends is kept, half a minute and 4 MiB of it, and sent again on the next one.
 */
export function syslogSink(options: SyslogSinkOptions, clock: Clock): Follower {
  const trust = readTrust(sinkName(options), options)
  const port = options.port ?? (options.protocol === 'tls' ? 6_514 : 601)
  const name = /^[!-~]{1,255}$/.exec(options.hostname ?? hostname())?.[0] ?? '-'
  const form = { ...options, hostname: name }
  const recent = new Recent(clock)
  let line: Line | undefined

  return {
    name: sinkName(options),
    pageMax: 200,
    from: options.from,
    onRejected: options.onRejected,
    async take(events, signal) {
      const bytes = Buffer.from(events.map((event) => framed(syslogMessage(event, form))).join(''))
      const open = await connected(signal)
      await within(open, bytes, signal)
      recent.add(bytes)
      return undefined
    },
    async rest(signal) {
      if (recent.areDoubtful) await connected(signal)
    },
    async close() {
      await line?.end()
      line = undefined
    },
  }

  /** A connection that stands, on which everything was sent that the one before may have lost. */
  async function connected(signal: AbortSignal): Promise<Line> {
    if (line !== undefined && line.broken === undefined) return line
    const before = line
    line = undefined
    before?.socket.destroy()
    const open = await dial(signal)
    try {
      for (const bytes of recent.pages) await within(open, bytes, signal)
      recent.sentAgain()
    } catch (error) {
      open.socket.destroy()
      throw error
    }
    line = open
    return open
  }

  async function dial(signal: AbortSignal): Promise<Line> {
    const { host, timeout } = options
    const socket =
      options.protocol === 'tls'
        ? connectTls({ host, port, ...trust, ...(isIP(host) === 0 ? { servername: host } : {}), minVersion: 'TLSv1.2' })
        : connectTcp({ host, port })
    socket.setKeepAlive(true, 15_000)
    const open = new Line(socket, () => recent.doubt())
    await settled(open, signal, timeout, (done) =>
      socket.once(options.protocol === 'tls' ? 'secureConnect' : 'connect', () => done()),
    )
    return open
  }

  async function within(open: Line, bytes: Buffer, signal: AbortSignal): Promise<void> {
    await settled(open, signal, options.timeout, (done) => open.socket.write(bytes, done))
  }
}

/** A connection, and what ended it. */
class Line {
  readonly socket: Socket
  broken: string | undefined
  readonly #ended: Promise<void>

  constructor(socket: Socket, onEnd: () => void) {
    this.socket = socket
    this.#ended = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.broken ??= error.message || error.code || 'the connection failed'
    })
    socket.on('end', () => {
      this.broken ??= 'the server ended the connection'
      socket.destroy()
    })
    socket.once('close', () => {
      this.broken ??= 'the connection ended'
      onEnd()
    })
    socket.resume() // it has nothing to say to us
  }

  /** Sends what is still on its way, for two seconds at most. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.socket.destroy(), 2_000)
    this.socket.end()
    await this.#ended
    clearTimeout(timer)
  }
}

/** Waits for one thing on a connection. Whatever comes in between, the connection is of no use any more. */
function settled(
  line: Line,
  signal: AbortSignal,
  timeoutMs: number,
  begin: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  const { socket } = line
  return new Promise<void>((resolve, reject) => {
    const fail = (reason: string): void => {
      line.broken ??= reason
      socket.destroy()
      leave()
      reject(new NotTaken(line.broken))
    }
    const onClose = (): void => fail('the connection ended')
    const onAbort = (): void => fail('it was given up')
    const timer = setTimeout(() => fail(`nothing moved for ${timeoutMs} ms`), timeoutMs)
    const leave = (): void => {
      clearTimeout(timer)
      socket.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
    }
    socket.once('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) return onAbort()
    if (line.broken !== undefined || socket.destroyed) return onClose()
    begin((error) => {
      if (error) return fail(error.message)
      leave()
      resolve()
    })
  })
}

/** What was sent within the last half minute, and may not have arrived if the connection ends now. */
class Recent {
  readonly #clock: Clock
  #sent: { readonly bytes: Buffer; readonly atMs: number }[] = []
  /** A connection ended, and nothing was sent again yet: what is here stays, however long that takes. */
  #doubtful = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get areDoubtful(): boolean {
    return this.#doubtful && this.#sent.length > 0
  }

  /** What has to be sent again on a new connection. */
  get pages(): readonly Buffer[] {
    return this.#doubtful ? this.#sent.map(({ bytes }) => bytes) : []
  }

  add(bytes: Buffer): void {
    if (!this.#doubtful) this.#forgetOld()
    this.#sent.push({ bytes, atMs: this.#clock.monotonic() })
    let kept = 0
    const tooMany = this.#sent.findLastIndex((one) => (kept += one.bytes.byteLength) > recentBytesMax)
    if (tooMany >= 0) this.#sent = this.#sent.slice(Math.min(tooMany + 1, this.#sent.length - 1)) // the last stays always
  }

  doubt(): void {
    if (!this.#doubtful) this.#forgetOld()
    this.#doubtful = true
  }

  sentAgain(): void {
    const atMs = this.#clock.monotonic()
    this.#sent = this.#sent.map(({ bytes }) => ({ bytes, atMs }))
    this.#doubtful = false
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic()
    this.#sent = this.#sent.filter(({ atMs }) => now - atMs < recentMs)
  }
}

const recentBytesMax = 4 * 1024 * 1024
const recentMs = 30_000
