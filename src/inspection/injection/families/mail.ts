import { type Detector, type Hint, noSigns } from '../detector.ts'
import { sieve } from '../requirement.ts'
import { type Row, row, signsOf, strong, sure } from './rows.ts'

/** Commands of SMTP (RFC 5321 §4.1), IMAP (RFC 9051 §6) and POP3 (RFC 1939), and header fields of a message, behind the end of a line (CWE-88). */
export const mail: Detector = {
  family: 'mail',
  scan: (text, hint, look) => (lineEnd(text, look) ? signsOf(rows, text, hint, look) : noSigns),
}

const lineEnd = sieve(/[\r\n]|%(?:25){0,4}0[ad]/i)

const end = String.raw`(?:[\r\n]|%(?:25){0,4}0[ad]){1,4}[ \t]{0,2}`
const space = String.raw`(?:[ \t+]|%20){1,4}`

const rows: readonly Row[] = [
  row(
    'mail/smtp-envelope',
    [0.95, 0.5, 0.05],
    new RegExp(`${end}(?:RCPT${space}TO|MAIL${space}FROM)\\s{0,4}(?::|%3a)`, 'gi'),
  ),
  row(
    'mail/smtp',
    sure,
    new RegExp(
      `${end}(?:(?:EHLO|HELO|VRFY|EXPN|ETRN)${space}[\\w.@<[-]{1,80}|(?:DATA|RSET|QUIT|NOOP|STARTTLS|AUTH${space}(?:LOGIN|PLAIN|CRAM-MD5|NTLM))(?=\\s{0,2}(?:[\\r\\n%]|$)))`,
      'g',
    ),
    isShort,
  ),
  row(
    'mail/smtp-lower',
    strong,
    new RegExp(`${end}(?:ehlo|helo|vrfy|expn)${space}[\\w-]{1,40}\\.[\\w.-]{1,40}`, 'gi'),
    isShort,
  ),
  row(
    'mail/imap',
    sure,
    new RegExp(
      `${end}[A-Za-z]{0,4}\\d{0,6}${space}(?:CAPABILITY|NOOP|LOGOUT|STARTTLS|AUTHENTICATE|LOGIN|SELECT|EXAMINE|CREATE|DELETE|RENAME|SUBSCRIBE|UNSUBSCRIBE|LIST|LSUB|STATUS|APPEND|CHECK|CLOSE|EXPUNGE|SEARCH|FETCH|STORE|COPY|UID)(?=${space}["\\w(.*]|\\s{0,2}(?:[\\r\\n%]|$))`,
      'g',
    ),
    isTagged,
  ),
  row(
    'mail/imap-data',
    sure,
    /\bSTORE\s{1,4}[\d:*,]{1,16}\s{1,4}[+-]?FLAGS(?:\.SILENT)?\s{0,4}\(|\bFETCH\s{1,4}[\d:*,]{1,16}\s{1,4}(?:\(|BODY|RFC822|FLAGS|ALL)|\bcreate\s{1,4}"INBOX/gi,
    isShort,
  ),
  row(
    'mail/pop3',
    strong,
    new RegExp(
      `${end}(?:(?:RETR|DELE|TOP|UIDL|LIST)${space}\\d{1,6}(?:${space}\\d{1,6})?(?=\\s{0,2}(?:[\\r\\n%]|$))|(?:STAT|RSET|QUIT|UIDL|CAPA)(?=\\s{0,2}(?:[\\r\\n%]|$))|(?:USER|PASS|APOP)${space}[\\w.@-]{1,64}\\s{0,2}(?:[\\r\\n%]|$))`,
      'g',
    ),
    isShort,
  ),
  row(
    'mail/header',
    [0.85, 0.1, 0],
    new RegExp(
      `${end}(?:(?:bcc|cc|to|from|reply-to|sender|return-path)\\s{0,4}(?::|%3a)\\s{0,4}[^\\r\\n@]{0,64}@|(?:subject|mime-version|content-type|content-transfer-encoding|x-mailer|x-priority)\\s{0,4}(?::|%3a)\\s{0,4}\\S)`,
      'gi',
    ),
    isInjected,
  ),
]

function isShort(text: string): boolean {
  return text.length < 400
}

/** A tag is what makes it IMAP's: without one, letters in capitals behind a line end may be anybody's list. */
function isTagged(text: string, { in: part }: Hint, start: number, finish: number): boolean {
  return text.length < 400 && (/\d/.test(text.slice(start, finish)) || part !== 'body')
}

/** What is quoted of a message begins with its header fields; what is injected begins with a value. */
function isInjected(text: string, { in: part }: Hint, start: number): boolean {
  if (text.length > 600 || start === 0) return part !== 'body' && text.length < 600
  return part !== 'body' || (start < 80 && !/^\s{0,8}(?:[A-Z][\w-]{1,24}:|>)/.test(text))
}
