import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../../test/support/clock.ts'
import { admissions, mostInAnyWindow, toTheEdge } from '../../test/support/edge.ts'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse, type TestHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import config from './gatehouse.config.ts'

const minute = 60_000
const hour = 60 * minute

test('TR3 A: exact windows, several on one request: of a tool, a person, an address, everybody', async (context) => {
  const clock = testClock()
  const mail = { ...config.mail, from: 'x@assistant.example', folder: throwAwayFolder(context) }
  const listen = { trustedProxies: ['127.0.0.1'] }
  const house: TestHouse = await startHouse(
    context,
    { ...config, mail, listen, store: 'sqlite::memory:' },
    { clock, roles: ['user'] },
  )
  const token = await house.signIn()
  const from = (address: string, path: string, more: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(house.url + path, { headers: { 'x-forwarded-for': address, ...more } })
  const asAda = { authorization: `Bearer ${token}` }
  const tool = (): Promise<Response> => post(`${house.url}/api/tools/search`, {}, asAda)

  await toTheEdge(clock, { type: 'tool', limit: 10, admits: 10 }, tool)
  // Exact: ten in any minute, and not one less than that.
  clock.advance(minute)
  const admitted = await admissions(clock, 3 * minute, tool)
  assert.equal(mostInAnyWindow(admitted, minute), 10)
  assert.ok(admitted.length >= 30, `${admitted.length} in three minutes`)

  clock.advance(hour)
  let bearer = `Bearer ${token}`
  let turn = 0
  await toTheEdge(clock, { type: 'person', limit: 100, admits: 100 }, async () => {
    const address = `198.51.100.${turn++ % 200}`
    const answer = await from(address, '/api/conversations', { authorization: bearer })
    if (answer.status !== 401) return answer
    bearer = `Bearer ${await house.signIn()}` // the first has run out
    return from(address, '/api/conversations', { authorization: bearer })
  })
  clock.advance(hour)
  // At a pace that `health`, which these keys belong to as well, does not mind.
  const keys = (address: string): Promise<Response> => {
    clock.advance(100)
    return from(address, '/.well-known/jwks.json')
  }
  await toTheEdge(clock, { type: 'address', limit: 500, admits: 500 }, () => keys('203.0.113.1'))
  clock.advance(hour)
  await toTheEdge(clock, { type: 'global', limit: 1000, admits: 1000 }, () => keys(`192.0.2.${turn++ % 200}`))
  clock.advance(hour)
  const tryOut = (): Promise<Response> =>
    post(`${house.url}/api/auth/login`, { email: 'nobody@example.com', password: 'whatever comes to mind' })
  await toTheEdge(clock, { type: 'authentication', limit: 5, admits: 5 }, tryOut)
})
