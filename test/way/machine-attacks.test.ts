// What an attack on keys, services and signatures tried: one house, with a clock of its own.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { decodeJwt } from 'jose'
import { serviceToken, signRequest } from '../../client/index.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { testClock } from '../support/clock.ts'
import { mirror, person, startHouse, startUpstream, type TestHouse } from '../support/house.ts'

const billing = 'a secret of billing that is long enough'
const reports = 'a secret of reports that is long enough'
const environment = { BILLING_SECRET: billing, REPORTS_SECRET: reports }

describe('an attack on machines', () => {
  const clock = testClock(Math.floor(Date.now() / 1000) * 1000)
  const cleanups: (() => Promise<void> | void)[] = []
  let house: TestHouse
  let root: string
  let keeper: string

  before(async () => {
    const context = { after: (fn: () => Promise<void> | void) => cleanups.push(fn) } as never
    const upstream = await startUpstream(context, mirror)
    house = await startHouse(
      context,
      {
        upstreams: { api: upstream.url },
        limits: { strangers: { limit: 10_000, window: '1m', by: ['ip'] } },
        roles: { keeper: { permissions: ['keys:manage', 'thing:*'] } },
        services: {
          billing: { permissions: ['thing:read', 'invoice:read'], secrets: [{ env: 'BILLING_SECRET' }] },
          reports: { permissions: ['thing:read'], secrets: [{ env: 'REPORTS_SECRET' }], addresses: ['10.0.0.0/8'] },
          rationed: { permissions: ['thing:read'], limit: { limit: 3, window: '1h' } },
        },
        signatures: {
          short: { form: 'timestamp-payload' },
          long: { form: 'timestamp-payload', window: '1h' },
          once: { form: 'rfc9421', components: ['@method'], nonce: true },
          loose: { form: 'rfc9421', components: ['@method'] },
        },
        routes: [
          { path: '/mine', access: 'authenticated', to: 'api' },
          { path: '/foreign', access: 'public', to: 'api', forwardAuthorization: true },
          ...['short', 'long', 'once', 'loose'].map(
            (signature) => ({ path: `/${signature}`, access: 'authenticated', signature, to: 'api' }) as const,
          ),
        ],
      },
      { roles: ['admin'], environment, clock },
    )
    root = await house.signIn()
    await house.house.accounts.create(house.house.store.db, {
      email: 'keeper@example.com',
      name: 'Kay',
      password: 'a long enough passphrase',
      roles: ['keeper'],
    })
    const signedIn = await send('/api/auth/login', {
      email: 'keeper@example.com',
      password: 'a long enough passphrase',
    })
    keeper = signedIn.body['access_token'] as string
  })
  after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })

  interface Answer {
    readonly status: number
    readonly body: Record<string, unknown>
    /** What the upstream was told. */
    readonly told: Readonly<Record<string, string | undefined>>
  }

  async function answerOf(response: Response): Promise<Answer> {
    const body = (await response.json()) as Record<string, unknown>
    return { status: response.status, body, told: (body['headers'] ?? {}) as Answer['told'] }
  }
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    answerOf(await fetch(house.url + path, { headers }))
  const send = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
    answerOf(
      await fetch(house.url + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  const as = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
  const keyFor = (type: string, id: string, more: object = {}, by = root): Promise<Answer> =>
    send('/api/admin/keys', { name: 'a key', permissions: ['thing:read'], owner: { type, id }, ...more }, as(by))
  const textOf = ({ status, body }: Answer): string => {
    assert.equal(status, 201, JSON.stringify(body))
    return body['key'] as string
  }
  const lazi = (secret: string, service: string): Record<string, string> => {
    const at = Math.floor(clock.now() / 1000)
    const signature = createHmac('sha256', secret).update(`${at}.`).digest('hex')
    return { 'x-signature': `${at}.${signature}`, 'x-service': service }
  }

  test('AK1: the key of an organisation is not taken for a service of that name, whichever came first', async () => {
    const key = textOf(await keyFor('organisation', 'payments'))
    assert.equal((await send('/api/admin/services', { name: 'payments' }, as(root))).status, 201)
    await send('/api/admin/services/payments/disable', {}, as(root))
    const later = textOf(await keyFor('organisation', 'payments'))
    for (const one of [key, later]) {
      const { told } = await get('/mine', { 'x-api-key': one })
      assert.equal(told['x-gatehouse-service'], 'organisation:payments')
      assert.equal(decodeJwt(told['x-gatehouse-assertion'] as string).sub, 'organisation:payments')
    }
    const renewed = await send('/api/keys/current/rotate', {}, { 'x-api-key': key })
    assert.equal(renewed.status, 201)
    const { rows } = await audited('api-key.rotate')
    assert.deepEqual(
      rows.map(({ actor }) => actor),
      ['organisation:payments'],
    )
  })

  test('AK1 AK6: the key of a service is good from where the service may come, and nowhere else', async () => {
    for (const more of [{}, { addresses: ['127.0.0.0/8'] }]) {
      const key = textOf(await keyFor('service', 'reports', more))
      assert.equal((await get('/mine', { 'x-api-key': key })).body['code'], 'address-not-allowed')
      const { rows } = await audited('refused')
      const { actor, body } = rows.at(-1) ?? assert.fail('a key in the wrong hands, and nobody wrote it down')
      assert.equal(actor, 'reports')
      assert.ok(body.includes(`"credential":"api-key ${key.split('_')[2]}"`), body)
    }
  })

  test('AK1 TR4: the keys of a service use up the service’s own limit, also those that have one themselves', async () => {
    const plain = textOf(await keyFor('service', 'rationed'))
    const wide = textOf(await keyFor('service', 'rationed', { limit: { limit: 1_000, window: 60 } }))
    const statuses: number[] = []
    for (const key of [plain, wide, plain, wide, plain])
      statuses.push((await get('/mine', { 'x-api-key': key })).status)
    assert.deepEqual(statuses, [200, 200, 200, 429, 429])
  })

  test('AK2 TR4: a key that renews itself does not begin to count anew', async () => {
    const made = await send('/api/keys', { name: 'thrifty', limit: { limit: 3, window: 3600 } }, as(root))
    const first = textOf(made)
    assert.equal((await get('/mine', { 'x-api-key': first })).status, 200)
    const second = textOf(await send('/api/keys/current/rotate', {}, { 'x-api-key': first }))
    assert.equal((await get('/mine', { 'x-api-key': second })).status, 200)
    for (const key of [first, second]) assert.equal((await get('/mine', { 'x-api-key': key })).status, 429)
  })

  test('A55: whoever keeps keys makes none that acts as a service which holds more than they', async () => {
    const refused = await keyFor('service', 'billing', { permissions: [] }, keeper)
    assert.deepEqual([refused.status, refused.body['detail']], [403, "Permission 'invoice:read' required"])
    assert.equal((await keyFor('service', 'reports', { permissions: [] }, keeper)).status, 201)
    const theirs = await keyFor('service', 'billing')
    assert.equal((await send(`/api/admin/keys/${theirs.body['id']}/rotate`, {}, as(keeper))).status, 403)
  })

  test('A58: a key of somebody else’s names whoever was shown it, and is of nobody who holds as much', async () => {
    const { accounts, store } = house.house
    const idOf = async (email: string): Promise<string> => (await accounts.byEmail(store.db, email))?.id ?? ''
    const [rootId, keeperId] = [await idOf(person.email), await idOf('keeper@example.com')]
    const actorWith = async (key: string): Promise<unknown> => {
      const { told } = await get('/mine', { 'x-api-key': key })
      assert.equal(told['x-gatehouse-user'], keeperId)
      assert.deepEqual(
        decodeJwt(told['x-gatehouse-assertion'] as string)['act'],
        told['x-gatehouse-actor'] && { sub: told['x-gatehouse-actor'] },
      )
      return told['x-gatehouse-actor']
    }
    const given = await keyFor('user', keeperId)
    assert.equal(await actorWith(textOf(given)), rootId)
    const renewed = await send('/api/keys/current/rotate', {}, { 'x-api-key': textOf(given) })
    assert.equal(await actorWith(textOf(renewed)), rootId, 'renewing it changes nothing')
    const id = renewed.body['id']
    await house.house.machines.hear(store.db)
    assert.equal(await actorWith(textOf(await send(`/api/keys/${id}/rotate`, {}, as(keeper)))), undefined)

    const own = await send('/api/keys', { name: 'mine' }, as(keeper))
    assert.equal(await actorWith(textOf(own)), undefined)
    const seized = await send(`/api/admin/keys/${own.body['id']}/rotate`, {}, as(root))
    assert.equal(await actorWith(textOf(seized)), rootId, 'an administrator who was shown the successor')
    const { rows } = await audited('request')
    assert.ok(rows.some(({ actor, body }) => actor === keeperId && body.includes(`"acting":"${rootId}"`)))

    await accounts.create(store.db, { ...person, email: 'twin@example.com', roles: ['admin'] })
    const twin = await keyFor('user', await idOf('twin@example.com'))
    assert.deepEqual([twin.status, twin.body['code']], [403, 'permission-required'])
  })

  test('AK3 AK6: a signature beside another credential comes from where its service may', async () => {
    assert.equal((await get('/short', lazi(reports, 'reports'))).body['code'], 'address-not-allowed')
    clock.advance(1_000)
    const both = await get('/short', { ...lazi(reports, 'reports'), ...as(root) })
    assert.equal(both.body['code'], 'address-not-allowed')
    assert.equal((await get('/short', { ...lazi(billing, 'billing'), ...as(root) })).status, 200)
  })

  test('AK3: a signature that was used is remembered for as long as any form could take it', async () => {
    clock.advance(1_000)
    const headers = lazi(billing, 'billing')
    assert.equal((await get('/short', headers)).status, 200)
    clock.advance(7 * 60_000)
    await house.house.store.db.deleteFrom('replays').where('expires_at', '<', clock.now()).execute()
    assert.equal((await get('/long', headers)).status, 401)
  })

  test('AK3: a nonce that was used in one form is used in the others', async () => {
    const signed = await signRequest(new Request(`${house.url}/once`), {
      key: billing,
      keyid: 'billing',
      components: ['@method'],
      clock,
    })
    const headers = Object.fromEntries(signed.headers)
    assert.equal((await get('/once', headers)).status, 200)
    assert.equal((await get('/loose', headers)).status, 401)
  })

  test('AK3: where the store cannot say whether a signature was used, nobody comes in, and is told to try again', async () => {
    const { schema } = house.house.store.db
    clock.advance(1_000)
    await schema.alterTable('replays').renameTo('lost').execute()
    const { status, body } = await get('/long', lazi(billing, 'billing'))
    await schema.alterTable('lost').renameTo('replays').execute()
    assert.deepEqual([status, body['code']], [503, 'unavailable'])
  })

  test('RFC 9700 §4.9.2: no credential of ours goes on to an upstream, however it is spelled', async () => {
    const key = textOf(await send('/api/keys', { name: 'x' }, as(root)))
    const token = await serviceToken({ service: 'billing', target: 'api', secret: billing, clock })
    for (const own of [key, token, root]) {
      for (const headers of [
        { authorization: own },
        { authorization: `Bearer\t${own}` },
        { authorization: `ApiKey ${own}` },
        { authorization: `DPoP ${own}` },
        { authorization: `Bearer x,${own}` },
        { 'x-api-key': own },
        { 'x-api-key': own, authorization: 'Basic eDp5' },
        { dpop: own },
      ]) {
        const answer = await get('/foreign', headers as Record<string, string>)
        assert.equal(answer.status, 200)
        assert.ok(!JSON.stringify(answer.body).includes(own.slice(-40)), JSON.stringify(Object.keys(headers)))
      }
    }
    const { told } = await get('/foreign', { 'x-api-key': own(key), authorization: 'Basic eDp5' })
    assert.deepEqual([told['authorization'], told['x-api-key']], ['Basic eDp5', own(key)], 'what is not ours does')
  })

  test('A62: what looks like a credential is no id of a request: it would be kept for ever', async () => {
    const key = textOf(await send('/api/keys', { name: 'y' }, as(root)))
    const { told } = await get('/mine', { 'x-api-key': key, 'x-request-id': key })
    assert.ok(told['x-request-id'] !== undefined && told['x-request-id'] !== key)
    const longest = 'a'.repeat(128)
    assert.equal((await get('/mine', { 'x-api-key': key, 'x-request-id': longest })).told['x-request-id'], longest)
  })

  test('AK4: an upstream is not called as the house is: a token for one would be good for the other', () => {
    const url = 'http://127.0.0.1:1'
    const paths = (config: object): unknown => {
      const outcome = parseConfig(config, {})
      return 'mistakes' in outcome ? outcome.mistakes.map(({ path }) => path) : []
    }
    assert.deepEqual(paths({ upstreams: { gatehouse: url } }), ['upstreams.gatehouse'])
    assert.deepEqual(paths({ upstreams: { gatehouse: url }, tokens: { audience: 'us' } }), [])
  })

  /** Events of the outbox and the log alike, as they were written. */
  async function audited(action: string): Promise<{ rows: { actor: string; body: string }[] }> {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const rows = await house.house.store.db
      .selectFrom('audit_events')
      .select(['actor', 'body'])
      .where('action', '=', action)
      .orderBy('seq')
      .execute()
    return { rows }
  }
})

/** A key of another house: of the same form, and none of ours. */
function own(key: string): string {
  return `ab${key}`
}
