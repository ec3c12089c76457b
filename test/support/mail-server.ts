import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'

/** A mail server on a port of this machine. */
export interface MailServer {
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
  /** Whether the line was private. */
  readonly secure: boolean
}

interface Answers {
  /** A reply such as `550 no such mailbox`; nothing: it is fine. */
  sender?: () => string | undefined
  recipient?: (address: string) => string | undefined
  /** Once the letter is here whole. `hang up`: the caller never hears that it is. */
  letter?: (letter: Arrived) => string | 'hang up' | undefined
}

interface ServerOptions {
  readonly security?: 'starttls' | 'tls' | 'none'
  readonly certificate?: Certificate
  readonly port?: number
  /** Somebody between takes the offer of STARTTLS out. */
  readonly stripped?: boolean
  readonly account?: { readonly user: string; readonly password: string }
}

export interface Certificate {
  /** The file with the authority's own. */
  readonly caFile: string
  readonly key: string
  readonly cert: string
}

export async function startMailServer(
  context: TestContext,
  { security = 'none', certificate, port = 0, stripped = false, account }: ServerOptions = {},
): Promise<MailServer> {
  const arrived: Arrived[] = []
  const answers: Answers = {}
  const server = new SMTPServer({
    secure: security === 'tls',
    ...(certificate === undefined ? {} : { key: certificate.key, cert: certificate.cert }),
    hideSTARTTLS: stripped,
    disabledCommands: [...(security === 'none' ? ['STARTTLS'] : []), ...(account === undefined ? ['AUTH'] : [])],
    authOptional: account === undefined,
    closeTimeout: 100,
    logger: false,
    onAuth({ username, password }, _, done) {
      if (username === account?.user && password === account?.password) done(null, { user: username })
      else done(reply('535 who is that?'))
    },
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
          secure: session.secure,
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

/** A certificate for `localhost`, by an authority that nobody knows. One for all tests of a file. */
export function certificateOfOurs(): Certificate {
  if (made !== undefined) return made
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-ca-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (line: string): void => {
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' })
  }
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
  openssl(`req -x509 ${key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority`)
  openssl(
    `req -x509 ${key} -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key`,
  )
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return (made = { caFile: join(folder, 'ca.pem'), key: read('key.pem'), cert: read('cert.pem') })
}

let made: Certificate | undefined

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
