// What the keys have to do alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { type Keyring, openKeyring } from '../../src/keys/keyring.ts'
import { rotationOptions } from '../../src/keys/options.ts'
import { openRootKey, type RootKey, rootKey } from '../../src/keys/root.ts'
import type { SigningAlgorithm } from '../../src/keys/signing-key.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { testClock } from '../support/clock.ts'

/** The address of a store that nobody has opened yet. */
export type FreshStore = (context: TestContext) => Promise<string>

export const root = rootKey('a root secret for the tests, long enough')
export const clock = testClock()
export const rotation = rotationOptions.parse({})
export const tokenTtlMs = 900_000

export function openRing(
  { db }: Store,
  algorithm: SigningAlgorithm,
  {
    secret,
    previousSecrets = [],
    ...more
  }: {
    readonly secret?: string | undefined
    readonly previousSecrets?: readonly (string | undefined)[]
    readonly root?: RootKey
  } = {},
): Promise<Keyring> {
  const place = { db, root, clock, random: systemRandom, algorithm, rotation, tokenTtlMs, ...more }
  return openKeyring({
    ...place,
    secret: secret === undefined ? undefined : new Secret(secret),
    previousSecrets: previousSecrets.map((text) => new Secret(text ?? '')),
  })
}

export function keyCases(fresh: FreshStore): void {
  async function nodes(context: TestContext, count: number): Promise<readonly Store[]> {
    const url = await fresh(context)
    const stores: Store[] = []
    for (let node = 0; node < count; node++) stores.push(await openStore(url))
    context.after(() => Promise.all(stores.map((store) => store.close())))
    return stores
  }

  for (const algorithm of ['EdDSA', 'ES256', 'HS256'] as const) {
    test(`TK1: nodes that start at once end up with one ${algorithm} key`, async (context) => {
      const stores = await nodes(context, 4)
      const rings = await Promise.all([...stores, ...stores].map((store) => openRing(store, algorithm)))
      assert.equal(new Set(rings.map((ring) => ring.signing().kid)).size, 1)
      const rows = await stores[0]?.db.selectFrom('signing_keys').select('algorithm').execute()
      assert.deepEqual(
        rows?.map((row) => row.algorithm),
        [algorithm],
      )
    })
  }

  test('DP6: of nodes with different root secrets that start at once, one fits the store', async (context) => {
    const stores = await nodes(context, 4)
    const outcomes = await Promise.allSettled(
      stores.map(({ db }, node) =>
        openRootKey({
          environment: { GATEHOUSE_SECRET: `${node}`.repeat(32) },
          dataDir: '/nowhere',
          random: systemRandom,
          db,
        }),
      ),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  })
}
