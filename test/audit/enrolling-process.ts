// Makes changes with their events until it is killed, and prints the number of each one that was committed:
// `enrolling-process.ts URL FROM`.
import { openAuditLog } from '../../src/audit/log.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { sampleEvent, wrappingKey } from './sample.ts'

const [url, from] = process.argv.slice(2) as [string, string]
const store = await openStore(url)
const audit = await openAuditLog({
  store,
  url,
  wrappingKey,
  clock: systemClock,
  random: systemRandom,
  log: silent,
  thread: true,
})
for (let number = Number(from); ; number++) {
  await store.transaction(async (trx) => {
    await trx
      .insertInto('house')
      .values({ name: `change ${number}`, value: '' })
      .execute()
    await audit.enroll(trx, { ...sampleEvent(number), actor: { id: `user-${number}`, type: 'user' } }) // with a key of their own
  })
  audit.wake()
  process.stdout.write(`${number}\n`)
}
