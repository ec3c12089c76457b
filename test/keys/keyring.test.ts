import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { rootKey } from '../../src/keys/root.ts'
import { signatures } from '../../src/keys/signatures.ts'
import { makeKey, readKey } from '../../src/keys/signing-key.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { clock, keyCases, openRing } from './cases.ts'

suite('keys, on SQLite', () => keyCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

async function memory(context: TestContext): Promise<Store> {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  return store
}

for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  test(`TK1: a key for ${algorithm} is made once, published without its private part, and named by its thumbprint`, async (context) => {
    const store = await memory(context)
    const ring = await openRing(store, algorithm)
    const key = ring.signing()
    assert.equal(ring.verifying(key.kid), key)
    const again = (await openRing(store, algorithm)).verifying(key.kid)
    assert.ok(again !== undefined, 'the next start finds the same key')
    const signature = signatures[algorithm].sign(key, 'text')
    assert.ok(signatures[algorithm].verify(again, 'text', signature))

    const [jwk, ...more] = ring.jwks().keys
    assert.deepEqual(more, [])
    assert.ok(jwk !== undefined)
    assert.equal(await calculateJwkThumbprint(jwk), key.kid)
    const own = { EdDSA: ['crv', 'x'], ES256: ['crv', 'x', 'y'], RS256: ['e', 'n'] }[algorithm]
    assert.deepEqual(Object.keys(jwk).toSorted(), [...own, 'alg', 'kid', 'kty', 'use'].toSorted())
    if (algorithm === 'RS256') assert.ok(Buffer.from(jwk.n ?? '', 'base64url').length * 8 >= 3072, 'A2')
  })
}

test('TK1: a symmetric key is never published, and its name says nothing of it', async (context) => {
  const store = await memory(context)
  const secret = 'a configured secret of enough bytes'
  const made = await openRing(store, 'HS256')
  const given = await openRing(store, 'HS256', { secret })
  for (const ring of [made, given]) assert.deepEqual(ring.jwks(), { keys: [] })
  assert.notEqual(given.signing().kid, made.signing().kid)
  assert.equal(
    (await openRing(store, 'HS256', { secret })).signing().kid,
    given.signing().kid,
    'the same on every node',
  )
  assert.notEqual((await openRing(store, 'HS256', { secret: `${secret}.` })).signing().kid, given.signing().kid)
  assert.ok(!JSON.stringify(given.signing()).includes(secret))
})

test('A2: a configured secret under 32 bytes is refused at load', async (context) => {
  const store = await memory(context)
  await assert.rejects(openRing(store, 'HS256', { secret: 'x'.repeat(31) }), (error) => {
    assert.ok(error instanceof Fault)
    assert.match(error.message, /^expected a secret of at least 32 bytes for HS256 \(RFC 7518 §3\.2\), got 31$/)
    return true
  })
  await openRing(store, 'HS256', { secret: 'é'.repeat(16) })
  await assert.rejects(openRing(store, 'EdDSA', { secret: 'x'.repeat(32) }), /for HS256 alone/)
})

test('TK2: secrets from before verify, and only the configured one signs', async (context) => {
  const store = await memory(context)
  const [now, before, longBefore, other] = ['now', 'before', 'long before', 'another'].map((word) =>
    `${word}, `.repeat(8),
  )
  const old = (await openRing(store, 'HS256', { secret: before })).signing()
  const older = (await openRing(store, 'HS256', { secret: longBefore })).signing()
  const stranger = (await openRing(store, 'HS256', { secret: other })).signing()
  const ring = await openRing(store, 'HS256', { secret: now, previousSecrets: [before, longBefore] })
  assert.notEqual(ring.signing().kid, old.kid)
  for (const key of [old, older, ring.signing()]) {
    const signature = signatures.HS256.sign(key, 'text')
    const known = ring.verifying(key.kid)
    assert.ok(known !== undefined && signatures.HS256.verify(known, 'text', signature))
  }
  assert.equal(ring.verifying(stranger.kid), undefined)
  assert.equal(ring.table, undefined, 'it rotates by configuration')
  assert.deepEqual(ring.jwks(), { keys: [] })
  await assert.rejects(openRing(store, 'HS256', { secret: now, previousSecrets: ['short'] }), /at least 32 bytes/)
})

test('A1: the public part of a key is worked out from its private part, whatever lies beside it', async () => {
  // A point of small order, for which signatures of anything can be made without a private part.
  const smallOrder = 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const { kid, text } = await makeKey('EdDSA', systemRandom)
  const jwk = JSON.parse(text) as JWK
  const changed = readKey({ kid, text: JSON.stringify({ ...jwk, x: smallOrder }) }, 'EdDSA')
  assert.equal(changed.publicKey.export({ format: 'jwk' }).x, jwk.x)
})

test('A8: private parts lie sealed in the store, each for its own row', async (context) => {
  const store = await memory(context)
  await openRing(store, 'EdDSA')
  await openRing(store, 'HS256')
  const rows = await store.db.selectFrom('signing_keys').selectAll().orderBy('algorithm').execute()
  for (const { sealed } of rows) assert.match(sealed, /^v1\.[\w-]+$/)
  await assert.rejects(
    openRing(store, 'EdDSA', { root: rootKey('some other root secret, long enough') }),
    /does not open/,
  )

  const [eddsa, hs256] = rows
  assert.ok(eddsa !== undefined && hs256 !== undefined)
  await store.db.updateTable('signing_keys').set({ sealed: hs256.sealed }).where('kid', '=', eddsa.kid).execute()
  await assert.rejects(
    openRing(store, 'EdDSA'),
    (error) => error instanceof Fault && /was changed, or moved/.test(error.message),
  )
})

test('TK2: a key that is not active yet is published and verifies, and does not sign before its time', async (context) => {
  const store = await memory(context)
  const old = (await openRing(store, 'EdDSA')).signing()
  const other = await memory(context)
  const next = (await openRing(other, 'EdDSA')).signing()
  const row = await other.db.selectFrom('signing_keys').selectAll().executeTakeFirstOrThrow()
  await store.db
    .insertInto('signing_keys')
    .values({ ...row, active_from: clock.now() + 60_000 })
    .execute()

  const ring = await openRing(store, 'EdDSA')
  assert.equal(ring.jwks().keys.length, 2)
  assert.equal(ring.signing().kid, old.kid)
  assert.equal(ring.verifying(next.kid)?.kid, next.kid)
  clock.advance(60_000)
  assert.equal(ring.signing().kid, next.kid)
  assert.equal(ring.verifying(old.kid)?.kid, old.kid)
})

test('A8: a key that was taken out of use neither signs nor verifies, and a house without one makes another', async (context) => {
  const store = await memory(context)
  const { kid } = (await openRing(store, 'EdDSA')).signing()
  await store.db.updateTable('signing_keys').set({ removed_at: clock.now() }).execute()
  const ring = await openRing(store, 'EdDSA')
  assert.notEqual(ring.signing().kid, kid)
  assert.equal(ring.verifying(kid), undefined)
  assert.equal((await openRing(store, 'EdDSA')).signing().kid, ring.signing().kid)
})

test('A7: a `kid` is a name to look up and nothing else', async (context) => {
  const ring = await openRing(await memory(context), 'EdDSA')
  for (const kid of ['', '__proto__', 'constructor', '../root.key', "' OR 1=1 --", '\0']) {
    assert.equal(ring.verifying(kid), undefined, kid)
  }
})
