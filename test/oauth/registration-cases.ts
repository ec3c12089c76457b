// Clients that register themselves, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { z } from 'zod'
import { Tickets } from '../../src/authn/ticket/tickets.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { oauthOptions } from '../../src/oauth/options.ts'
import { type Registered, Registration, type RegistrationRefusal } from '../../src/oauth/registration.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { type ClientScene, clientScene } from './client-cases.ts'

const hour = 3_600_000
const day = 24 * hour
const root = rootKey('a root secret for tests, long enough')
const app = {
  client_name: 'An App',
  redirect_uris: ['https://app.example.com/callback'],
  token_endpoint_auth_method: 'none',
}

interface Scene extends ClientScene {
  readonly registration: Registration
  register(address?: string, token?: string, said?: unknown): Promise<Registered | RegistrationRefusal>
}

export function registrationCases(fresh: FreshStore): void {
  async function scene(context: TestContext, options: z.input<typeof oauthOptions>['registration']): Promise<Scene> {
    const at = await clientScene(context, fresh)
    const registration = new Registration({
      clock: at.clock,
      clients: at.clients,
      tickets: new Tickets({ clock: at.clock, random: systemRandom, root }),
      options: oauthOptions.parse({ registration: options }).registration,
      scopes: {
        has: (scope) => scope.startsWith('widgets:'),
        isPrivileged: (scope) => scope === 'widgets:admin',
        certificates: 'verified',
      },
    })
    return {
      ...at,
      registration,
      register: (address = '192.0.2.1', token, said = app) =>
        at.store.transaction((trx) => registration.register(trx, { address, token }, said)),
    }
  }

  function registered(outcome: Registered | RegistrationRefusal): Registered {
    if ('error' in outcome) assert.fail(`${outcome.error}: ${outcome.description}`)
    return outcome
  }

  function refused(
    outcome: Registered | RegistrationRefusal,
    error: RegistrationRefusal['error'],
  ): RegistrationRefusal {
    if (!('error' in outcome)) assert.fail('it was registered')
    assert.equal(outcome.error, error, outcome.description)
    return outcome
  }

  const count = async ({ store }: Scene): Promise<number> =>
    (await store.db.selectFrom('oauth_clients').select('id').execute()).length

  test('A30: nobody registers themselves where nobody said that they may', async (context) => {
    const at = await scene(context, undefined)
    refused(await at.register(), 'access_denied')
    const token = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    refused(await at.register(undefined, token), 'access_denied')
    assert.equal(await count(at), 0)
  })

  test('A30: a client that registered itself is one that nobody checked, and what it is stands in the store', async (context) => {
    const at = await scene(context, { access: 'open' })
    const { client, secret } = registered(await at.register())
    assert.equal(secret, undefined)
    const known = await at.clients.find(at.store.db, client.id)
    assert.equal(known?.verified, false)
    assert.equal(known?.confidential, false)
    assert.equal(known?.scopes, undefined)
    const keeping = registered(
      await at.register(undefined, undefined, { ...app, token_endpoint_auth_method: undefined }),
    )
    assert.ok(keeping.secret)
    assert.equal(await at.clients.verifySecret(at.store.db, keeping.client.id, keeping.secret), true)
    assert.equal(await at.clients.verifySecret(at.store.db, client.id, keeping.secret), false)
  })

  test('A30: a token of an operator’s registers one client, whatever came of the tries before', async (context) => {
    const at = await scene(context, { access: 'token' })
    refused(await at.register(), 'invalid_token')
    refused(await at.register(undefined, 'made up'), 'invalid_token')
    refused(await at.register(undefined, ''), 'invalid_token')
    const token = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    refused(
      await at.register(undefined, token, { ...app, redirect_uris: ['http://evil.example/'] }),
      'invalid_redirect_uri',
    )
    registered(await at.register(undefined, token))
    refused(await at.register(undefined, token), 'invalid_token')
    const late = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    at.clock.advance(day)
    refused(await at.register(undefined, late), 'invalid_token')
    assert.equal(await count(at), 1)
  })

  test('A30: a name in somebody’s certificates is for whom an operator has invited, and others spend no token on it', async (context) => {
    const at = await scene(context, { access: 'open' })
    const named = { ...app, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'billing.internal' }
    const refusal = refused(await at.register(undefined, undefined, named), 'invalid_client_metadata')
    assert.match(refusal.description, /`tls_client_auth`.+invited.+`self_signed_tls_client_auth`/)
    refused(await at.register(undefined, 'made up', named), 'invalid_token')
    assert.equal(await count(at), 0)
    const token = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    refused(await at.register(undefined, token, { ...named, tls_client_auth_san_dns: '*' }), 'invalid_client_metadata')
    const { client, secret } = registered(await at.register(undefined, token, named))
    assert.equal(secret, undefined)
    const known = await at.clients.find(at.store.db, client.id)
    assert.equal(known?.confidential, true)
    assert.equal(known?.metadata['tls_client_auth_san_dns'], 'billing.internal')
    assert.equal(client.metadata.tls_client_auth_san_dns, 'billing.internal')
  })

  test('A30: of many with one token at the same moment, one registers', async (context) => {
    const at = await scene(context, { access: 'token' })
    const token = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => at.register(undefined, token)))
    assert.equal(outcomes.filter((outcome) => !('error' in outcome)).length, 1)
    assert.equal(await count(at), 1)
  })

  test('A30: an address registers so many in an hour, and others are not the worse for it', async (context) => {
    const at = await scene(context, { access: 'open', perAddress: 2 })
    registered(await at.register())
    at.clock.advance(hour / 2)
    registered(await at.register())
    refused(await at.register(), 'temporarily_unavailable')
    registered(await at.register('198.51.100.7'))
    at.clock.advance(hour / 2)
    registered(await at.register())
    refused(await at.register(), 'temporarily_unavailable')
    const token = await at.store.transaction((trx) => at.registration.invite(trx, 'ada', day))
    registered(await at.register(undefined, token))
    refused(await at.register('203.0.113.1', token), 'invalid_token')
  })

  test('A30: of many from one address at the same moment, as many register as one after another', async (context) => {
    const at = await scene(context, { access: 'open', perAddress: 3 })
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => at.register()))
    assert.equal(outcomes.filter((outcome) => !('error' in outcome)).length, 3)
    assert.equal(await count(at), 3)
  })

  test('A30: there are so many and no more, from wherever they come at once; what nobody uses makes room', async (context) => {
    const at = await scene(context, { access: 'open', clients: 5, unusedFor: '1d' })
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => at.register(`192.0.2.${n}`)))
    assert.equal(outcomes.filter((outcome) => !('error' in outcome)).length, 5)
    refused(await at.register('198.51.100.1'), 'temporarily_unavailable')
    at.clock.advance(day + 1)
    registered(await at.register('198.51.100.1'))
    assert.equal(await count(at), 1)
  })

  test('A30: where there is no room, no token is spent', async (context) => {
    const at = await scene(context, { access: 'token', clients: 1, unusedFor: '1d' })
    const [first, second] = await at.store.transaction(async (trx) => [
      await at.registration.invite(trx, 'ada', 30 * day),
      await at.registration.invite(trx, 'ada', 30 * day),
    ])
    registered(await at.register(undefined, first))
    refused(await at.register(undefined, second), 'temporarily_unavailable')
    at.clock.advance(day + 1)
    registered(await at.register(undefined, second))
  })

  test('A30: an operator’s clients do not count, and are not swept', async (context) => {
    const at = await scene(context, { access: 'open', clients: 1, unusedFor: '1d' })
    const { client } = registered(await at.register())
    await at.store.db.updateTable('oauth_clients').set({ origin: 'operator' }).execute()
    at.clock.advance(2 * day)
    await at.registration.sweep(at.store.db)
    assert.ok(await at.clients.show(at.store.db, client.id))
    registered(await at.register())
  })
}
