import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { openStore } from '../../src/store/database.ts'
import { run } from '../cli/in-process.ts'
import { testClock } from '../support/clock.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startHouse } from '../support/house.ts'
import { eventsSoon, incidentsSoon } from '../support/record.ts'

test('A60: a record that is not what was signed becomes an event and a critical incident', async (context) => {
  const clock = testClock()
  const { house, url, signIn } = await startHouse(
    context,
    { store: 'sqlite::memory:', audit: { checkpoint: '1s' }, limits: false },
    { roles: ['admin'], clock },
  )
  const token = await signIn()
  const { db } = house.store
  await eventually(async () => {
    clock.advance(1_000)
    return db.selectFrom('audit_checkpoints').select('size').executeTakeFirst()
  })
  await db.deleteFrom('audit_checkpoints').execute()
  clock.advance(1_000)
  const [incident] = await incidentsSoon(url, token, 'record-broken')
  assert.deepEqual([incident?.severity, incident?.occurrences], ['critical', 1])
  const [event] = await eventsSoon(url, token, 'action=record-broken')
  assert.match(String(event?.details['reason']), /^the checkpoint over \d+ events is gone$/)
})

test('A60: `audit verify` names what was done to the record also where nothing can be chained any more', async (context) => {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const url = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store: url }))
  const call = (deed: string): ReturnType<typeof run> => run(audit, [deed, '--config', config, '--data', dir])
  for (let times = 0; times < 3; times++) await call('checkpoint')
  const store = await openStore(url)
  await store.db.deleteFrom('audit_head').execute()
  await store.close()
  const { code, err } = await call('verify')
  assert.equal(code, 1, err)
  assert.match(err, /^the chain is broken at event 3: head: the row that says where the chain ends is gone$/m)
})
