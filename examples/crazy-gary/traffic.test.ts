import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClock } from '../../test/support/clock.ts'
import { admissions, mostInAnyWindow, toTheEdge } from '../../test/support/edge.ts'
import { startHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import config from './gatehouse.config.ts'

const hour = 3_600_000

test('TR1 C: each category to its edge: the last request let through, the first refused, the one after the wait', async (context) => {
  const clock = testClock()
  const house = await startHouse(
    context,
    { ...config, audit: {}, store: 'sqlite::memory:' },
    { clock, roles: ['admin'] },
  )
  const authorization = { authorization: `Bearer ${await house.signIn()}` }
  const get = (path: string) => (): Promise<Response> => fetch(house.url + path, { headers: authorization })
  const make = (path: string) => (): Promise<Response> => post(house.url + path, {}, authorization)

  await toTheEdge(clock, { type: 'general', limit: 1000, admits: 50 }, get('/api/tasks'))
  await toTheEdge(clock, { type: 'task-creation', limit: 100, admits: 10 }, make('/api/tasks'))
  await toTheEdge(clock, { type: 'endpoint-management', limit: 100, admits: 10 }, make('/api/endpoints'))
  await toTheEdge(clock, { type: 'monitoring', limit: 500, admits: 25 }, get('/api/monitoring/load'))
  await toTheEdge(clock, { type: 'mcp-tools', limit: 200, admits: 20 }, get('/api/mcp/tools'))
  await toTheEdge(clock, { type: 'health', limit: 60, admits: 5 }, () => fetch(`${house.url}/health`))
  clock.advance(hour)
  const tryOut = (): Promise<Response> =>
    post(`${house.url}/api/auth/login`, { email: 'nobody@example.com', password: 'whatever comes to mind' })
  await toTheEdge(clock, { type: 'authentication', limit: 10, admits: 3 }, tryOut)
  clock.advance(2 * hour)
  // However long they go on: ten in any hour.
  const admitted = await admissions(clock, 2 * hour, tryOut)
  assert.ok(admitted.length >= 18, `${admitted.length} in two hours`)
  assert.equal(mostInAnyWindow(admitted, hour), 10)
})
