// Blocks of addresses, alike on every store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import { limitKey } from '../../src/kernel/ip.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { BlockBook, type NoteBlocks } from '../../src/shield/block-book.ts'
import { blockMemory } from '../../src/shield/block-memory.ts'
import { type AddressBlock, BlockStore } from '../../src/shield/block-store.ts'
import { openStore, type Store } from '../../src/store/database.ts'
import { type TestClock, testClock } from '../support/clock.ts'

export type FreshStore = (context: TestContext) => Promise<string>

const hourMs = 3_600_000
const unnoted: NoteBlocks = async () => undefined

/** One node: a store of its own on the shared one, and what it has in memory. */
interface Node {
  readonly store: Store
  readonly blocks: BlockStore
  readonly book: BlockBook
  readonly logged: string[]
  /** Until when an address is blocked here; undefined: it is not. */
  until(address: string): number | 'for ever' | undefined
  byRate(address: string, forMs?: number): void
  byAdministrator(network: string, forMs?: number): Promise<void>
  lift(network: string): Promise<AddressBlock | undefined>
  hear(): Promise<void>
  flush(note?: NoteBlocks): Promise<void>
}

async function node(
  context: TestContext,
  url: string,
  clock: TestClock,
  more: { readonly rowsMax?: number; readonly waitingMax?: number } = {},
): Promise<Node> {
  const store = await openStore(url)
  context.after(() => store.close())
  const blocks = new BlockStore({ clock })
  const logged: string[] = []
  const say = (fields: LogFields, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const memory = blockMemory(100_000, systemRandom)
  const book = new BlockBook({ store: blocks, memory, clock, random: systemRandom, log, ...more })
  await book.hear(store.db)
  return {
    store,
    blocks,
    book,
    logged,
    until(address) {
      const block = book.standing(address, limitKey(address))
      return block === undefined ? undefined : (block.until ?? 'for ever')
    },
    byRate: (address, forMs = hourMs) =>
      void book.block(address, limitKey(address), 'over 100 requests in 60 s', forMs),
    async byAdministrator(network, forMs) {
      const createdAt = clock.now()
      const expiresAt = forMs === undefined ? undefined : createdAt + forMs
      await store.transaction((trx) =>
        blocks.put(trx, { network, source: 'administrator', reason: 'abuse', createdBy: 'ada', createdAt, expiresAt }),
      )
      await book.hear(store.db)
    },
    async lift(network) {
      const lifted = await store.transaction((trx) => blocks.lift(trx, network))
      await book.hear(store.db)
      return lifted
    },
    hear: () => book.hear(store.db),
    flush: (note = unnoted) => book.flush(store, note),
  }
}

export function blockCases(fresh: FreshStore): void {
  test('TR7: what one node blocks stands on the others once they hear, survives a restart, and ends by itself', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    const end = clock.now() + hourMs
    here.byRate('192.0.2.1')
    here.byRate('2001:db8:0:7::1')
    assert.equal(here.until('192.0.2.1'), end, 'at once')
    const noted: string[] = []
    await here.flush(async (_trx, blocks) => void noted.push(...blocks.map(({ network }) => network)))
    assert.deepEqual(noted, ['192.0.2.1/32', '2001:db8:0:7::/64'])
    assert.equal(there.until('192.0.2.1'), undefined)
    await there.hear()
    const started = await node(context, url, clock)
    for (const one of [here, there, started]) {
      assert.equal(one.until('192.0.2.1'), end)
      assert.equal(one.until('2001:db8:0:7:ffff::9'), end, 'an address of the same /64')
      assert.equal(one.until('2001:db8:0:8::1'), undefined)
      assert.equal(one.until('192.0.2.2'), undefined)
    }
    clock.advance(hourMs - 1)
    assert.equal(started.until('192.0.2.1'), end)
    clock.advance(1)
    for (const one of [here, there, started]) assert.equal(one.until('192.0.2.1'), undefined)
    assert.equal((await node(context, url, clock)).until('192.0.2.1'), undefined)
  })

  test('TR7: administrators block networks, each to its own end, and the one that ends last is told', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    const start = clock.now()
    await here.byAdministrator('198.51.100.0/24', 2 * hourMs)
    await here.byAdministrator('198.51.100.128/25', hourMs)
    await here.byAdministrator('2001:db8::/32')
    here.byRate('198.51.100.200', 3 * hourMs)
    here.byRate('198.51.100.1', hourMs / 2)
    await here.flush()
    await there.hear()
    for (const one of [here, there]) {
      assert.equal(one.until('198.51.100.1'), start + 2 * hourMs)
      assert.equal(one.until('::ffff:198.51.100.129'), start + 2 * hourMs)
      assert.equal(one.until('198.51.100.200'), start + 3 * hourMs)
      assert.equal(one.until('2001:db8:ffff::1'), 'for ever')
      assert.equal(one.until('198.51.101.1'), undefined)
    }
    clock.advance(2 * hourMs)
    assert.equal(there.until('198.51.100.129'), undefined)
    assert.equal(there.until('2001:db8:ffff::1'), 'for ever')
    assert.ok(await there.lift('2001:db8::/32'))
    await here.hear()
    for (const one of [here, there]) assert.equal(one.until('2001:db8:ffff::1'), undefined)
  })

  test('TR7: a block of the house is lifted everywhere, and the next offence blocks again', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    here.byRate('192.0.2.1')
    await here.flush()
    await there.hear()
    clock.advance(1_000)
    assert.equal((await there.lift('192.0.2.1/32'))?.source, 'rate')
    assert.equal(await there.lift('192.0.2.1/32'), undefined, 'it is lifted once')
    await here.hear()
    for (const one of [here, there]) assert.equal(one.until('192.0.2.1'), undefined)
    clock.advance(1_000)
    here.byRate('192.0.2.1')
    await here.flush()
    await there.hear()
    for (const one of [here, there]) assert.equal(one.until('192.0.2.1'), clock.now() + hourMs)
  })

  test('TR7: a block that waited to be written is not written over what an administrator said meanwhile', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    for (const address of ['192.0.2.1', '192.0.2.2']) here.byRate(address)
    clock.advance(100)
    await there.byAdministrator('192.0.2.1/32')
    await there.byAdministrator('192.0.2.2/32')
    await there.lift('192.0.2.2/32')
    const noted: string[] = []
    await here.flush(async (_trx, blocks) => void noted.push(...blocks.map(({ network }) => network)))
    await here.hear()
    assert.deepEqual(noted, [])
    assert.deepEqual([here.until('192.0.2.1'), here.until('192.0.2.2')], ['for ever', undefined])
    const [row] = await here.blocks.among(here.store.db, ['192.0.2.1/32', '192.0.2.2/32'])
    assert.deepEqual([row?.network, row?.source], ['192.0.2.1/32', 'administrator'])
  })

  test('TR7: what an administrator says of an address counts in the place of what the house said', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    here.byRate('192.0.2.1')
    await here.flush()
    await there.hear()
    await there.byAdministrator('192.0.2.1/32', 600_000)
    await here.hear()
    for (const one of [here, there, await node(context, url, clock)])
      assert.equal(one.until('192.0.2.1'), clock.now() + 600_000)
    clock.advance(600_000)
    for (const one of [here, there]) assert.equal(one.until('192.0.2.1'), undefined)
  })

  test('TR7: of what two nodes block at one moment neither is lost, and each block is noted once', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const nodes = [await node(context, url, clock), await node(context, url, clock)]
    const noted: string[] = []
    for (let turn = 0; turn < 5; turn++) {
      for (const [at, one] of nodes.entries())
        for (let n = 0; n < 300; n++) one.byRate(`10.${turn}.${n < 50 ? 9 : at}.${n % 250}`)
      await Promise.all(
        nodes.map((one) => one.flush(async (_trx, blocks) => void noted.push(...blocks.map(({ network }) => network)))),
      )
      await Promise.all(nodes.map((one) => one.hear()))
    }
    assert.equal(new Set(noted).size, noted.length)
    const rows = await nodes[0]?.store.db.selectFrom('address_blocks').select(['network', 'position']).execute()
    assert.deepEqual(rows?.map(({ network }) => network).toSorted(), noted.toSorted())
    assert.equal(new Set(rows?.map(({ position }) => position)).size, rows?.length, 'each change has its position')
    for (const one of nodes) for (const network of noted) assert.ok(one.until(network.slice(0, -3)), network)
  })

  test('TR7: the store has so many blocks of the house at most, and the rest stand in memory', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const here = await node(context, url, clock, { rowsMax: 20, waitingMax: 30 })
    for (let n = 0; n < 50; n++) here.byRate(`192.0.2.${n}`)
    await here.flush()
    assert.equal(await here.blocks.count(here.store.db, 'rate'), 20)
    for (let n = 0; n < 50; n++) assert.ok(here.until(`192.0.2.${n}`), `${n}`)
    await here.book.recount(here.store.db)
    assert.deepEqual(here.logged.filter((line) => line.includes('memory of this node alone')).length, 1)
    assert.match(here.logged.join(), /"blocks":30/)
    // Once they are over, there is room again; and nothing of them stays.
    clock.advance(2 * hourMs)
    await here.book.sweep(here.store.db)
    await here.book.recount(here.store.db)
    assert.deepEqual(await here.store.db.selectFrom('address_blocks').select('network').execute(), [])
    here.byRate('192.0.2.1')
    await here.flush()
    assert.equal(await here.blocks.count(here.store.db, 'rate'), 1)
  })

  test('TR7: what could not be written waits, and is written when the store is there again', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    here.byRate('192.0.2.1')
    const fail: NoteBlocks = async () => {
      throw new Error('the record cannot be written')
    }
    await assert.rejects(here.flush(fail), /cannot be written/)
    await there.hear()
    assert.equal(there.until('192.0.2.1'), undefined, 'no block without its event')
    assert.ok(here.until('192.0.2.1'))
    await here.flush()
    await there.hear()
    assert.ok(there.until('192.0.2.1'))
  })

  test('TR7: a node that was away for long reads everything anew', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    await here.byAdministrator('192.0.2.0/24')
    await there.hear()
    await here.lift('192.0.2.0/24')
    clock.advance(hourMs)
    await here.book.sweep(here.store.db) // the row that says so is gone
    here.byRate('198.51.100.1')
    await here.flush()
    await there.hear()
    assert.deepEqual([there.until('192.0.2.1'), there.until('198.51.100.1')], [undefined, clock.now() + hourMs])
  })

  test('TR7: a block that was lifted while a node could not hear, for however long, ends there too once it hears', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [here, there] = [await node(context, url, clock), await node(context, url, clock)]
    here.byRate('192.0.2.1', 24 * hourMs)
    here.byRate('192.0.2.2', 24 * hourMs)
    await here.flush()
    await there.hear()
    await here.lift('192.0.2.1/32')
    for (let hour = 0; hour < 3; hour++) {
      clock.advance(hourMs)
      await here.book.sweep(here.store.db)
    }
    await there.hear()
    assert.deepEqual([there.until('192.0.2.1'), there.until('192.0.2.2')], [undefined, clock.now() + 21 * hourMs])
    clock.advance(22 * hourMs)
    await here.book.sweep(here.store.db)
    assert.deepEqual(await here.store.db.selectFrom('address_blocks').select('network').execute(), [])
  })

  test('TR7: short blocks do not fill the store: what it keeps of ended ones takes room as well', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const here = await node(context, url, clock, { rowsMax: 20 })
    for (let second = 0; second < 10; second++) {
      for (let n = 0; n < 10; n++) here.byRate(`192.0.${second}.${n}`, 1_000)
      await here.flush()
      await here.book.recount(here.store.db)
      clock.advance(2_000)
    }
    assert.equal((await here.store.db.selectFrom('address_blocks').select('network').execute()).length, 20)
  })

  test('TR7: a thread that does not sweep finds out that there is room again', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const [first, second] = [await node(context, url, clock), await node(context, url, clock, { rowsMax: 5 })]
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 5; n++) second.byRate(`192.0.${round}.${n}`)
      await second.flush()
      assert.equal(await first.blocks.count(first.store.db, 'rate'), 5, `round ${round}`)
      clock.advance(2 * hourMs)
      await first.book.sweep(first.store.db)
      await second.book.recount(second.store.db)
    }
    for (let n = 0; n < 6; n++) second.byRate(`198.51.100.${n}`)
    await second.flush()
    await second.book.recount(second.store.db)
    assert.equal(
      second.logged.filter((line) => line.includes('memory of this node alone')).length,
      1,
      'and tells of what found none',
    )
  })

  test('TR7: blocks are listed by pages, those that stand alone', async (context) => {
    const [url, clock] = [await fresh(context), testClock()]
    const here = await node(context, url, clock)
    for (let n = 0; n < 7; n++) {
      here.byRate(`192.0.2.${n}`, n === 3 ? 1_000 : hourMs)
      if (n % 2 === 0) clock.advance(10)
      await here.flush()
    }
    await here.byAdministrator('2001:db8::/32', hourMs)
    await here.lift('192.0.2.5/32')
    clock.advance(2_000) // ends are whole seconds, rounded up
    const seen: string[] = []
    let after: Parameters<BlockStore['page']>[1]['after']
    do {
      const { blocks, next } = await here.blocks.page(here.store.db, { limit: 2, after })
      assert.ok(blocks.length <= 2)
      seen.push(...blocks.map(({ network }) => network))
      after = next
    } while (after !== undefined)
    assert.deepEqual(seen, [
      '192.0.2.0/32',
      '192.0.2.1/32',
      '192.0.2.2/32',
      '192.0.2.4/32',
      '192.0.2.6/32',
      '2001:db8::/32',
    ])
  })
}
