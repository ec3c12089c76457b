// Threads of one house on PostgreSQL: each has connections of its own there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { command as audit } from '../../src/cli/audit.ts'
import { run } from '../cli/in-process.ts'
import { throwAwaySchema } from '../support/postgres.ts'
import { signedIn, threadScene, unhurried } from './scene.ts'

test('A10: what one thread commits to PostgreSQL holds on every other at its next request', async (context) => {
  const store = await throwAwaySchema()
  const { running, lines, file } = await threadScene(context, 3, (api) => ({
    store,
    limits: unhurried,
    upstreams: { api },
    routes: [{ path: '/known', access: 'authenticated', to: 'api' }],
  }))
  for (let round = 0; round < 4; round++) {
    for (const line of lines) {
      const { headers } = await signedIn(line)
      const statuses = (): Promise<number[]> =>
        Promise.all(lines.map(async (one) => (await one.ask('GET', '/known', headers)).status))
      assert.deepEqual(await statuses(), [200, 200, 200])
      assert.equal((await line.ask('POST', '/api/auth/logout', headers)).status, 200)
      assert.deepEqual(await statuses(), [401, 401, 401])
    }
  }
  assert.equal(await running.stop('SIGTERM'), 0)
  const verified = await run(audit, ['verify', '--data', running.dataDir, '--config', file])
  assert.equal(verified.code, 0, verified.err)
})
