import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { z } from 'zod'
import type { Refusal } from '../../src/kernel/error.ts'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { limitKey } from '../../src/kernel/ip.ts'
import { silent } from '../../src/kernel/log.ts'
import { counterMemory } from '../../src/limits/counters/counter-memory.ts'
import { openCounters } from '../../src/limits/counters/counters.ts'
import type { Limiter } from '../../src/limits/limiter.ts'
import { BlockBook } from '../../src/shield/block-book.ts'
import { blockMemory } from '../../src/shield/block-memory.ts'
import { BlockStore } from '../../src/shield/block-store.ts'
import { shieldOptions } from '../../src/shield/options.ts'
import { openShield, type Shield } from '../../src/shield/shield.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { throwAwayFolder } from '../support/folder.ts'

type Written = z.input<typeof shieldOptions>

interface Scene {
  readonly clock: TestClock
  readonly shield: Shield
  /** What a request is answered: `in`, or the code of the refusal. */
  from(address: string, more?: { readonly userAgent?: string | undefined; readonly path?: string }): string
  refusal(address: string): Refusal | undefined
}

async function scene(
  context: TestContext,
  written: Written,
  limiterOf: (clock: TestClock) => Limiter = (clock) => openCounters(counterMemory(1 << 20, systemRandom), clock),
): Promise<Scene> {
  const clock = testClock()
  const store = new BlockStore({ clock })
  const memory = blockMemory(10_000, systemRandom)
  const blocks = new BlockBook({ store, memory, clock, random: systemRandom, log: silent })
  const options = shieldOptions.parse(written)
  const limiter = limiterOf(clock)
  const shield = await openShield({ options, blocks, limiter, clock, random: systemRandom, log: silent })
  context.after(() => shield.close())
  const ask = (address: string, userAgent: string | undefined, path: string): Refusal | undefined => {
    const outcome = shield.admits(address, limitKey(address), userAgent, path)
    assert.ok(!(outcome instanceof Promise), 'who counts here waits for nothing')
    return outcome
  }
  return {
    clock,
    shield,
    from: (address, { userAgent = 'Mozilla/5.0', path = '/' } = {}) => ask(address, userAgent, path)?.code ?? 'in',
    refusal: (address) => ask(address, 'Mozilla/5.0', '/'),
  }
}

test('TR7: 10 requests in a second come through, the next one blocks for an hour to the second, and then it ends by itself', async (context) => {
  const { clock, from, refusal } = await scene(context, { rate: {} })
  for (let n = 0; n < 10; n++) assert.equal(from('192.0.2.1'), 'in', `${n}`)
  const blocked = refusal('192.0.2.1')
  assert.equal(blocked?.code, 'address-blocked')
  assert.equal(blocked?.retryAfterMs, 3_600_000)
  assert.equal(blocked?.detail, 'this address is blocked until 2026-01-01T01:00:00.000Z: too many requests')
  assert.equal(from('192.0.2.2'), 'in', 'nobody else')
  // Knocking on lengthens nothing.
  for (let minute = 0; minute < 59; minute++) {
    clock.advance(60_000)
    for (let n = 0; n < 20; n++) assert.equal(from('192.0.2.1'), 'address-blocked')
  }
  assert.equal(refusal('192.0.2.1')?.retryAfterMs, 60_000)
  clock.advance(59_999)
  assert.equal(from('192.0.2.1'), 'address-blocked')
  clock.advance(1) // as long as was promised
  for (let n = 0; n < 10; n++) assert.equal(from('192.0.2.1'), 'in')
  assert.equal(from('192.0.2.1'), 'address-blocked', 'a new offence')
})

test('TR7: 100 requests in a minute come through and the next one blocks; whoever keeps to the pace never is', async (context) => {
  const { clock, from } = await scene(context, { rate: {} })
  for (let n = 0; n < 100; n++) {
    assert.equal(from('192.0.2.1'), 'in', `${n}`)
    clock.advance(110)
  }
  assert.equal(from('192.0.2.1'), 'address-blocked')
  for (let n = 0; n < 1_000; n++) {
    assert.equal(from('192.0.2.2'), 'in', `${n}`)
    clock.advance(600)
  }
})

test('TR7: one who asks from all of a /64, or in the IPv6 form of an IPv4 address, is one', async (context) => {
  const { from } = await scene(context, { rate: { thresholds: [{ limit: 10, window: '1s' }] } })
  for (let n = 0; n < 10; n++) assert.equal(from(`2001:db8::${n + 1}`), 'in')
  assert.equal(from('2001:db8::ffff:1'), 'address-blocked')
  assert.equal(from('2001:db8:0:0:ffff:ffff:ffff:ffff'), 'address-blocked')
  assert.equal(from('2001:db8:0:1::1'), 'in')
  for (let n = 0; n < 10; n++) assert.equal(from(n % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'), 'in')
  assert.deepEqual([from('::ffff:c000:201'), from('192.0.2.1')], ['address-blocked', 'address-blocked'])
})

test('TR7: whoever cannot be told by an address is slowed down, and blocked together with nobody', async (context) => {
  const { clock, from, refusal } = await scene(context, { rate: {} })
  for (let n = 0; n < 10; n++) assert.equal(from('unknown'), 'in')
  assert.equal(refusal('unknown')?.code, 'rate-limited')
  clock.advance(refusal('unknown')?.retryAfterMs ?? 0)
  assert.equal(from('unknown'), 'in')
})

test('TR7: that requests cannot be counted blocks nobody', async (context) => {
  const { from } = await scene(context, { rate: {} }, () => ({ take: () => 'uncounted', spent: () => undefined }))
  for (let n = 0; n < 200; n++) assert.equal(from('192.0.2.1'), 'in')
})

test('TR7: suspicious user agents are refused by any spelling; what is allowed, and what says nothing, comes', async (context) => {
  const { from } = await scene(context, { userAgents: { refuse: 'suspicious', allow: ['Googlebot'] } })
  const asked = (userAgent: string | undefined): string => from('192.0.2.1', { userAgent })
  for (const userAgent of [
    'curl/8.5.0',
    'CURL/8',
    'Wget/1.21',
    'python-requests/2.32',
    'Mozilla/5.0 (compatible; AhrefsBot/7.0)',
    'My Crawler',
    'spider',
    'sCrApEr',
    'Nmap Scanner',
    `${'x'.repeat(8_192)}curl`,
    'cu\0rl bot',
  ])
    assert.equal(asked(userAgent), 'user-agent-refused', userAgent.slice(-20))
  for (const userAgent of [
    'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    'Mozilla/5.0 (compatible; Googlebot/2.1)',
    'mozilla googleBOT',
    'cu\0rl/8',
    'x'.repeat(8_192),
    '',
    ' ',
    undefined,
  ])
    assert.equal(asked(userAgent), 'in', userAgent?.slice(-20))
  const strict = await scene(context, { userAgents: { refuseEmpty: true } })
  for (const userAgent of ['', '  ', undefined])
    assert.equal(strict.shield.admits('192.0.2.1', '192.0.2.1', userAgent, '/')?.constructor, Object)
  assert.equal(strict.from('192.0.2.1', { userAgent: 'curl/8' }), 'in', 'no word was named')
})

test('TR7: lists come before blocks, blocks before user agents, and whoever is refused by them is not counted', async (context) => {
  const file = join(throwAwayFolder(context), 'bad.txt')
  writeFileSync(file, '203.0.113.0/24 # bad actors\n')
  const { from, clock } = await scene(context, {
    addresses: { deny: ['198.51.100.0/24'], denyFiles: [file] },
    rate: { thresholds: [{ limit: 2, window: '1s' }], block: '10s' },
    userAgents: { refuse: ['curl'] },
  })
  const curl = { userAgent: 'curl/8' }
  for (const denied of ['203.0.113.9', '198.51.100.9', '::ffff:203.0.113.9', 'unknown'])
    for (let n = 0; n < 5; n++) assert.equal(from(denied, curl), 'address-not-allowed', denied)
  for (let n = 0; n < 5; n++) assert.equal(from('192.0.2.1', curl), 'user-agent-refused')
  for (let n = 0; n < 2; n++) assert.equal(from('192.0.2.1'), 'in')
  assert.equal(from('192.0.2.1'), 'address-blocked')
  assert.equal(from('192.0.2.1', curl), 'address-blocked')
  clock.advance(10_000)
  assert.equal(from('192.0.2.1'), 'in')
})

test('TR7: what is exempt is never asked, counted or blocked', async (context) => {
  const { from, shield } = await scene(context, {
    addresses: { deny: ['192.0.2.0/24'] },
    rate: { thresholds: [{ limit: 1, window: '1s' }] },
    userAgents: { refuse: 'suspicious' },
    exempt: { paths: ['/health', '/probe/*'], addresses: ['10.0.0.0/8', '192.0.2.7'] },
  })
  for (let n = 0; n < 5; n++) {
    assert.equal(from('10.1.2.3', { userAgent: 'curl/8' }), 'in')
    assert.equal(from('192.0.2.7'), 'in')
    assert.equal(from('192.0.2.8', { path: '/health', userAgent: 'curl/8' }), 'in')
    assert.equal(from('198.51.100.1', { path: '/probe/a/b' }), 'in')
  }
  for (const path of ['/', '/healthy', '/health/', '/probe', '/probes', '/Health', '/health/../a'])
    assert.equal(shield.exempts('198.51.100.1', path), false, path)
  assert.deepEqual([from('198.51.100.1'), from('198.51.100.1')], ['in', 'address-blocked'])
  assert.equal(from('198.51.100.1', { path: '/health' }), 'in', 'a blocked one too')
})

test('TR7: without a word in the configuration nobody is asked anything', async (context) => {
  const { from } = await scene(context, {})
  for (let n = 0; n < 1_000; n++) assert.equal(from('192.0.2.1', { userAgent: 'curl/8' }), 'in')
})

test('TR7: a list that cannot be read opens no shield', async () => {
  const clock = testClock()
  const store = new BlockStore({ clock })
  const memory = blockMemory(8, systemRandom)
  const blocks = new BlockBook({ store, memory, clock, random: systemRandom, log: silent })
  const options = shieldOptions.parse({ addresses: { denyFiles: ['/nowhere/bad.txt'] } })
  const limiter = openCounters(counterMemory(1 << 20, systemRandom), clock)
  await assert.rejects(
    openShield({ options, blocks, limiter, clock, random: systemRandom, log: silent }),
    (error) => error instanceof Fault && /denyFiles`: `\/nowhere\/bad\.txt` cannot be read/.test(error.message),
  )
})

test('TR7: what is wrong with the options is told with its place', () => {
  const wrong = (written: object, path: string, message: RegExp): void => {
    const parsed = shieldOptions.safeParse(written)
    assert.ok(!parsed.success, JSON.stringify(written))
    const issue = parsed.error.issues.find((one) => one.path.join('.') === path)
    assert.match(issue?.message ?? JSON.stringify(parsed.error.issues), message)
  }
  wrong({ addresses: {} }, 'addresses', /`allow`, `deny`, `denyFiles`, or several/)
  wrong({ addresses: { deny: ['10.0.0.1/8'] } }, 'addresses.deny.0', /an address or a network/)
  wrong({ addresses: { denyFiles: [''] } }, 'addresses.denyFiles.0', /path of a file/)
  wrong({ rate: { thresholds: [] } }, 'rate.thresholds', /./)
  wrong({ rate: { thresholds: [{ limit: 0, window: '1s' }] } }, 'rate.thresholds.0.limit', /./)
  wrong({ rate: { thresholds: [{ limit: 1, window: '1ms' }] } }, 'rate.thresholds.0.window', /`100ms` to `1d`/)
  wrong({ rate: { block: '1s' } }, 'rate.thresholds.0.window', /no more than `block`/)
  wrong({ rate: { block: '2y' } }, 'rate.block', /`1s` to `365d`/)
  const twice = { limit: 1, window: '1s' }
  wrong(
    { rate: { thresholds: [twice, { limit: 2, window: '1s' }] } },
    'rate.thresholds.1.window',
    /one threshold for each/,
  )
  wrong({ userAgents: {} }, 'userAgents', /`refuse`, or `refuseEmpty: true`/)
  wrong({ userAgents: { refuse: 'strange' } }, 'userAgents.refuse', /list of words, or `suspicious`/)
  wrong({ userAgents: { refuse: [''] } }, 'userAgents.refuse', /./)
  wrong({ exempt: { paths: ['health'] } }, 'exempt.paths.0', /a path such as `\/health`/)
  wrong({ exempt: { paths: ['/*'] } }, 'exempt.paths.0', /a path such as/)
  wrong({ exempt: { paths: ['/a/*/b'] } }, 'exempt.paths.0', /a path such as/)
  wrong({ adresses: {} }, '', /adresses/)
})
