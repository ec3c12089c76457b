import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { Agent, request } from 'undici'
import { command as userCommand } from '../../src/cli/user.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openRootKey, type RootKey, rootKey } from '../../src/keys/root.ts'
import { openStore } from '../../src/store/database.ts'
import { run } from '../../test/cli/in-process.ts'
import { eventually } from '../../test/support/eventually.ts'
import { forger, forgeriesOfSecret, signingKeyOf, toldInFourSentences } from '../../test/support/forgeries.ts'
import { lettersIn } from '../../test/support/letters.ts'
import { may } from '../../test/support/may.ts'
// More than ten requests in a second from one address would block it.
import {
  administrator,
  command,
  fetchElsewhere as fetch,
  postElsewhere as post,
  type Running,
  signIn,
  startProcess,
} from '../../test/support/process.ts'

const config = ['--config', 'examples/ecommerce-analytics/gatehouse.config.ts']
/** As the proxy passes it on. */
const fromOffice = { 'x-forwarded-for': '198.51.100.7' }
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

  /** Somebody who has these roles, signed in. */
  const roleOf = async (...roles: string[]): Promise<{ access_token: string }> => {
    const email = `${['nobody', ...roles].at(-1)}${roles.length}@example.com`
    const given = roles.flatMap((role) => ['--role', role])
    const made = await run(userCommand, ['create', email, ...given, '--data', house.dataDir, ...config], {
      ...environment,
      GATEHOUSE_USER_PASSWORD: eve.password,
    })
    assert.equal(made.code, 0, made.err)
    return signIn(house.url, { email, password: eve.password })
  }

  await context.test('ID1 AZ1: each role may what its row says, in its scope and not beyond it', async () => {
    const analyst = await roleOf('analyst')
    const both = await roleOf('viewer', 'analyst')
    const nobody = await roleOf()
    const stray = await run(userCommand, ['grant', eve.email, 'accountant', '--data', house.dataDir, ...config])
    assert.deepEqual([stray.code, /no role is called `accountant`/.test(stray.err)], [2, true], stray.err)
    const admin = await signIn(house.url, administrator)
    const viewer = await signIn(house.url, eve)
    const mayOf = ({ access_token }: { access_token: string }): Promise<string> =>
      may(
        house.url,
        { authorization: `Bearer ${access_token}`, ...fromOffice },
        {
          read: ['GET', '/api/analytics/sales'],
          write: ['POST', '/api/analytics/reports'],
          delete: ['DELETE', '/api/analytics/reports'],
          manage_users: ['GET', '/api/users'],
          elsewhere: ['GET', '/api/catalogue/shoes'],
        },
      )
    assert.equal(await mayOf(viewer), 'read')
    assert.equal(await mayOf(analyst), 'read write')
    assert.equal(await mayOf(both), 'read write')
    assert.equal(await mayOf(nobody), '')
    assert.equal(await mayOf(admin), 'read write delete manage_users elsewhere')
  })

  await context.test('CT1: a question to the numbers is of a time that ends after it begins', async () => {
    const { access_token } = await signIn(house.url, eve)
    const query = async (more: object): Promise<unknown> => {
      const body = { metrics: ['revenue'], start_date: '2026-01-01', end_date: '2026-02-01', ...more }
      const answer = await post(`${house.url}/api/analytics/query`, body, { authorization: `Bearer ${access_token}` })
      const { errors } = (await answer.json()) as { errors?: unknown }
      return errors ?? answer.status
    }
    assert.equal(await query({ granularity: 'week' }), 201)
    const early = { end_date: ['must be later than `start_date`'] }
    assert.deepEqual(await query({ end_date: '2026-01-01' }), early)
    assert.deepEqual(await query({ end_date: '2025-12-31' }), early)
    assert.deepEqual(await query({ end_date: '31.12.2026' }), { end_date: ['must be a date such as `2026-12-31`'] })
    assert.deepEqual(await query({ metrics: ['happiness'], extra: 1 }), {
      extra: ['is not a known field'],
      'metrics.0': ['must be one of revenue, orders, conversion_rate, average_order_value, visitors'],
    })
    assert.deepEqual(await query({ start_date: undefined }), { start_date: ['is required'] })
  })

  await context.test('TK1: HS256 for an hour, with the claims that every token has', async () => {
    const { access_token, expires_in } = await signIn(house.url, eve)
    const { iat = 0, exp = 0, ...claims } = decodeJwt(access_token)
    assert.deepEqual([decodeProtectedHeader(access_token).alg, exp - iat, expires_in], ['HS256', 3600, 3600])
    for (const claim of ['sub', 'iss', 'aud', 'jti']) assert.ok(claims[claim], claim)
    assert.deepEqual([claims['type'], claims['roles']], ['access', ['viewer']])
  })

  await context.test('TK6: what is wrong with a token is told in four sentences, and nothing more', async () => {
    const { access_token: good, refresh_token } = await signIn(house.url, eve)
    const { access_token: over } = await signIn(house.url, eve)
    await post(`${house.url}/api/auth/logout`, '', { authorization: `Bearer ${over}` })
    const key = await signingKeyOf(house.dataDir, 'HS256')
    const forged = forger(good, key)
    const tokens = { good, refresh: refresh_token, over }
    await toldInFourSentences(house.url, forged, tokens, 'somebody-else', forgeriesOfSecret(forged, key))
  })

  const letterTo = (address: string, about: RegExp): string | undefined =>
    lettersIn(letters).find((each) => each.includes(`To: ${address}`) && about.test(each))
  /** As a program that has a key and nothing else. */
  const byKey = async (headers: Record<string, string>, method = 'GET'): Promise<Told> => {
    const answer = await fetch(`${house.url}/api/analytics/sales`, { method, headers })
    return { status: answer.status, ...((await answer.json()) as Omit<Told, 'status'>) }
  }
  const newKey = async (more: object = {}): Promise<string> => {
    const { access_token } = await signIn(house.url, eve)
    const draft = { name: 'Eve’s dashboard', permissions: ['read'], ...more }
    const made = await post(`${house.url}/api/keys`, draft, { authorization: `Bearer ${access_token}` })
    const { key } = (await made.json()) as { key: string }
    assert.equal(made.status, 201, key)
    return key
  }

  await context.test('AK1: a key lends what its owner may, by `X-API-Key` or as a bearer', async () => {
    const key = await newKey({ addresses: ['198.51.100.0/24'] })
    assert.match(key, /^shop_[0-9A-Za-z]{15}_[0-9A-Za-z]{49}$/)
    for (const headers of [{ 'x-api-key': key }, { authorization: `Bearer ${key}` }])
      assert.equal((await byKey({ ...headers, ...fromOffice })).key, key.split('_')[1])
    const writing = await byKey({ 'x-api-key': key, ...fromOffice }, 'POST')
    assert.deepEqual([writing.status, writing.error], [403, "Permission 'write' required"])
    const elsewhere = await byKey({ 'x-api-key': key })
    assert.deepEqual([elsewhere.status, elsewhere.error], [403, 'IP address not allowed'])
    const wrong = await byKey({ 'x-api-key': `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`, ...fromOffice })
    assert.deepEqual([wrong.status, wrong.error], [401, 'Invalid API key'])
    const { access_token } = await signIn(house.url, eve)
    const beyond = { name: 'more than Eve', permissions: ['manage_users'] }
    const refused = await post(`${house.url}/api/keys`, beyond, { authorization: `Bearer ${access_token}` })
    assert.equal(refused.status, 403, 'nobody lends what they do not hold')
    await eventually(() => letterTo(eve.email, /^Subject: .* has a new API key/m))
  })

  await context.test('AK1: whoever has the database has no key, and no way to try one', async () => {
    const key = await newKey()
    assert.equal((await byKey({ 'x-api-key': key })).status, 200)
    const [, id = '', tail = ''] = key.split('_')
    const files = readdirSync(house.dataDir).filter((name) => name.startsWith('gatehouse.db'))
    const kept = Buffer.concat(files.map((name) => readFileSync(join(house.dataDir, name))))
    assert.ok(kept.includes(id), 'the row of the key is in what was read')
    const secret = tail.slice(0, -6)
    for (const text of [key, tail, secret]) assert.ok(!kept.includes(text))

    const { db, close } = await openStore(`sqlite:${house.dataDir}/gatehouse.db`)
    const { hash } = await db.selectFrom('api_keys').select('hash').where('id', '=', id).executeTakeFirstOrThrow()
    const root = await openRootKey({ environment: {}, dataDir: house.dataDir, random: systemRandom, db })
    await close()
    // The source keeps SHA-256 over a salt beside it: with the database alone that can be tried a billion times a second.
    const plain = [key, tail, secret].flatMap((text) => [text, `${id}${text}`, `${text}${id}`])
    for (const text of plain) assert.notEqual(createHash('sha256').update(text).digest('hex'), hash)
    const keyed = (pepper: RootKey): string => createHmac('sha256', pepper.derive('api keys')).update(key).digest('hex')
    assert.equal(keyed(root), hash, 'it takes the root secret, which is not in the store')
    assert.notEqual(keyed(rootKey('another root secret, as long as it has to be')), hash)
  })

  await context.test(
    'AK6: users are managed from the office, as the proxy names it, and from nowhere else',
    async () => {
      const { access_token } = await signIn(house.url, administrator)
      const from = async (peer: string, forwardedFor: string): Promise<unknown> => {
        const dispatcher = new Agent({ localAddress: peer })
        const headers = { authorization: `Bearer ${access_token}`, 'x-forwarded-for': forwardedFor }
        const answer = await request(`${house.url}/api/users`, { headers, dispatcher })
        const { error } = (await answer.body.json()) as { error?: string }
        await dispatcher.close()
        return error === undefined ? answer.statusCode : `${answer.statusCode} ${error}`
      }
      assert.equal(await from('127.0.0.1', '198.51.100.7'), 200)
      assert.equal(await from('127.0.0.1', '2001:db8:5409::7'), 200)
      const refused = '403 IP address not allowed'
      assert.equal(await from('127.0.0.1', '198.51.101.7'), refused)
      assert.equal(await from('127.0.0.1', '2001:db8:540a::7'), refused)
      assert.equal(await from('127.0.0.1', '198.51.100.7, 203.0.113.9'), refused, 'what a caller says of itself')
      assert.equal(await from('127.0.0.2', '198.51.100.7'), refused, 'said by a peer that is no proxy of ours')
    },
  )

  await context.test(
    'ID3 E: 5 failures in an hour of a user from an address block the address, and the owner is told',
    async () => {
      const attempt = async (credentials: object): Promise<number> =>
        (await post(`${house.url}/api/auth/login`, credentials, {}, '127.9.9.9')).status
      for (let time = 0; time < 5; time++) assert.equal(await attempt({ email: eve.email, password: 'wrong' }), 401)
      // 401 by the lockout; 429 as soon as the playbook has blocked the address
      for (const anybody of [eve, administrator]) assert.match(`${await attempt(anybody)}`, /^(?:401|429)$/)
      await eventually(() => letterTo(eve.email, /^Subject: Somebody tries to sign in/m))
    },
  )
})

/** Of what is answered by the API behind the gate, or by the gate. */
interface Told {
  readonly status: number
  readonly key?: string
  readonly error?: string
}
