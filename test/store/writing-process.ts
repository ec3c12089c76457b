// Counts up in a store that others count up in too: `writing-process.ts URL STEPS PROCESSES`. They begin together, and each
// step reads first and writes later.
import { setTimeout as pause } from 'node:timers/promises'
import { openStore } from '../../src/store/database.ts'

const [url, steps, processes] = process.argv.slice(2) as [string, string, string]
const store = await openStore(url)
await store.db
  .insertInto('house')
  .values({ name: 'steps', value: '0' })
  .onConflict((clash) => clash.doNothing())
  .execute()
await store.db
  .insertInto('house')
  .values({ name: `ready ${process.pid}`, value: '' })
  .execute()
while (
  (await store.db.selectFrom('house').select('name').where('name', 'like', 'ready %').execute()).length <
  Number(processes)
)
  await pause(5)
for (let step = 0; step < Number(steps); step++) {
  await store.transaction(async (trx) => {
    const found = trx.selectFrom('house').select('value').where('name', '=', 'steps')
    const { value } = await (store.kind === 'postgres' ? found.forUpdate() : found).executeTakeFirstOrThrow()
    await trx
      .updateTable('house')
      .set({ value: String(Number(value) + 1) })
      .where('name', '=', 'steps')
      .execute()
  })
}
await store.close()
