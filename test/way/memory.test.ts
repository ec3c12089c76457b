// In a process of its own: it weighs the heap.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Pool } from 'undici'
import { startHouse, startUpstream } from '../support/house.ts'

test('tens of thousands of requests, let through and refused, leave the heap where it was after the first', async (context) => {
  const upstream = await startUpstream(context, (_request, response) => response.end('ok'))
  const { url, house, signIn } = await startHouse(context, {
    upstreams: { api: upstream.url },
    limits: false,
    routes: [{ path: '/things/:id', access: 'authenticated', to: 'api' }],
  })
  const authorization = `Bearer ${await signIn()}`
  const pool = new Pool(url, { connections: 32 })
  context.after(() => pool.close())
  const statuses = new Map<number, number>()
  const send = async (count: number): Promise<void> => {
    let left = count
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const known = left % 4 !== 0
        const { statusCode, body } = await pool.request({
          method: 'GET',
          path: `/things/${left}`,
          headers: known ? { authorization } : { authorization: `Bearer wrong${left}` },
        })
        await body.dump()
        statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 32 }, caller))
    await house.audit.flush()
  }
  await send(5_000)
  const before = held()
  await send(20_000)
  const grownMb = (held() - before) / 1024 / 1024
  assert.deepEqual([...statuses.keys()].sort(), [200, 401])
  assert.ok(grownMb < 6, `grew by ${grownMb.toFixed(1)} MB over 20,000 requests`)
})

/** Bytes of the heap that are still referred to. */
function held(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
