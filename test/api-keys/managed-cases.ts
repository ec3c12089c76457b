// Keys that the house makes, rotates and writes into files by itself, alike on every store.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ManagedFact, ManagedKeys } from '../../src/authn/key/managed.ts'
import { keyOptions } from '../../src/authn/key/options.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { silent } from '../../src/kernel/log.ts'
import type { FreshStore } from '../authn/account-cases.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { held, type KeyScene, keyScene, refused } from './key-scene.ts'

const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000

interface Scene extends KeyScene {
  readonly folder: string
  readonly file: string
  readonly facts: ManagedFact[]
  node(options?: object): ManagedKeys
  text(): string
}

export function managedCases(fresh: FreshStore): void {
  async function scene(context: TestContext): Promise<Scene> {
    const at = await keyScene(context, fresh)
    const folder = throwAwayFolder(context)
    const file = join(folder, 'ci.key')
    const facts: ManagedFact[] = []
    return {
      ...at,
      folder,
      file,
      facts,
      node: (options = {}) =>
        new ManagedKeys({
          managed: keyOptions.parse({ managed: { ci: { permissions: ['task:read'], file, ...options } } }).managed,
          keys: at.keys,
          keyBook: at.book,
          clock: at.clock,
          random: systemRandom,
          log: silent,
          note: async (_trx, fact) => void facts.push(fact),
        }),
      text: () => readFileSync(file, 'utf8').trim(),
    }
  }

  test('AK2: a managed key is made, proven, and written for its owner alone', async (context) => {
    const { node, store, file, folder, text, book, facts } = await scene(context)
    const managed = node()
    await managed.run(store)
    const holder = await held(book.verify(text()))
    assert.deepEqual([holder.id, holder.organisation, holder.permissions], ['ci', 'ci', ['task:read']])
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['ci.key'])
    assert.deepEqual(
      facts.map(({ action, result }) => [action, result]),
      [['api-key.create', 'success']],
    )
    await managed.run(store)
    assert.equal(facts.length, 1)
  })

  test('AK2: it is rotated when it is time; the one before goes on until a while after the first use', async (context) => {
    const { node, store, text, book, clock, facts } = await scene(context)
    const managed = node()
    await managed.run(store)
    const first = text()
    await held(book.verify(first))
    clock.advance(dayMs - 1)
    await managed.run(store)
    assert.equal(text(), first)
    clock.advance(1)
    await managed.run(store)
    const second = text()
    assert.notEqual(second, first)
    assert.equal(facts.at(-1)?.action, 'api-key.rotate')
    await held(book.verify(first))
    clock.advance(2 * hourMs)
    await held(book.verify(second))
    await book.hear(store.db)
    clock.advance(dayMs - 1)
    await held(book.verify(first))
    clock.advance(1)
    assert.equal(await refused(book.verify(first)), 'api-key-invalid')
    await managed.run(store)
    await held(book.verify(text()))
  })

  test('AK2: a successor that nobody took up for a whole period is replaced, and the key in use goes on', async (context) => {
    const { node, store, text, book, clock, keys } = await scene(context)
    const managed = node()
    await managed.run(store)
    const first = text()
    for (let day = 0; day < 4; day++) {
      clock.advance(dayMs)
      await managed.run(store)
    }
    await held(book.verify(first))
    const family = await keys.managed(store.db, 'ci')
    assert.deepEqual(
      family.map(({ state }) => state),
      ['on-trial', 'active'],
    )
    await held(book.verify(text()))
  })

  test('AK2: a rotation that cannot be written keeps file and key, and is recorded once an hour', async (context) => {
    const { node, store, text, book, clock, folder, file, facts, keys } = await scene(context)
    const managed = node()
    await managed.run(store)
    const first = text()
    clock.advance(dayMs)
    if (process.getuid?.() === 0) {
      // The folder's mode stops nobody here: a folder stands where the file is to be.
      rmSync(file)
      mkdirSync(file)
    } else chmodSync(folder, 0o500)
    for (let n = 0; n < 3; n++) {
      clock.advance(minuteMs)
      await managed.run(store)
    }
    assert.deepEqual(
      facts.slice(1).map(({ action, result }) => [action, result]),
      [['api-key.rotate', 'failure']],
    )
    await held(book.verify(first))
    assert.equal((await keys.managed(store.db, 'ci')).filter(({ state }) => state === 'active').length, 1)
    clock.advance(hourMs)
    await managed.run(store)
    assert.equal(facts.length, 3)
    chmodSync(folder, 0o700)
    if (process.getuid?.() === 0) rmSync(file, { recursive: true })
    clock.advance(minuteMs)
    await managed.run(store)
    await held(book.verify(text()))
    assert.deepEqual(readdirSync(folder), ['ci.key'])
  })

  test('AK2: a new key that does not hold never reaches the file', async (context) => {
    const { node, store, text, clock, facts, services, book } = await scene(context)
    services.set('billing', { roles: [], permissions: [] })
    const managed = node({ owner: { service: 'billing' } })
    await managed.run(store)
    const first = text()
    services.delete('billing')
    clock.advance(dayMs)
    await managed.run(store)
    assert.equal(text(), first)
    assert.equal(facts.at(-1)?.result, 'failure')
    assert.match(String(facts.at(-1)?.details['because']), /does not hold/)
    services.set('billing', { roles: [], permissions: [] })
    await held(book.verify(first))
  })

  test('AK2: of many nodes one makes the key, and of many that see its file one rotates it', async (context) => {
    const { node, store, text, clock, keys, book } = await scene(context)
    const nodes = [node(), node(), node()]
    await Promise.all(nodes.map((one) => one.run(store)))
    assert.equal((await keys.managed(store.db, 'ci')).length, 1)
    await held(book.verify(text()))
    clock.advance(dayMs)
    await Promise.all(nodes.map((one) => one.run(store)))
    assert.equal((await keys.managed(store.db, 'ci')).length, 2)
    await held(book.verify(text()))
    clock.advance(minuteMs)
    await Promise.all(nodes.map((one) => one.run(store)))
    assert.equal((await keys.managed(store.db, 'ci')).length, 2)
  })

  test('AK2: a node without the file takes over only when nobody has looked after the key for ten minutes', async (context) => {
    const { node, store, text, clock, book, folder } = await scene(context)
    const [here, there] = [node(), node({ file: join(folder, 'elsewhere.key') })]
    await here.run(store)
    for (let n = 0; n < 30; n++) {
      clock.advance(minuteMs)
      await here.run(store)
      await there.run(store)
    }
    assert.deepEqual(readdirSync(folder), ['ci.key'])
    for (let n = 0; n < 10; n++) {
      clock.advance(minuteMs)
      await there.run(store)
    }
    assert.deepEqual(readdirSync(folder), ['ci.key', 'elsewhere.key'])
    await held(book.verify(text())) // nobody is cut off by that
    await held(book.verify(readFileSync(join(folder, 'elsewhere.key'), 'utf8').trim()))
  })

  test('AK2: a lost file is written again, and what the configuration says of the key holds at once', async (context) => {
    const { node, store, text, file, clock, book, facts } = await scene(context)
    const managed = node()
    await managed.run(store)
    const first = text()
    rmSync(file)
    clock.advance(minuteMs)
    await managed.run(store)
    assert.notEqual(text(), first)
    const second = text()
    clock.advance(10 * minuteMs) // the other node is gone, and this one has another configuration
    await node({ permissions: [], addresses: ['10.0.0.0/8'] }).run(store)
    book.distrust()
    assert.equal(text(), second)
    const holder = await held(book.verify(second))
    assert.deepEqual([holder.permissions, holder.from?.('192.0.2.1')], [[], false])
    const { action, result, keyId, details } =
      facts.at(-1) ?? assert.fail('what a key lends changed, and nobody wrote it down')
    assert.deepEqual([action, result, keyId], ['api-key.change', 'success', holder.credential.id])
    assert.deepEqual([details['permissions'], details['addresses']], ['', '10.0.0.0/8'])
    clock.advance(10 * minuteMs)
    await node({ owner: { organisation: 'others' } }).run(store)
    book.distrust()
    assert.equal(await refused(book.verify(second)), 'api-key-invalid')
    assert.equal((await held(book.verify(text()))).id, 'others')
  })
}
