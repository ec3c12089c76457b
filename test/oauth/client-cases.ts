// Clients and their secrets, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { rootKey } from '../../src/keys/root.ts'
import { type ClientMetadata, checkMetadata } from '../../src/oauth/client-metadata.ts'
import { clientOptions } from '../../src/oauth/client-options.ts'
import { Clients } from '../../src/oauth/clients.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { clientBody } from '../../src/wire/clients.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { type TestClock, testClock } from '../support/clock.ts'

const root = rootKey('a root secret for tests, long enough')
const day = 86_400_000

export interface ClientScene {
  readonly store: Store
  readonly clock: TestClock
  readonly clients: Clients
  /** Another process on the same store. */
  another(): Clients
}

export function described(said: Readonly<Record<string, unknown>> = {}): ClientMetadata {
  const body = clientBody.parse({
    client_name: 'Portal',
    redirect_uris: ['https://app.example.com/callback'],
    scope: 'widgets:read',
    ...said,
  })
  const checked = checkMetadata(body, { has: () => true, certificates: 'verified' })
  if ('errors' in checked) assert.fail(JSON.stringify(checked.errors))
  return checked.metadata
}

export async function clientScene(context: TestContext, fresh: FreshStore): Promise<ClientScene> {
  const store = await openStore(await fresh(context))
  context.after(() => store.close())
  const clock = testClock()
  const configured = [
    {
      options: clientOptions.parse({
        id: 'backend',
        name: 'Back End',
        grants: ['client_credentials'],
        scopes: ['widgets:read'],
        secrets: [{ env: 'A' }, { env: 'B' }],
      }),
      secrets: [new Secret('the first secret of the back end'), new Secret('the second secret of the back end')],
    },
  ]
  const another = (): Clients => new Clients({ clock, random: systemRandom, root, configured, documents: undefined })
  return { store, clock, clients: another(), another }
}

export function clientCases(fresh: FreshStore): void {
  const scene = (context: TestContext): Promise<ClientScene> => clientScene(context, fresh)

  async function made({ store, clients }: ClientScene, said = {}, id?: string): Promise<string> {
    const inserted = await store.transaction((trx) =>
      clients.insert(trx, { id, origin: 'operator', metadata: described(said) }),
    )
    if ('taken' in inserted) assert.fail('it is taken')
    return inserted.client.id
  }

  async function secretOf({ store, clients }: ClientScene, id: string, expiresAt?: number): Promise<string> {
    const added = await store.transaction((trx) => clients.secrets.add(trx, id, expiresAt))
    assert.ok(added)
    return added.secret
  }

  test('OA1: a client is what its maker said, in the words of RFC 7591, and its id has 128 bits', async (context) => {
    const at = await scene(context)
    const id = await made(at)
    assert.match(id, /^gh_cl_[A-Za-z0-9_-]{22}$/)
    const known = await at.clients.find(at.store.db, id)
    assert.deepEqual(
      { ...known, scopes: [...(known?.scopes ?? [])], metadata: { ...known?.metadata, client_secret: 'a stand-in' } },
      {
        id,
        name: 'Portal',
        verified: true,
        confidential: true,
        metadata: {
          client_id: id,
          client_name: 'Portal',
          client_secret: 'a stand-in',
          redirect_uris: ['https://app.example.com/callback'],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'client_secret_basic',
          application_type: 'web',
          require_pushed_authorization_requests: false,
          dpop_bound_access_tokens: false,
        },
        scopes: ['widgets:read'],
      },
    )
    assert.equal(await at.clients.find(at.store.db, 'gh_cl_AAAAAAAAAAAAAAAAAAAAAA'), undefined)
    for (const id of ['', 'a', '../x', 'a\0b', 'x'.repeat(10_000), 'Ünïcode'])
      assert.equal(await at.clients.find(at.store.db, id), undefined)
  })

  test('A27: a secret is shown once and kept as a keyed hash that names its client', async (context) => {
    const at = await scene(context)
    const [id, other] = [await made(at), await made(at)]
    const secret = await secretOf(at, id)
    assert.match(secret, /^gh_cs_[A-Za-z0-9_-]{43}$/)
    assert.equal(await at.clients.verifySecret(at.store.db, id, secret), true)
    assert.equal(await at.another().verifySecret(at.store.db, id, secret), true)
    for (const [who, shown] of [
      [other, secret],
      ['gh_cl_AAAAAAAAAAAAAAAAAAAAAA', secret],
      ['', secret],
      ['a\0b', secret],
      [id, ''],
      [id, secret.slice(0, -1)],
      [id, `${secret}A`],
      [id, 'x'.repeat(100_000)],
    ] as const)
      assert.equal(await at.clients.verifySecret(at.store.db, who, shown), false, `${who} ${shown.slice(0, 60)}`)
    const rows = await at.store.db.selectFrom('oauth_client_secrets').selectAll().execute()
    assert.doesNotMatch(JSON.stringify(rows), new RegExp(secret.slice(6)))
    // Whoever can write to the table cannot lend one client’s secret to another.
    await at.store.db.updateTable('oauth_client_secrets').set({ client_id: other }).execute()
    assert.equal(await at.clients.verifySecret(at.store.db, other, secret), false)
  })

  test('A27: two secrets serve while one takes the other’s place, and a third is refused', async (context) => {
    const at = await scene(context)
    const [id, other] = [await made(at), await made(at)]
    const first = await secretOf(at, id)
    at.clock.advance(1)
    const second = await secretOf(at, id)
    assert.equal(await at.store.transaction((trx) => at.clients.secrets.add(trx, id, undefined)), undefined)
    for (const secret of [first, second]) assert.equal(await at.clients.verifySecret(at.store.db, id, secret), true)
    const [oldest] = await at.clients.secrets.list(at.store.db, id)
    assert.ok(oldest)
    assert.equal(await at.store.transaction((trx) => at.clients.secrets.remove(trx, other, oldest.id)), false)
    assert.equal(await at.store.transaction((trx) => at.clients.secrets.remove(trx, id, oldest.id)), true)
    assert.equal(await at.clients.verifySecret(at.store.db, id, first), false, 'from the next request on')
    assert.equal(await at.clients.verifySecret(at.store.db, id, second), true)
    await secretOf(at, id)
  })

  test('A27: of many who add a secret at the same moment, two do', async (context) => {
    const at = await scene(context)
    const id = await made(at)
    const added = await Promise.all(
      Array.from({ length: 8 }, () => at.store.transaction((trx) => at.clients.secrets.add(trx, id, undefined))),
    )
    assert.equal(added.filter((one) => one !== undefined).length, 2)
    assert.equal((await at.clients.secrets.list(at.store.db, id)).length, 2)
  })

  test('A27: a secret that has run out is none, and makes room', async (context) => {
    const at = await scene(context)
    const id = await made(at)
    const brief = await secretOf(at, id, at.clock.now() + day)
    const lasting = await secretOf(at, id)
    at.clock.advance(day - 1)
    assert.equal(await at.clients.verifySecret(at.store.db, id, brief), true)
    at.clock.advance(1)
    assert.equal(await at.clients.verifySecret(at.store.db, id, brief), false)
    assert.equal(await at.clients.verifySecret(at.store.db, id, lasting), true)
    assert.equal((await at.clients.secrets.list(at.store.db, id)).length, 1)
    await secretOf(at, id)
    assert.equal(await at.store.transaction((trx) => at.clients.secrets.add(trx, id, undefined)), undefined)
  })

  test('OA1: a client that is turned away is nobody, with the right secret too; elsewhere within a second', async (context) => {
    const at = await scene(context)
    const id = await made(at)
    const secret = await secretOf(at, id)
    const elsewhere = at.another()
    for (const clients of [at.clients, elsewhere]) assert.ok(await clients.find(at.store.db, id))
    assert.equal(await at.store.transaction((trx) => at.clients.setDisabled(trx, id, true)), true)
    at.clients.forget(id)
    assert.equal(await at.clients.find(at.store.db, id), undefined)
    assert.equal(await elsewhere.verifySecret(at.store.db, id, secret), false)
    at.clock.advance(1_000)
    assert.equal(await elsewhere.find(at.store.db, id), undefined)
    assert.equal(await at.store.transaction((trx) => at.clients.setDisabled(trx, id, true)), false, 'no news')
    assert.equal(await at.store.transaction((trx) => at.clients.setDisabled(trx, id, false)), true)
    at.clients.forget(id)
    assert.ok(await at.clients.find(at.store.db, id))
    assert.equal(await elsewhere.verifySecret(at.store.db, id, secret), true)
  })

  test('OA1: what was read before a change is not remembered after it', async (context) => {
    const at = await scene(context)
    const id = await made(at)
    const reading = at.clients.find(at.store.db, id)
    at.clients.forget(id) // as if the change was written while the reading was under way
    await reading
    await at.store.db.updateTable('oauth_clients').set({ disabled_at: 1 }).where('id', '=', id).execute()
    assert.equal(await at.clients.find(at.store.db, id), undefined)
  })

  test('OA1: the configuration’s clients are there, have their secrets, and cannot be made again', async (context) => {
    const at = await scene(context)
    const { db } = at.store
    assert.equal((await at.clients.find(db, 'backend'))?.name, 'Back End')
    assert.equal((await at.clients.find(db, 'backend'))?.verified, true)
    assert.equal(await at.clients.verifySecret(db, 'backend', 'the first secret of the back end'), true)
    assert.equal(await at.clients.verifySecret(db, 'backend', 'the second secret of the back end'), true)
    assert.equal(await at.clients.verifySecret(db, 'backend', 'a third secret of the back end'), false)
    assert.equal(await at.clients.verifySecret(db, 'backend', ''), false)
    const metadata = described()
    const again = await at.store.transaction((trx) =>
      at.clients.insert(trx, { id: 'backend', origin: 'operator', metadata }),
    )
    assert.deepEqual(again, { taken: true })
    // One in the store that came before the configuration had the name: the configuration’s is the client.
    await db
      .insertInto('oauth_clients')
      .values({
        id: 'backend',
        origin: 'registered',
        name: 'x',
        metadata: JSON.stringify(metadata),
        created_at: 1,
        updated_at: 1,
        disabled_at: null,
      })
      .execute()
    const added = await at.store.transaction((trx) => at.clients.secrets.add(trx, 'backend', undefined))
    assert.equal(await at.clients.verifySecret(db, 'backend', added?.secret ?? ''), false)
    assert.equal((await at.clients.find(db, 'backend'))?.verified, true)
    const { clients } = await at.clients.page(db, { limit: 10, after: undefined })
    assert.deepEqual(
      clients.map(({ id, origin }) => [id, origin]),
      [['backend', 'configuration']],
    )
  })

  test('OA1: an id that somebody chose is one client’s, however many choose it at the same moment', async (context) => {
    const at = await scene(context)
    const metadata = described()
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () =>
        at.store.transaction((trx) => at.clients.insert(trx, { id: 'portal', origin: 'operator', metadata })),
      ),
    )
    assert.equal(outcomes.filter((outcome) => 'client' in outcome).length, 1)
  })

  test('OA1: the list goes on where it stopped, with clients of one moment each once', async (context) => {
    const at = await scene(context)
    const ids = new Set<string>()
    for (let count = 0; count < 7; count++) {
      ids.add(await made(at))
      if (count % 3 === 0) at.clock.advance(1)
    }
    const seen: string[] = []
    let after: Awaited<ReturnType<Clients['page']>>['next']
    do {
      const page = await at.clients.page(at.store.db, { limit: 2, after })
      seen.push(...page.clients.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    assert.equal(seen[0], 'backend')
    assert.deepEqual(new Set(seen.slice(1)), ids)
    assert.equal(seen.length, 8)
  })

  test('OA1: a client that was removed is gone with its secrets, and another of its name starts with none', async (context) => {
    const at = await scene(context)
    const id = await made(at, {}, 'portal')
    const secret = await secretOf(at, id)
    assert.equal(await at.store.transaction((trx) => at.clients.remove(trx, id)), true)
    assert.equal(await at.store.transaction((trx) => at.clients.remove(trx, id)), false)
    at.clients.forget(id)
    assert.equal(await at.clients.find(at.store.db, id), undefined)
    await made(at, {}, 'portal')
    assert.equal(await at.clients.verifySecret(at.store.db, 'portal', secret), false)
  })

  test('A30: clients that registered themselves and that nobody has allowed anything are forgotten; the others stay', async (context) => {
    const at = await scene(context)
    const register = async (): Promise<string> => {
      const inserted = await at.store.transaction((trx) =>
        at.clients.insert(trx, { origin: 'registered', metadata: described() }),
      )
      if ('taken' in inserted) assert.fail('it is taken')
      return inserted.client.id
    }
    const [unused, allowed, served] = [await register(), await register(), await register()]
    const operators = await made(at)
    const { db } = at.store
    await db
      .insertInto('users')
      .values({
        id: 'ada',
        email: 'ada@example.com',
        name: 'Ada',
        password_hash: null,
        status: 'active',
        created_at: 1,
        updated_at: 1,
      })
      .execute()
    await db
      .insertInto('oauth_grants')
      .values({ user_id: 'ada', client_id: allowed, client_name: 'x', allowed: '{}', created_at: 1, updated_at: 1 })
      .execute()
    await db
      .insertInto('sessions')
      .values({
        id: 's',
        user_id: 'ada',
        generation: 0,
        refresh_hash: 'x',
        previous_hash: null,
        rotated_at: 1,
        created_at: 1,
        expires_at: 1,
        ended_at: null,
        ended_reason: null,
        address: '',
        user_agent: '',
        kind: 'client',
        client_id: served,
      })
      .execute()
    await at.clients.sweepUnused(db, at.clock.now())
    assert.ok(await at.clients.show(db, unused), 'not yet')
    await at.clients.sweepUnused(db, at.clock.now() + 1)
    assert.equal(await at.clients.show(db, unused), undefined)
    for (const id of [allowed, served, operators]) assert.ok(await at.clients.show(db, id), id)
  })
}
