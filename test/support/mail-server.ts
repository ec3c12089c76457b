import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { throwAwayFolder } from './folder.ts'

/** A letter as the server took it. */
export interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly secure: boolean
  readonly user: string | undefined
}

export interface MailServer {
  readonly port: number
  readonly received: readonly Received[]
  /** The certificate that vouches for it. */
  readonly ca: string
  /** What it says to the next letters instead of taking them, as code and text. */
  refusal: { readonly code: number; readonly text: string } | undefined
  close(): Promise<void>
}

/** A real SMTP server on a free port, with a certificate for `localhost`. */
export async function startMailServer(
  context: TestContext,
  options: SMTPServerOptions = {},
  port = 0,
): Promise<MailServer> {
  const folder = throwAwayFolder(context)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
    ],
    { stdio: 'ignore' },
  )
  const received: Received[] = []
  const server = new SMTPServer({
    key: readFileSync(key),
    cert: readFileSync(cert),
    authOptional: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'of the mail server' ? done(null, { user: username }) : done(new Error('no such user')),
    onRcptTo: (_address, _session, done) => {
      const { refusal } = running
      if (refusal === undefined) return done()
      done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }))
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString(),
          secure: session.secure,
          user: session.user as string | undefined,
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve))
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  context.after(close)
  const running: MailServer = {
    port: (server.server.address() as AddressInfo).port,
    received,
    ca: cert,
    refusal: undefined,
    close,
  }
  return running
}
