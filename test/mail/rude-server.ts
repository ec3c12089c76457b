import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'

/** A mail server on a port of this machine that answers whatever a test wants it to. */
export interface RudeServer {
  readonly port: number
  /** What came in whole, whether it was then taken or refused. */
  readonly arrived: readonly Arrived[]
  /** How it answers from now on. */
  readonly answers: Answers
  stop(): Promise<void>
}

export interface Arrived {
  readonly from: string
  readonly to: readonly string[]
  /** Header fields by lower-case name, unfolded. */
  readonly headers: ReadonlyMap<string, string>
  readonly raw: string
}

interface Answers {
  /** A reply such as `550 no such mailbox`; nothing: it is fine. */
  sender?: () => string | undefined
  recipient?: (address: string) => string | undefined
  /** Once the letter is here whole. `hang up`: the caller never hears that it is. */
  letter?: (letter: Arrived) => string | 'hang up' | undefined
}

/** `port` is one that a server was on before, so that it comes back. */
export async function startRudeServer(context: TestContext, port = 0): Promise<RudeServer> {
  const arrived: Arrived[] = []
  const answers: Answers = {}
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onMailFrom: (_, __, done) => done(reply(answers.sender?.())),
    onRcptTo: ({ address }, _, done) => done(reply(answers.recipient?.(address))),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const raw = Buffer.concat(chunks).toString('utf8')
        const letter = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          headers: headersOf(raw),
          raw,
        }
        arrived.push(letter)
        const answer = answers.letter?.(letter)
        if (answer === 'hang up') hangUp()
        else done(reply(answer))
      })
    },
  })
  server.on('error', () => {}) // what a caller does that is cut off is the test's to judge
  const hangUp = (): void => {
    for (const connection of server.connections) (connection as { _socket?: { destroy(): void } })._socket?.destroy()
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= new Promise((resolve) => server.close(resolve)))
  context.after(stop)
  return { port: (server.server.address() as AddressInfo).port, arrived, answers, stop }
}

function reply(answer: string | undefined): Error | null {
  if (answer === undefined) return null
  return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) })
}

/** The header fields of a letter (RFC 5322 §2.2), unfolded. A field that stands there twice shows both, with ` | ` between. */
function headersOf(raw: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n(?=[ \t])/g, '')
  for (const line of head.split('\r\n')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    const value = line.slice(name.length + 1).trim()
    fields.set(name, fields.has(name) ? `${fields.get(name)} | ${value}` : value)
  }
  return fields
}
