import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { Fault } from '../kernel/error.ts'
import type { Secret } from '../kernel/secret.ts'
import type { Letter } from './letters.ts'
import { isAddress, type MailOptions, readMailbox } from './options.ts'

/** A letter with its envelope. */
export interface Addressed extends Letter {
  /** The row that it waits in: the same at every try, so that a letter that arrives twice shows it. */
  readonly id: string
  readonly to: string
  readonly writtenAt: number
}

/** How a try ended. The reason may quote the letter: it is not yet fit to be shown. */
export type Outcome =
  | { readonly kind: 'sent' }
  /** This letter, for good. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** This letter, for now. */
  | { readonly kind: 'deferred'; readonly reason: string }
  /** Not for the sake of this letter: every other would have fared the same. */
  | { readonly kind: 'down'; readonly reason: string }

export interface Transport {
  send(letter: Addressed): Promise<Outcome>
  /** The letter that is under way is finished first. */
  close(): void
}

/** No try takes longer, however slowly a server talks. */
export const tryMaxMs = 100_000

/** Opens the way out that the configuration names. */
export function openTransport(options: MailOptions, password: Secret | undefined): Transport {
  const { from, smtp, folder } = options
  const sender = readMailbox(from) ?? { name: '', address: from }
  const domain = sender.address.slice(sender.address.indexOf('@') + 1)
  const message = ({ id, to, writtenAt, subject, text, html }: Addressed) => ({
    from: sender,
    to: { name: '', address: to },
    date: new Date(writtenAt),
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
    port: smtp.port ?? (smtp.security === 'tls' ? 465 : 587),
    secure: smtp.security === 'tls',
    requireTLS: smtp.security === 'starttls', // a server that offers none gets no letter: it would go in clear
    ignoreTLS: smtp.security === 'none',
    tls: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...(smtp.ca === undefined ? {} : { ca: certificate(smtp.ca) }),
    },
    ...(smtp.user === undefined || password === undefined
      ? {}
      : { auth: { user: smtp.user, pass: password.reveal() } }),
    pool: true,
    maxConnections: 2,
    maxRequeues: 0, // the outbox tries again, and counts
    connectionTimeout: smtp.timeout,
    greetingTimeout: smtp.timeout,
    socketTimeout: smtp.timeout,
    dnsTimeout: smtp.timeout,
  })
  return {
    async send(letter) {
      if (!isAddress(letter.to)) return { kind: 'refused', reason: 'what it is addressed to is no address' }
      try {
        await transport.sendMail({
          ...message(letter),
          signal: AbortSignal.timeout(Math.min(tryMaxMs, 6 * smtp.timeout)),
        })
      } catch (error) {
        return outcomeOf(error as SmtpError)
      }
      return { kind: 'sent' }
    },
    close: () => transport.close(),
  }
}

/**
 * What a server answers to a recipient or to the letter itself is about this letter (RFC 5321 §4.2.1: 5yz for good, 4yz for
 * now). A greeting, a sign-in or a sender that it will not have is ours to mend, and no letter's fault.
 */
function outcomeOf({ message, code, command, responseCode = 0 }: SmtpError): Outcome {
  const ofLetter = command === 'RCPT TO' || command === 'DATA'
  if (ofLetter && responseCode >= 500) return { kind: 'refused', reason: message }
  if (ofLetter && responseCode >= 400) return { kind: 'deferred', reason: message }
  // An address that this server, or this protocol, cannot be given.
  if (code === 'EENVELOPE' && command === 'API') return { kind: 'refused', reason: message }
  return { kind: 'down', reason: message }
}

interface SmtpError extends Error {
  readonly code?: string
  readonly command?: string
  readonly responseCode?: number
}

/** Letters as files, for somebody who tries the house out. They hold links that sign in: nobody else reads them. */
function intoFolder(folder: string, message: (letter: Addressed) => object): Transport {
  const stream = createTransport({ streamTransport: true, buffer: true })
  return {
    async send(letter) {
      try {
        await write(letter)
      } catch (error) {
        return { kind: 'down', reason: (error as Error).message }
      }
      return { kind: 'sent' }
    },
    close: () => stream.close(),
  }

  async function write(letter: Addressed): Promise<void> {
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
