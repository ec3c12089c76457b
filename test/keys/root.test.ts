import assert from 'node:assert/strict'
import { createHmac, hkdfSync } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openRootKey, type RootKey, rootKey } from '../../src/keys/root.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { throwAwayFolder } from '../support/folder.ts'

const secret = 'thirty-two characters, or longer'

async function memory(context: TestContext): Promise<Store> {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  return store
}

function openWith({ db }: Store, dataDir: string, environment: Record<string, string> = {}): Promise<RootKey> {
  return openRootKey({ environment, dataDir, random: systemRandom, db })
}

function fault(pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Fault, String(error))
    assert.match(error.message, pattern)
    assert.doesNotMatch(error.message, /[A-Za-z0-9_-]{43}|thirty-two/, 'no secret in the message')
    return true
  }
}

suite('RFC 5869', () => {
  const bytes = (from: number, count: number): Buffer =>
    Buffer.from(Array.from({ length: count }, (_, at) => from + at))
  const vectors = [
    {
      name: 'A.1',
      input: [Buffer.alloc(22, 0x0b), bytes(0, 13), bytes(0xf0, 10)],
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
    {
      name: 'A.2',
      input: [bytes(0, 80), bytes(0x60, 80), bytes(0xb0, 80)],
      okm: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    },
    {
      name: 'A.3',
      input: [Buffer.alloc(22, 0x0b), Buffer.alloc(0), Buffer.alloc(0)],
      okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    },
  ] as const
  for (const { name, input, okm } of vectors) {
    const [secret, salt, info] = input
    test(`the derivation we use is that of ${name}`, () => {
      assert.equal(Buffer.from(hkdfSync('sha256', secret, salt, info, okm.length / 2)).toString('hex'), okm)
    })
  }

  test('a derived key is extract and expand of §2, with our salt and the purpose', () => {
    const extracted = createHmac('sha256', 'gatehouse root').update(secret).digest()
    const expanded = createHmac('sha256', extracted).update('signing keys\x01').digest()
    assert.deepEqual(rootKey(secret).derive('signing keys'), expanded)
    assert.notDeepEqual(rootKey(secret).derive('refresh token tags'), expanded)
  })
})

test('DP6: the secret of the environment is used, and one that is too short stops the start', async (context) => {
  const folder = throwAwayFolder(context)
  const store = await memory(context)
  await assert.rejects(
    openWith(store, folder, { GATEHOUSE_SECRET: 'x'.repeat(31) }),
    fault(/^GATEHOUSE_SECRET: expected at least 32 characters, got 31$/),
  )
  await assert.rejects(openWith(store, folder, { GATEHOUSE_SECRET: '' }), fault(/got 0$/))
  const root = await openWith(store, folder, { GATEHOUSE_SECRET: secret })
  assert.deepEqual(root.derive('a'), rootKey(secret).derive('a'))
  assert.deepEqual(readdirSync(folder), [], 'no file is made beside it')
})

test('DP6: without one, a root key is made for its owner alone, and is the same at the next start', async (context) => {
  const folder = join(throwAwayFolder(context), 'data')
  const store = await memory(context)
  const root = await openWith(store, folder)
  assert.deepEqual(readdirSync(folder), ['root.key'], 'and no draft is left')
  assert.equal(statSync(join(folder, 'root.key')).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.match(readFileSync(join(folder, 'root.key'), 'utf8'), /^[\w-]{43}\n$/)
  assert.deepEqual((await openWith(store, folder)).derive('a'), root.derive('a'))
})

test('DP6: a root key that others can read, or that is cut short, stops the start', async (context) => {
  const folder = throwAwayFolder(context)
  const store = await memory(context)
  const path = join(folder, 'root.key')
  writeFileSync(path, secret, { mode: 0o600 })
  for (const mode of [0o640, 0o604, 0o666]) {
    chmodSync(path, mode)
    await assert.rejects(openWith(store, folder), fault(/can be read by others: `chmod 600` it$/))
  }
  chmodSync(path, 0o600)
  writeFileSync(path, 'short\n')
  await assert.rejects(openWith(store, folder), fault(/is shorter than 32 characters$/))
})

test('DP6: a folder that cannot be made is named', async (context) => {
  const folder = throwAwayFolder(context)
  writeFileSync(join(folder, 'file'), '')
  await assert.rejects(openWith(await memory(context), join(folder, 'file', 'data')), fault(/cannot be had: ENOTDIR/))
})

test('the wrong root secret for a store is told at start, by where it came from', async (context) => {
  const folder = throwAwayFolder(context)
  const store = await memory(context)
  await openWith(store, folder, { GATEHOUSE_SECRET: secret })
  await assert.rejects(
    openWith(store, folder, { GATEHOUSE_SECRET: `${secret}!` }),
    fault(/^the root secret is not the one this store was made with; it came from GATEHOUSE_SECRET$/),
  )
  writeFileSync(join(folder, 'root.key'), `${secret}?`, { mode: 0o600 })
  await assert.rejects(
    openWith(store, folder),
    fault(/not the one this store was made with; it came from `.*root\.key`$/),
  )
  await openWith(store, folder, { GATEHOUSE_SECRET: secret })
})

test('a lost root key is not replaced behind the back of the store that needs it', async (context) => {
  const folder = throwAwayFolder(context)
  const store = await memory(context)
  await openWith(store, folder)
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  await assert.rejects(
    openWith(store, elsewhere),
    fault(/that this store was made with is missing: set GATEHOUSE_SECRET/),
  )
  assert.deepEqual(readdirSync(elsewhere), [])
})

test('starters that share a folder and even a process id agree on one root key', async (context) => {
  const folder = throwAwayFolder(context)
  const workerData = { folder, starters: 4, rounds: 50, arrived: new Int32Array(new SharedArrayBuffer(4)) }
  const made = await Promise.all(
    Array.from(
      { length: workerData.starters },
      () =>
        new Promise<readonly string[]>((resolve, reject) => {
          const starter = new Worker(new URL('./root-starter.ts', import.meta.url), { workerData })
          starter.once('message', resolve)
          starter.once('error', reject)
        }),
    ),
  )
  for (let round = 0; round < workerData.rounds; round++) {
    const keys = new Set(made.map((keys) => keys[round]))
    assert.equal(keys.size, 1, `round ${round}: ${[...keys].join(', ')}`)
    assert.deepEqual(readdirSync(join(folder, String(round))), ['root.key'])
  }
})
