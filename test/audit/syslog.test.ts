import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { AuditEvent } from '../../src/audit/event.ts'
import { syslogMessage } from '../../src/audit/sinks/syslog-message.ts'
import { makeAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { chain, follow, hasTaken, once, rowOf, sinksOf, storeFor } from './following.ts'
import { numbers, sampleEvent } from './sample.ts'

interface SyslogServer {
  readonly port: number
  readonly messages: readonly string[]
  readonly sockets: readonly Socket[]
  close(): Promise<void>
}

/** Takes messages apart by their octet counts. With `deaf` it accepts connections and reads nothing. */
async function syslogServer(
  context: TestContext,
  { port = 0, tls, deaf = false }: { readonly port?: number; readonly tls?: TlsOptions; readonly deaf?: boolean } = {},
): Promise<SyslogServer> {
  const messages: string[] = []
  const sockets: Socket[] = []
  const listener = (socket: Socket): void => {
    sockets.push(socket)
    socket.on('error', () => {})
    if (deaf) return void socket.pause()
    let waiting = Buffer.alloc(0)
    socket.on('data', (piece: Buffer) => {
      waiting = Buffer.concat([waiting, piece])
      for (;;) {
        const space = waiting.indexOf(0x20)
        const length = Number(waiting.subarray(0, space).toString())
        if (space <= 0 || waiting.length < space + 1 + length) return
        messages.push(waiting.subarray(space + 1, space + 1 + length).toString())
        waiting = waiting.subarray(space + 1 + length)
      }
    })
  }
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) tls === undefined ? socket.resetAndDestroy() : socket.destroy()
    })
  context.after(close)
  return { port: (server.address() as AddressInfo).port, messages, sockets, close }
}

/** The parts of a message by the grammar of RFC 5424 §6. */
function parsed(message: string) {
  const parts =
    /^<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) (\[gatehouse@\d+(?: [a-zA-Z]+="(?:[^"\\\]]|\\["\\\]])*")*\]) (.*)$/su.exec(
      message,
    )
  assert.ok(parts, message)
  const [, pri, time, hostname, appName, procId, msgId, data, msg = ''] = parts
  return { pri: Number(pri), time, hostname, appName, procId, msgId, data, msg }
}

const seqsOf = (messages: readonly string[]): number[] => messages.map((message) => JSON.parse(parsed(message).msg).seq)

suite('syslog', { concurrency: true }, () => {
  test('AU4: messages have the form of RFC 5424, and arrive in order', async (context) => {
    const store = await storeFor(context)
    await chain(store, 450)
    const server = await syslogServer(context)
    follow(
      context,
      store,
      sinksOf([{ kind: 'syslog', host: '127.0.0.1', port: server.port, protocol: 'tcp', hostname: 'gate-1' }]),
    )
    await eventually(() => (server.messages.length >= 450 ? true : undefined))
    assert.deepEqual(seqsOf(server.messages), numbers(450))
    const { msg, data, ...header } = parsed(server.messages[0] ?? '')
    assert.deepEqual(header, {
      pri: 13 * 8 + 6,
      time: '2026-01-01T00:00:00.001Z',
      hostname: 'gate-1',
      appName: 'gatehouse',
      procId: '-',
      msgId: 'api_access',
    })
    assert.match(data ?? '', /^\[gatehouse@32473 seq="1" hash="[0-9a-f]{64}" .* address="203\.0\.113\.1"/)
    assert.equal(JSON.parse(msg).request_id, 'request-1')
  })

  test('whatever somebody sent us stays within its place: quotes, brackets, line breaks, other scripts', () => {
    const evil = 'a"] <0>1 - - - - - [x y="z"\\\n\r\0\u202e\u2028ü😀\ud800'
    const event: AuditEvent = {
      ...sampleEvent(1),
      actor: { id: evil, type: 'user' },
      address: evil,
      user_agent: evil,
      at: Number.MAX_SAFE_INTEGER,
      resource: { id: evil.repeat(1_000), type: 'route' },
    }
    const body = JSON.stringify({
      ...event,
      actor: { id: 'x', type: 'user' },
      address: '',
      resource: { id: '', type: 'route' },
      user_agent: '\u2028ü😀\ud800',
    })
    const form = { facility: 13, hostname: '-', appName: 'gatehouse', enterprise: 32_473, personal: false }
    for (const chained of [
      { seq: 1, hash: 'ab', body, event },
      { seq: 1, hash: 'ab', body: JSON.stringify(event), event },
    ]) {
      const message = syslogMessage(chained, form)
      const { time, msg } = parsed(message)
      assert.equal(time, '-')
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\u2028]/u)
      assert.match(msg, /^[ -~]*$/)
      assert.equal(JSON.parse(msg).user_agent, JSON.parse(chained.body).user_agent)
    }
  })

  test('A61: a server that is down, cuts the line in the middle and comes back has every event in the end', async (context) => {
    const store = await storeFor(context)
    await chain(store, 300)
    const first = await syslogServer(context)
    follow(context, store, sinksOf([{ kind: 'syslog', host: '127.0.0.1', port: first.port, protocol: 'tcp' }]))
    await eventually(() => hasTaken(store, 'sink:syslog', 300))
    await first.close()
    await chain(store, 400, 301)
    await eventually(async () => ((await rowOf(store, 'sink:syslog')).failures > 0 ? true : undefined))
    const second = await syslogServer(context, { port: first.port })
    await eventually(() => (second.messages.length >= 100 ? true : undefined))
    for (const socket of second.sockets) socket.resetAndDestroy()
    await chain(store, 50, 701)
    const all = (): number[] => seqsOf([...first.messages, ...second.messages])
    await eventually(() => (new Set(all()).size === 750 ? true : undefined))
    await eventually(() => hasTaken(store, 'sink:syslog', 750))
    assert.deepEqual(
      once(all()).toSorted((a, b) => a - b),
      numbers(750),
    )
  })

  test('what the kernel took and nobody read is sent again, also when nothing new happens', async (context) => {
    const store = await storeFor(context)
    await chain(store, 20)
    const deaf = await syslogServer(context, { deaf: true })
    follow(context, store, sinksOf([{ kind: 'syslog', host: '127.0.0.1', port: deaf.port, protocol: 'tcp' }]))
    await eventually(() => hasTaken(store, 'sink:syslog', 20))
    await deaf.close()
    const hearing = await syslogServer(context, { port: deaf.port })
    await eventually(() => (hearing.messages.length >= 20 ? true : undefined))
    assert.deepEqual(seqsOf(hearing.messages), numbers(20))
  })

  test('a server by TLS has to be who it says it is, and may ask who we are', async (context) => {
    const folder = throwAwayFolder(context)
    const authority = await makeAuthority()
    const stranger = await makeAuthority('CN=Stranger')
    const [server, client] = await Promise.all([
      authority.issue({ addresses: ['127.0.0.1'], dns: ['localhost'] }),
      authority.issue({ subject: 'gate' }),
    ])
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const store = await storeFor(context)
    await chain(store, 5)
    const { port, messages } = await syslogServer(context, {
      tls: { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    })
    const common = { kind: 'syslog', host: '127.0.0.1', port }
    const identity = { cert: file('cert.pem', client.cert), key: file('key.pem', client.key) }
    follow(
      context,
      store,
      sinksOf([
        { ...common, ...identity, name: 'good', ca: file('ca.pem', authority.cert) },
        { ...common, ...identity, name: 'wrong', ca: file('stranger.pem', stranger.cert) },
        { ...common, ...identity, name: 'public' },
      ]),
    )
    await eventually(() => (messages.length >= 5 ? true : undefined))
    for (const name of ['sink:wrong', 'sink:public'])
      await eventually(async () => {
        const { seq, problem } = await rowOf(store, name)
        return seq === 0 && problem !== null && /certificate/.test(problem) ? true : undefined
      })
    assert.deepEqual(seqsOf(messages), numbers(5))
  })
})
