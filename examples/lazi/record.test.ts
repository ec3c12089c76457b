import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHouse } from '../../test/support/house.ts'
import { postElsewhere } from '../../test/support/process.ts'
import { asked, eventsSoon, incidentsSoon, member } from '../../test/support/record.ts'
import config from './gatehouse.config.ts'

test('Lazi: what happened is remembered, by type, and guessing is looked at', async (context) => {
  const house = await startHouse(
    context,
    { ...config, publicUrl: 'http://localhost:8080', store: 'sqlite::memory:' },
    { roles: ['admin'] },
  )
  const token = await house.signIn()

  await context.test('AU1: signing in, being refused, asking, and administering are told apart', async () => {
    const { id, bearer } = await member(house, 'lou@example.com', ['user'])
    await fetch(`${house.url}/api/widgets`, { headers: { authorization: bearer } })
    const refused = await fetch(`${house.url}/api/admin/users`, { headers: { authorization: bearer } })
    assert.equal(refused.status, 403)
    const locked = await fetch(`${house.url}/api/admin/users/${id}/lock`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'left the company' }),
    })
    assert.equal(locked.status, 200, await locked.text())
    for (const [type, result] of [
      ['authentication', 'success'],
      ['authorization_failure', 'denied'],
      ['api_access', 'success'],
    ]) {
      const [event] = await eventsSoon(house.url, token, `type=${type}&result=${result}&actor=${id}`)
      assert.deepEqual([event?.type, event?.actor.id, event?.address !== ''], [type, id, true])
    }
    const [act] = await eventsSoon(house.url, token, `type=admin_action&resource_type=user&resource=${id}`)
    assert.deepEqual([act?.action, act?.private], ['user.lock', { reason: 'left the company' }])
  })

  await context.test('AU3: events are counted by type, for whoever may see them and nobody else', async () => {
    type Count = { readonly counts: readonly { readonly value: string; readonly events: number }[] }
    const { counts } = await asked<Count>(`${house.url}/api/admin/audit/count?by=type`, token)
    assert.ok(counts.length >= 4, JSON.stringify(counts))
    const other = await member(house, 'max@example.com', ['user'])
    const refused = await fetch(`${house.url}/api/admin/audit/count?by=type`, {
      headers: { authorization: other.bearer },
    })
    assert.equal(refused.status, 403)
  })

  await context.test('AU6 ID3 L: five wrong passwords of one account from one address are looked at', async () => {
    const { id, email } = await member(house, 'guessed@example.com', ['user'])
    for (let tried = 0; tried < 5; tried++)
      await postElsewhere(`${house.url}/api/auth/login`, { email, password: 'wrong and wrong again' }, {}, '127.4.4.4')
    const [incident] = await incidentsSoon(house.url, token, 'brute-force')
    assert.deepEqual(new Set(incident?.targets.map((one) => one.id)), new Set([id, '127.4.4.4']))
  })
})
