// Notes 600 events and then does nothing more: `noting-process.ts URL close|leave`.
import { openAuditLog } from '../../src/audit/log.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import { openStore } from '../../src/store/database.ts'
import { numbers, sampleEvent, wrappingKey } from './sample.ts'

const [url, deed] = process.argv.slice(2) as [string, string]
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
for (const number of numbers(600)) audit.note(sampleEvent(number))
if (deed === 'close') await audit.close()
