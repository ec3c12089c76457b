import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { rootKey } from '../../src/keys/root.ts'
import { compose, type LetterKind } from '../../src/mail/letters.ts'
import { mailOptions } from '../../src/mail/options.ts'
import { Outbox } from '../../src/mail/outbox.ts'
import { openStore } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'
import { startMailServer } from '../support/mail-server.ts'

const from = 'Example <no-reply@example.com>'
const kinds: readonly LetterKind[] = [
  'verify',
  'registered-already',
  'reset',
  'password-changed',
  'email-change',
  'email-changed',
  'invitation',
  'factor-added',
  'factor-removed',
  'locked',
  'new-sign-in',
]

test('a server that offers no TLS, or whose certificate nobody vouches for, gets no letter in clear', async (context) => {
  const stripped = await startMailServer(context, { disabledCommands: ['STARTTLS'] })
  const strange = await startMailServer(context)
  for (const smtp of [
    { host: 'localhost', port: stripped.port, ca: stripped.ca },
    { host: 'localhost', port: strange.port },
    { host: '127.0.0.1', port: strange.port, ca: strange.ca },
  ]) {
    const store = await openStore('sqlite::memory:')
    context.after(() => store.close())
    const outbox = new Outbox({
      options: mailOptions.parse({ from, smtp }),
      root: rootKey('a root secret that is long enough for it'),
      clock: testClock(),
      random: systemRandom,
      log: silent,
    })
    context.after(() => outbox.close())
    await outbox.post(store.db, {
      to: 'ada@people.example',
      kind: 'invitation',
      facts: { site: 'Example', link: 'https://x' },
    })
    assert.deepEqual(await outbox.drain(store.db), { sent: 0, failed: 1, givenUp: 0 }, JSON.stringify(smtp))
  }
  assert.deepEqual([stripped.received.length, strange.received.length], [0, 0])
})

test('the mail server is told who we are, and a wrong password gives no letter up', async (context) => {
  const server = await startMailServer(context)
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  const smtp = {
    host: 'localhost',
    port: server.port,
    ca: server.ca,
    timeout: '1s',
    user: 'gate',
    password: { env: 'SMTP_PASSWORD' },
  }
  for (const [password, outcome] of [
    ['wrong', 'failed'],
    ['of the mail server', 'sent'],
  ] as const) {
    const outbox = new Outbox({
      options: mailOptions.parse({ from, smtp }),
      password: new Secret(password),
      root: rootKey('a root secret that is long enough for it'),
      clock: testClock(),
      random: systemRandom,
      log: silent,
    })
    context.after(() => outbox.close())
    await outbox.post(store.db, {
      to: `${outcome}@people.example`,
      kind: 'invitation',
      facts: { site: 'Example', link: 'https://x' },
    })
    assert.equal((await outbox.drain(store.db))[outcome], 1)
  }
  assert.deepEqual(
    server.received.map(({ user }) => user),
    ['gate'],
  )
})

test('what people call themselves makes no header, no markup and no link in a letter', () => {
  const hostile = 'Ada\r\nBcc: all@people.example\n<script>x</script> http://evil.example/ www.evil.example \u202e'
  for (const kind of kinds) {
    const facts = {
      site: hostile,
      name: hostile,
      device: hostile,
      address: hostile,
      time: hostile,
      link: 'https://gate.example.com/x',
      minutes: 30,
    }
    const { subject, text, html } = compose(kind, facts, {}, undefined)
    assert.ok(!/[\r\n]/.test(subject), kind)
    assert.ok(!/evil\.example/.test(subject + text + html), kind)
    assert.ok(!html.includes('<script'), kind)
    assert.ok(!/\n\s*Bcc:/.test(text), kind)
  }
})

test('letters to addresses that nobody has proven carry no name that somebody chose', () => {
  for (const kind of ['verify', 'registered-already', 'email-change', 'invitation'] as const) {
    const { subject, text } = compose(
      kind,
      { site: 'Example', name: 'CHOSEN', link: 'https://x', minutes: 30 },
      {},
      undefined,
    )
    assert.ok(!(subject + text).includes('CHOSEN'), kind)
  }
})

test('every letter is whole: no fact is left in braces, and a link stands where there is one', () => {
  for (const kind of kinds) {
    const facts = {
      site: 'Example',
      name: 'Ada',
      link: 'https://gate.example.com/x?token=1&a=2',
      minutes: 1_440,
      device: 'Firefox on Linux',
      address: '192.0.2.1',
      time: 'today',
    }
    const { subject, text, html } = compose(kind, facts, {}, undefined)
    assert.ok(!/[{}]/.test(subject + text), kind)
    if (text.includes('https://')) assert.match(html, /href="https:\/\/gate\.example\.com\/x\?token=1&amp;a=2"/)
  }
})

test('other words, by language, fall back to English; a mistake in them is told at load', () => {
  const options = mailOptions.parse({
    from,
    folder: '.',
    texts: { de: { reset: { subject: 'Neues Passwort', body: 'Hier: {link}\n\nFür {duration}.' } } },
  })
  const facts = { site: 'Example', name: 'Ada', link: 'https://x', minutes: 30 }
  assert.equal(compose('reset', facts, options.texts, 'de').subject, 'Neues Passwort')
  assert.match(compose('reset', facts, options.texts, 'fr').subject, /new password/)
  assert.match(compose('invitation', facts, options.texts, 'de').subject, /invited/)
  for (const [given, path, message] of [
    [
      { from, folder: '.', texts: { de: { reset: { subject: 'x', body: '{token}' } } } },
      'texts.de.reset.body',
      /no fact/,
    ],
    [
      { from, folder: '.', texts: { de: { reset: { subject: 'x', body: 'no link' } } } },
      'texts.de.reset.body',
      /leads nowhere/,
    ],
    [{ from, folder: '.', texts: { de: { letter: {} } } }, 'texts.de', /letter/],
    [{ from: 'a@b.c\r\nBcc: x@y.z', folder: '.' }, 'from', /mailbox/],
    [{ from: 'nobody', folder: '.' }, 'from', /mailbox/],
    [{ from }, 'smtp', /either/],
    [{ from, folder: '.', smtp: { host: 'localhost' } }, 'smtp', /either/],
    [{ from, smtp: { host: 'smtp.example.com', security: 'none' } }, 'smtp.security', /loopback/],
    [{ from, smtp: { host: 'smtp.example.com', user: 'x' } }, 'smtp.password', /belong together/],
    [{ from, smtp: { host: 'smtp.example.com', colour: 'x' } }, 'smtp', /colour/],
  ] as const) {
    const issues = mailOptions.safeParse(given).error?.issues ?? []
    assert.ok(
      issues.some((issue) => issue.path.join('.') === path && message.test(issue.message)),
      `${path}: ${JSON.stringify(issues)}`,
    )
  }
})
