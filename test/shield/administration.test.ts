// Blocks through the front door: who may make and lift them, and when that holds.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { errorsOf, type RoleScene, roleScene, roles, type Somebody } from '../roles/scene.ts'
import { type Answer, bearer } from '../support/people.ts'

let at: RoleScene
let guard: Somebody
const closing: (() => unknown)[] = []

before(async () => {
  at = await roleScene({ after: (close: () => unknown) => void closing.push(close) } as never, {
    listen: { trustedProxies: ['127.0.0.1'] },
    roles: { ...roles, guard: { permissions: ['traffic:manage'] } },
  })
  guard = await at.somebody('guard')
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

const reason = 'guesses passwords'

function ask(method: string, path = '', body?: object, who = guard, from = '192.0.2.77'): Promise<Answer> {
  return at.people.api(method, `/api/admin/addresses${path}`, body, { ...bearer(who), 'x-forwarded-for': from })
}

async function from(address: string): Promise<Answer> {
  return at.people.api('GET', '/health', undefined, { 'x-forwarded-for': address })
}

function blocksOf({ body }: Answer): readonly Record<string, unknown>[] {
  return body['addresses'] as readonly Record<string, unknown>[]
}

test('TR7: an address is blocked from the next request on, shown to whoever asks, and lifted', async () => {
  const made = await ask('POST', '', { address: '203.0.113.9', reason, duration: '1h' })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const { created_at, expires_at, ...rest } = made.body
  assert.equal(Date.parse(String(expires_at)) - Date.parse(String(created_at)), 3_600_000)
  const described = { id: '203.0.113.9_32', network: '203.0.113.9/32', source: 'administrator', reason }
  assert.deepEqual(rest, { ...described, created_by: guard.id })
  const refused = await from('203.0.113.9')
  assert.equal(refused.status, 429)
  assert.equal(refused.body['detail'], `this address is blocked until ${expires_at}: ${reason}`)
  assert.ok(Number(refused.headers.get('retry-after')) > 3_590)
  assert.equal((await from('203.0.113.8')).status, 200)
  assert.deepEqual(blocksOf(await ask('GET', '?address=203.0.113.9')), [made.body])
  assert.deepEqual(blocksOf(await ask('GET', '?address=%3A%3Affff%3A203.0.113.9')), [made.body])
  assert.deepEqual(blocksOf(await ask('GET', '?address=203.0.113.8')), [])
  assert.equal((await ask('DELETE', '/203.0.113.9_32')).status, 200)
  assert.equal((await from('203.0.113.9')).status, 200)
  assert.equal((await ask('DELETE', '/203.0.113.9_32')).status, 404)
})

test('TR7: a network is blocked without end, whatever lies in it, until it is lifted', async () => {
  const made = await ask('POST', '', { network: '2001:db8:bad::/48', reason, permanent: true })
  assert.deepEqual([made.status, made.body['expires_at'], made.body['id']], [201, undefined, '2001:db8:bad::_48'])
  const inside = await ask('POST', '', { address: '2001:db8:bad:1::7', reason: 'inside', duration: '10m' })
  assert.equal(inside.body['network'], '2001:db8:bad:1::/64', 'an IPv6 address stands for its /64')
  const refused = await from('2001:db8:bad:1::1')
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, null])
  assert.equal(refused.body['detail'], `this address is blocked: ${reason}`)
  assert.equal((await from('2001:db8:bae::1')).status, 200)
  const held = blocksOf(await ask('GET', '?address=2001%3Adb8%3Abad%3A1%3A%3A9')).map(({ network }) => network)
  assert.deepEqual(held, ['2001:db8:bad::/48', '2001:db8:bad:1::/64'])
  assert.equal((await ask('DELETE', '/2001:db8:bad::_48')).status, 200)
  assert.equal((await from('2001:db8:bad:1::1')).status, 429, 'what is blocked inside stays so')
  assert.equal((await from('2001:db8:bad:2::1')).status, 200)
  assert.equal((await ask('DELETE', '/2001%3Adb8%3Abad%3A1%3A%3A_64')).status, 200)
})

test('TR7: nobody locks themself out unknowingly', async () => {
  for (const body of [
    { address: '192.0.2.77' },
    { network: '192.0.2.0/24' },
    { network: '0.0.0.0/0' },
    { network: '192.0.2.77/32' },
  ]) {
    const answer = await ask('POST', '', { ...body, reason, duration: '1h' })
    assert.equal(answer.status, 409, JSON.stringify(body))
    assert.deepEqual(errorsOf(answer), { force: ['your own address is within'] })
  }
  const mapped = await ask('POST', '', { address: '::ffff:192.0.2.77', reason, duration: '1h' })
  assert.equal(mapped.status, 409)
  const elsewhere = { network: '198.18.0.0/15', reason, duration: '1h', force: true }
  assert.equal((await ask('POST', '', elsewhere, guard, '198.18.0.1')).status, 201)
  assert.equal((await ask('GET', '', undefined, guard, '198.18.0.1')).status, 429, 'said is done')
  assert.equal((await ask('DELETE', '/198.18.0.0_15')).status, 200, 'from elsewhere it is lifted')
})

test('TR7: of two who block one network at one moment, one does, and the other is told', async () => {
  for (let turn = 0; turn < 4; turn++) {
    const body = { network: `198.51.${turn}.0/24`, reason, duration: '1h' }
    const made = await Promise.all([1, 2, 3].map(() => ask('POST', '', body)))
    assert.deepEqual(made.map(({ status }) => status).toSorted(), [201, 409, 409])
    const lifted = await Promise.all([1, 2, 3].map(() => ask('DELETE', `/198.51.${turn}.0_24`)))
    assert.deepEqual(lifted.map(({ status }) => status).toSorted(), [200, 404, 404])
  }
  await at.people.house.audit.flush()
  const events = (await at.people.events()).filter(({ resource }) => resource.id === '198.51.0.0/24')
  assert.deepEqual(
    events.map(({ action, actor, details }) => [action, actor.id, details['reason']]),
    [
      ['address.block', guard.id, reason],
      ['address.lift', guard.id, reason],
    ],
  )
})

test('TR7: what the house blocked is listed, and lifted by whoever may', async () => {
  const { traffic, store } = at.people.house
  traffic.blockBook.block('203.0.113.50', '203.0.113.50', 'over 10 requests in 1 s', 3_600_000)
  assert.equal((await from('203.0.113.50')).status, 429)
  const [block] = blocksOf(await ask('GET', '?address=203.0.113.50'))
  assert.deepEqual([block?.['id'], block?.['source'], block?.['created_by']], ['203.0.113.50_32', 'rate', 'gatehouse'])
  assert.equal((await ask('DELETE', '/203.0.113.50_32')).status, 200, 'written down yet or not')
  assert.equal((await from('203.0.113.50')).status, 200)
  await traffic.blockBook.flush(store, async () => undefined)
  await traffic.blockBook.hear(store.db)
  assert.equal((await from('203.0.113.50')).status, 200, 'what waited to be written comes too late')
})

test('TR7: blocks are listed by pages', async () => {
  for (let n = 0; n < 5; n++)
    assert.equal((await ask('POST', '', { address: `203.0.113.${100 + n}`, reason, duration: '1h' })).status, 201)
  const seen: unknown[] = []
  let query = '?limit=2'
  for (let page = 0; page < 10 && query !== ''; page++) {
    const answer = await ask('GET', query)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    seen.push(...blocksOf(answer).map(({ network }) => network))
    query = answer.body['next'] === undefined ? '' : `?limit=2&after=${answer.body['next']}`
  }
  assert.deepEqual(
    seen,
    ['100', '101', '102', '103', '104'].map((last) => `203.0.113.${last}/32`),
  )
  for (const wrong of [
    '?limit=0',
    '?after=1',
    '?after=1.2_3',
    '?after=%00',
    '?address=',
    '?address=10.0.0.0%2F8',
    '?page=1',
  ])
    assert.equal((await ask('GET', wrong)).status, 422, wrong)
})

test('TR7: what is wrong with a block is told field by field', async () => {
  const wrong = async (body: object, field: string, message: RegExp): Promise<void> => {
    const answer = await ask('POST', '', body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    assert.match(errorsOf(answer)[field]?.join() ?? JSON.stringify(answer.body), message)
  }
  const fits = { address: '203.0.113.7', reason, duration: '1h' }
  await wrong({}, 'reason', /./)
  await wrong({ reason, duration: '1h' }, 'address', /`address` or `network`/)
  await wrong({ ...fits, network: '10.0.0.0/8' }, 'address', /one of the two/)
  await wrong({ ...fits, address: '203.0.113.0/24' }, 'address', /expected an address/)
  await wrong({ ...fits, address: '203.0.113.7\0' }, 'address', /expected an address/)
  await wrong({ reason, duration: '1h', network: '203.0.113.7/24' }, 'network', /without bits behind its prefix/)
  await wrong({ ...fits, reason: '' }, 'reason', /./)
  await wrong({ ...fits, reason: 'a\u001b[2J' }, 'reason', /one line of text/)
  await wrong({ ...fits, duration: '1 h' }, 'duration', /such as `1h`/)
  await wrong({ ...fits, duration: '999y' }, 'duration', /`1s` to `10y`/)
  await wrong({ ...fits, permanent: true }, 'duration', /one of the three/)
  await wrong({ address: '203.0.113.7', reason, until: '2001-01-01T00:00:00Z' }, 'until', /a time to come/)
  await wrong({ address: '203.0.113.7', reason, until: 'tomorrow' }, 'until', /./)
  await wrong({ ...fits, permanent: false }, 'permanent', /./)
  await wrong({ ...fits, source: 'rate' }, 'source', /not a known field/)
  for (const id of ['nonsense', '203.0.113.7', '203.0.113.7_33', '203.0.113.7%2F32', '__proto__', '_'])
    assert.ok([400, 404].includes((await ask('DELETE', `/${id}`)).status), id)
})
