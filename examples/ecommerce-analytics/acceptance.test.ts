import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, lettersIn } from '../../test/support/letters.ts'
import { administrator, command, post, type Running, signIn, startProcess } from '../../test/support/process.ts'

const config = ['--config', 'examples/ecommerce-analytics/gatehouse.config.ts']
const eve = { email: 'eve@example.com', password: 'a passphrase of Eve herself' }

test('e-commerce analytics', async (context) => {
  const letters = mkdtempSync(join(tmpdir(), 'letters-'))
  const environment = { ANALYTICS_LETTERS: letters }
  const house: Running = await startProcess(context, config, { environment })
  const created = await command(['user', 'create', eve.email, '--role', 'viewer', '--data', house.dataDir, ...config], {
    ...environment,
    GATEHOUSE_USER_PASSWORD: eve.password,
  })
  assert.equal(created.code, 0, created.err)

  await context.test('ID1 AZ1: a viewer reads, an analyst writes too, and only an admin manages users', async () => {
    const { access_token } = await signIn(house.url, eve)
    const bearer = { authorization: `Bearer ${access_token}` }
    assert.equal((await fetch(`${house.url}/api/analytics/sales`, { headers: bearer })).status, 200)
    assert.equal((await post(`${house.url}/api/analytics/reports`, {}, bearer)).status, 403)
    assert.equal((await fetch(`${house.url}/api/users`, { headers: bearer })).status, 403)
    const admin = await signIn(house.url, administrator)
    assert.equal(
      (await fetch(`${house.url}/api/users`, { headers: { authorization: `Bearer ${admin.access_token}` } })).status,
      200,
    )
  })

  await context.test(
    'ID3 E: 5 failures in an hour of a user from an address block the address, and the owner is told',
    async () => {
      for (let time = 0; time < 5; time++)
        assert.equal((await post(`${house.url}/api/auth/login`, { email: eve.email, password: 'wrong' })).status, 401)
      assert.equal((await post(`${house.url}/api/auth/login`, eve)).status, 401)
      assert.equal(
        (await post(`${house.url}/api/auth/login`, administrator)).status,
        401,
        'the address is blocked for everybody',
      )
      const letter = await eventually(() => lettersIn(letters).find((each) => each.includes(`To: ${eve.email}`)))
      assert.match(letter, /sign/i)
    },
  )
})
