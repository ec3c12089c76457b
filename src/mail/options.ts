import { z } from 'zod'
import { duration, secretRef } from '../kernel/shape.ts'
import { letterTexts } from './letters.ts'

/** A mailbox such as `Gatehouse <no-reply@example.com>`. One line: what follows a line break would be another header. */
const mailbox = z
  .string()
  .max(320)
  .refine((text) => readMailbox(text) !== undefined, 'expected a mailbox such as `Example <no-reply@example.com>`')

/** The name and the address of a mailbox. */
export function readMailbox(text: string): { readonly name: string; readonly address: string } | undefined {
  const parts = /^(?:([^\p{Cc}\p{Cs}<>@"]{1,120}) )?<([^<>]+)>$/u.exec(text)
  const address = parts?.[2] ?? text
  return isAddress(address) ? { name: parts?.[1] ?? '', address } : undefined
}

/** One address, without anything that a header or an envelope would read as more than that. */
export function isAddress(text: string): boolean {
  return text.length <= 320 && /^[^\s<>()[\]\\,;:"@\p{Cc}\p{Cs}]+@[^\s<>()[\]\\,;:"@\p{Cc}\p{Cs}]+$/u.test(text)
}

const smtpOptions = z
  .strictObject({
    host: z.string().regex(/^[A-Za-z0-9.:-]+$/, 'expected a host name'),
    /** 587, or 465 where `security` is `tls`. */
    port: z.int().min(1).max(65_535).optional(),
    /** How the line is kept private. `none` is for a server on this machine. */
    security: z
      .enum(['starttls', 'tls', 'none'], { error: 'expected `starttls`, `tls` or `none`' })
      .default('starttls'),
    user: z.string().min(1).optional(),
    password: secretRef.optional(),
    /** For each step of the conversation. */
    timeout: duration.refine((ms) => ms >= 1_000 && ms <= 60_000, 'expected `1s` to `60s`').default(15_000),
    /** A file with the certificate of the authority that signed the server's. */
    ca: z.string().min(1).optional(),
  })
  .superRefine(({ host, security, user, password }, context) => {
    if (security === 'none' && !/^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host))
      context.addIssue({
        code: 'custom',
        path: ['security'],
        message: '`none` sends letters in clear: it is for loopback only',
      })
    if ((user === undefined) !== (password === undefined))
      context.addIssue({
        code: 'custom',
        path: [user === undefined ? 'user' : 'password'],
        message: 'is missing: `user` and `password` belong together',
      })
  })

/** How letters leave: by a mail server, or into a folder where somebody tries the house out. */
export const mailOptions = z
  .strictObject({
    from: mailbox,
    smtp: smtpOptions.optional(),
    folder: z.string().min(1).optional(),
    /** Before a letter is given up. They come ever later, up to an hour apart: 30 are about a day. */
    tries: z.int().min(1).max(100).default(30),
    /** Other words, by language and letter. */
    texts: z.record(z.string().regex(/^[a-z]{2,3}$/, 'expected a language such as `de`'), letterTexts).default({}),
  })
  .refine(({ smtp, folder }) => (smtp === undefined) !== (folder === undefined), {
    path: ['smtp'],
    message: 'expected either `smtp` or `folder`',
  })

export type MailOptions = z.output<typeof mailOptions>
