// Whether one caller can have others refused: in a world of its own, as in load.test.ts, and through the front door.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { loadOptions } from '../../src/limits/load/options.ts'
import { UpstreamLoad } from '../../src/limits/load/upstream.ts'
import { eventually } from '../support/eventually.ts'
import { startHouse, startUpstream } from '../support/house.ts'
import { between, constant, exponential, numbers, simulate, World } from './load-simulation.ts'

/** An upstream that does any number of things at a time, and who asks it for what. */
function openWorld() {
  const world = new World()
  const random = numbers(5)
  const load = new UpstreamLoad(loadOptions.parse({}).upstreams, () => world.now, constant(0))
  const answers = new Map<string, boolean[]>()
  return {
    world,
    load,
    /** What was answered, and refused, to somebody: `good`, `evil`. */
    refusedOf: (who: string) => answers.get(who)?.filter((taken) => !taken).length ?? 0,
    askedOf: (who: string) => answers.get(who)?.length ?? 0,
    ask(who: string, caller: string, { ms = 20, uploadMs = 0, status = 200, route = 'all' }) {
      const place = load.admit(load.usual(route), 'normal', caller, world.now)
      const list = answers.get(who) ?? []
      answers.set(who, list)
      list.push(place !== undefined)
      if (place === undefined) return false
      world.in(uploadMs, () => {
        place.begin()
        world.in(ms, () => place.answered(status))
      })
      return true
    },
    /** So often a second, between two moments. */
    often(perSecond: number, fromMs: number, toMs: number, act: () => void) {
      const again = (): void => {
        if (world.now >= toMs) return
        act()
        world.in((1_000 / perSecond) * (0.5 + random()), again)
      }
      world.in(fromMs, again)
    },
    person: () => `person ${Math.floor(random() * 30)}`,
  }
}

for (const [name, count, ms, perSecond] of [
  ['twenty reports of eight seconds on a quiet upstream', 20, 8_000, 4],
  ['two hundred of four seconds on a busy one', 200, 4_000, 50],
  ['a thousand long polls', 1_000, 60_000, 50],
] as const)
  test(`TR7: others are answered however much one caller asks for: ${name}`, () => {
    const { world, ask, often, person, refusedOf, askedOf } = openWorld()
    often(perSecond, 0, 180_000, () => ask('good', person(), {}))
    often(4, 0, 30_000, () => ask('good', person(), { route: 'report' }))
    for (let n = 0; n < count; n++) {
      // Asked for again as soon as it is there, and time after time where it is refused.
      const again = (): void => world.in(ask('evil', 'one', { ms, route: 'report' }) ? ms : 100, again)
      world.in(30_000 + n, again)
    }
    world.until(180_000)
    assert.ok(refusedOf('evil') > 0, 'who asks for so much is refused some of it')
    // Now and then it is tried out whether fewer are answered sooner: then some of the others are among the fewer.
    assert.ok(refusedOf('good') < 0.05 * askedOf('good'), `${refusedOf('good')} of ${askedOf('good')}`)
  })

test('TR7: uploads that one caller lets trickle in take no places from others, also of a limit that has become small', () => {
  const { world, load, ask, often, person, refusedOf, askedOf } = openWorld()
  load.follow({ ...loadOptions.parse({}).upstreams, most: 8 })
  often(20, 0, 60_000, () => ask('good', person(), {}))
  often(20, 5_000, 60_000, () => ask('evil', 'one', { uploadMs: 25_000 }))
  world.until(60_000)
  assert.ok(refusedOf('evil') > 0)
  assert.ok(refusedOf('good') < 0.02 * askedOf('good'), `${refusedOf('good')} of ${askedOf('good')}`)
})

test('TR7: a flood of requests for what is not there, which is said quickly, does not make everything else look late', () => {
  const { world, ask, often, person, refusedOf } = openWorld()
  often(150, 0, 80_000, () => ask('good', person(), { ms: 100 }))
  often(1_500, 20_000, 60_000, () => ask('evil', person(), { ms: 1, status: 404 }))
  world.until(80_000)
  assert.equal(refusedOf('good'), 0)
})

test('TR7: whoever is alone may have every place, and holds no more of them once there are others', () => {
  const { load, ask, world } = openWorld()
  load.follow({ ...loadOptions.parse({}).upstreams, most: 8 })
  for (let n = 0; n < 8; n++) assert.equal(ask('one', 'one', { ms: 1_000 + n }), true)
  assert.equal(ask('one', 'one', {}), false)
  assert.equal(
    ask('other', 'other', { ms: 10_000 }),
    true,
    'one caller stands in nobody’s way with more than half of them',
  )
  world.until(1_001)
  assert.equal(ask('one', 'one', {}), false, 'more than is left for others')
  world.until(1_010)
  assert.equal(ask('one', 'one', {}), true)
})

for (const callers of [20, 100_000])
  test(`offered three times what it can do by ${callers} callers, an upstream is given what it can do`, () => {
    const random = numbers(7)
    const { fates } = simulate({
      workers: 8,
      routes: [{ share: 1, serviceMs: exponential(20, random) }],
      offered: (at) => (at < 10_000 ? 200 : 1_200),
      seconds: 40,
      caller: () => `${Math.floor(random() * callers)}`,
    })
    const [calm, flood] = [between(fates, 1, 9), between(fates, 12, 39)]
    assert.equal(calm.refused, 0)
    assert.ok(flood.p99Ms < 3 * calm.p99Ms, `p99 ${flood.p99Ms} ms, was ${calm.p99Ms} ms`)
    assert.ok(flood.perSecond > 0.8 * 400, `${flood.perSecond} a second`)
  })

test('a caller that brings nearly everything, such as a site in front, gets nearly everything that can be done', () => {
  const random = numbers(9)
  const { fates } = simulate({
    workers: 8,
    routes: [{ share: 1, serviceMs: exponential(20, random) }],
    offered: (at) => (at < 10_000 ? 200 : 1_200),
    seconds: 40,
    caller: () => (random() < 0.98 ? 'a site' : 'a monitor'),
  })
  const flood = between(fates, 12, 39)
  assert.ok(flood.perSecond > 0.8 * 400, `${flood.perSecond} a second`)
})

test('TR7: one address that has every place of an upstream keeps no other one out, whatever it writes into its fields', async (context) => {
  const held: ServerResponse[] = []
  const api = await startUpstream(context, (request, response) => {
    if (request.url === '/held') held.push(response)
    else response.end('done')
  })
  const gate = await startHouse(context, {
    listen: { trustedProxies: ['127.0.0.1'] },
    upstreams: { api: api.url },
    shield: { load: { upstreams: { least: 1, most: 4 } } },
    limits: false,
    routes: [{ path: '/*', access: 'public', to: 'api' }],
  })
  const ask = async (path: string, from: string): Promise<number> =>
    (await fetch(gate.url + path, { headers: { 'x-forwarded-for': from } })).status
  const waiting = Array.from({ length: 4 }, (_, n) => ask('/held', `2001:db8::${n + 1}`))
  await eventually(() => (held.length === 4 ? true : undefined))
  assert.equal(await ask('/quick', '2001:db8::99'), 503, 'of the same /64')
  assert.equal(
    await ask('/quick', '198.51.100.1, 2001:db8::99'),
    503,
    'what a client writes before the last hop is its own word',
  )
  assert.equal(await ask('/quick', '198.51.100.1'), 200)
  for (const response of held.splice(0)) response.end('at last')
  assert.deepEqual(await Promise.all(waiting), [200, 200, 200, 200])
})
