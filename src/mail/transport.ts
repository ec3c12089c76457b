import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { Fault } from '../kernel/error.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Letter } from './letters.ts'
import type { MailOptions } from './options.ts'

/** A letter with its envelope. */
export interface Addressed extends Letter {
  /** The row that it waits in: the same at every try, so that a letter that arrives twice shows it. */
  readonly id: string
  readonly to: string
}

export interface Transport {
  /** Hands a letter over, or throws why not. What is refused for good says so by `responseCode` 5xx. */
  send(letter: Addressed): Promise<void>
  close(): void
}

/** Opens the way out that the configuration names. */
export function openTransport(options: MailOptions, password: Secret | undefined): Transport {
  const { from, smtp, folder } = options
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost'
  const message = ({ id, to, subject, text, html }: Addressed) => ({
    from,
    to: { name: '', address: to },
    subject,
    text,
    html,
    messageId: `<${id}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  if (smtp === undefined) return intoFolder(folder ?? '.', message)

  const transport = createTransport({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.security === 'tls',
    requireTLS: smtp.security === 'starttls', // a server that offers none gets no letter: it would go in clear
    ignoreTLS: smtp.security === 'none',
    tls: { minVersion: 'TLSv1.2', ...(smtp.ca === undefined ? {} : { ca: certificate(smtp.ca) }) },
    ...(smtp.user === undefined || password === undefined
      ? {}
      : { auth: { user: smtp.user, pass: password.reveal() } }),
    pool: true,
    maxConnections: 2,
    connectionTimeout: smtp.timeout,
    greetingTimeout: smtp.timeout,
    socketTimeout: smtp.timeout,
    dnsTimeout: smtp.timeout,
  })
  return {
    async send(letter) {
      await transport.sendMail(message(letter))
    },
    close: () => transport.close(),
  }
}

/** Letters as files, for somebody who tries the house out. They hold links that sign in: nobody else reads them. */
function intoFolder(folder: string, message: (letter: Addressed) => object): Transport {
  const stream = createTransport({ streamTransport: true, buffer: true })
  return {
    async send(letter) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const { message: bytes } = await stream.sendMail(message(letter))
      const path = join(folder, `${letter.id}.eml`)
      const file = await open(`${path}.part`, 'w', 0o600)
      try {
        await file.writeFile(bytes as Buffer)
      } finally {
        await file.close()
      }
      await rename(`${path}.part`, path)
    },
    close: () => stream.close(),
  }
}

function certificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault(
      'unavailable',
      `\`mail.smtp.ca\`: \`${path}\` cannot be read (${(error as NodeJS.ErrnoException).code})`,
      error,
    )
  }
}
