// Posts letters and sends them until it is killed, and prints the number of each one that was committed:
// `posting-process.ts URL PORT FROM COUNT`.
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type MailOptions, mailOptions } from '../../src/mail/options.ts'
import { Outbox } from '../../src/mail/outbox.ts'
import { openStore } from '../../src/store/database.ts'

/** The same for all processes on one store. */
export const rootSecret = 'a root secret for the tests, long enough'

export function optionsFor(port: number, config: Readonly<Record<string, unknown>> = {}): MailOptions {
  return mailOptions.parse({
    from: 'Example <no-reply@example.com>',
    smtp: { host: '127.0.0.1', port, security: 'none', timeout: '5s' },
    ...config,
  })
}

if (import.meta.main) {
  const [url, port, from, count] = process.argv.slice(2) as [string, string, string, string]
  const store = await openStore(url)
  const outbox = new Outbox({
    options: optionsFor(Number(port)),
    root: rootKey(rootSecret),
    clock: systemClock,
    random: systemRandom,
    log: silent,
  })
  for (let number = Number(from); number < Number(from) + Number(count); number++) {
    await store.transaction((trx) =>
      outbox.post(trx, {
        to: `p${number}@people.example`,
        kind: 'verify',
        facts: { site: 'Example', link: 'https://gate.example.com/auth/verify', minutes: 60 },
      }),
    )
    process.stdout.write(`${number}\n`)
    await outbox.drain(store.db)
  }
}
