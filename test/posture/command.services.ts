// `gatehouse doctor` of a house whose store is a server.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as doctor } from '../../src/cli/doctor.ts'
import { isMade } from '../../src/store/made.ts'
import { run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { throwAwaySchema } from '../support/postgres.ts'

test('PO1: on an empty server the doctor makes no tables and no root secret, whoever has the secret', async (context) => {
  const folder = throwAwayFolder(context)
  const [file, data, store] = [join(folder, 'gate.json'), join(folder, 'data'), await throwAwaySchema()]
  writeFileSync(file, JSON.stringify({ store }))
  for (const environment of [{}, { GATEHOUSE_SECRET: Buffer.alloc(32, 7).toString('base64') }]) {
    const answer = await run(doctor, ['--json', '--config', file, '--data', data], environment)
    assert.equal(answer.code, 0, answer.err)
    const { checks } = JSON.parse(answer.out) as { readonly checks: readonly { readonly found: string }[] }
    assert.ok(checks.some(({ found }) => found === 'there is no store yet: the first start makes it'))
  }
  assert.deepEqual([await isMade(store), existsSync(data)], [false, false])
})
