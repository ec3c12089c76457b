// `gatehouse address`, as an operator calls it.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as address } from '../../src/cli/address.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'

interface Place {
  readonly call: (...args: readonly string[]) => Promise<Outcome>
  readonly events: () => Promise<readonly Record<string, unknown>[]>
}

function place(context: TestContext): Place {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const store = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store }))
  return {
    call: (...args) => run(address, [...args, '--config', config, '--data', dir]),
    async events() {
      const { db, close } = await openStore(store)
      const chained = await db.selectFrom('audit_events').select('body').orderBy('seq').execute()
      const waiting = await db.selectFrom('audit_outbox').select('body').orderBy('position').execute()
      await close()
      return [...chained, ...waiting].map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    },
  }
}

test('TR7: an address is blocked, listed and lifted by command, and that is remembered', async (context) => {
  const { call, events } = place(context)
  const made = await call('block', '203.0.113.9', '--reason', 'guesses passwords', '--for', '1h')
  assert.deepEqual([made.code, made.out, made.err], [0, '', 'done: block 203.0.113.9\n'])
  assert.equal((await call('block', '2001:db8::77', '--reason', 'abuse', '--permanent')).code, 0)
  const until = '2099-01-01T00:00:00Z'
  assert.equal((await call('block', '198.51.100.0/24', '--reason', 'bad', '--until', until)).code, 0)
  const lines = (await call('list')).out.trim().split('\n')
  assert.match(lines[0] ?? '', /^203\.0\.113\.9\/32\tadministrator\toperator\t20[0-9TZ:.-]+\tguesses passwords$/)
  assert.equal(lines[1], '2001:db8::/64\tadministrator\toperator\twithout end\tabuse')
  assert.equal(lines[2], '198.51.100.0/24\tadministrator\toperator\t2099-01-01T00:00:00.000Z\tbad')
  assert.equal(lines.length, 3)
  assert.equal((await call('list', '--address', '2001:db8::1')).out.split('\t')[0], '2001:db8::/64')
  assert.equal((await call('list', '--address', '203.0.113.8')).out, '')
  const { addresses } = JSON.parse((await call('list', '--json', '--address', '::ffff:198.51.100.7')).out)
  assert.deepEqual(
    [addresses[0].id, addresses[0].network, addresses[0].expires_at],
    ['198.51.100.0_24', '198.51.100.0/24', '2099-01-01T00:00:00.000Z'],
  )
  const again = await call('block', '203.0.113.9', '--reason', 'still', '--for', '1h')
  assert.deepEqual([again.code, again.err], [1, '`203.0.113.9/32` is blocked already: lift that block first\n'])
  assert.equal((await call('lift', '2001:db8::1234')).code, 0)
  assert.equal((await call('lift', '198.51.100.0/24')).code, 0)
  const gone = await call('lift', '198.51.100.0/24')
  assert.deepEqual([gone.code, gone.err], [1, 'no block stands for this address or network\n'])
  assert.equal((await call('list')).out.trim().split('\n').length, 1)

  const told = (await events()).map(({ action, actor, resource, details }) => ({ action, actor, resource, details }))
  assert.equal(told.length, 5)
  assert.deepEqual(told[2], {
    action: 'address.block',
    actor: { id: 'operator', type: 'system' },
    resource: { id: '198.51.100.0/24', type: 'address' },
    details: { reason: 'bad', source: 'administrator', until: '2099-01-01T00:00:00.000Z' },
  })
  assert.deepEqual(told[3], {
    action: 'address.lift',
    actor: { id: 'operator', type: 'system' },
    resource: { id: '2001:db8::/64', type: 'address' },
    details: { blocked_by: 'operator', reason: 'abuse', source: 'administrator', until: 'without end' },
  })
})

test('TR7: what is wrong with a call is told with its reason, and exits 2', async (context) => {
  const { call } = place(context)
  const why = ['--reason', 'x']
  for (const [args, message] of [
    [[], /usage/],
    [['ban'], /unknown `address ban`/],
    [['block'], /usage/],
    [
      ['block', 'example.com', ...why, '--permanent'],
      /expected an address or a network such as `10\.0\.0\.0\/8`, got `example\.com`/,
    ],
    [['block', '10.0.0.1/8', ...why, '--permanent'], /expected an address or a network/],
    [['block', '192.0.2.1', '--permanent'], /--reason: /],
    [['block', '192.0.2.1', '--reason', 'a\nb', '--permanent'], /--reason: must be one line/],
    [['block', '192.0.2.1', '--reason', 'x'.repeat(201), '--permanent'], /--reason: /],
    [['block', '192.0.2.1', ...why], /--for: expected `duration`, `until` or `permanent`, one of the three/],
    [['block', '192.0.2.1', ...why, '--for', '1h', '--permanent'], /one of the three/],
    [['block', '192.0.2.1', ...why, '--for', 'soon'], /--for: expected a duration such as `1h`/],
    [['block', '192.0.2.1', ...why, '--for', '0s'], /--for: expected a duration/],
    [['block', '192.0.2.1', ...why, '--for', '11y'], /--for: expected a duration/],
    [['block', '192.0.2.1', ...why, '--until', 'tomorrow'], /--until: /],
    [['block', '192.0.2.1', ...why, '--until', '2001-01-01T00:00:00Z'], /until expected a time to come/],
    [['block', '192.0.2.1', ...why, '--permanent', '--json'], /has no `--json`/],
    [['list', '--address', '10.0.0.0/8'], /--address: expected an address/],
    [['lift', 'nobody'], /expected an address or a network/],
  ] as const) {
    const outcome = await call(...args)
    assert.equal(outcome.code, 2, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message, args.join(' '))
    assert.equal(outcome.out, '', args.join(' '))
  }
})

test('TR7: the commands of the documentation work as they stand there', async (context) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/shield.md'), 'utf8')
  const block = /```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  const calls = block
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*/, '').match(/'[^']*'|[^ ]+/g) ?? [])
  const { call } = place(context)
  assert.ok(calls.length > 4)
  for (const [program, noun, ...args] of calls) {
    assert.deepEqual([program, noun], ['gatehouse', 'address'])
    const { code, err } = await call(...args.map((arg) => arg.replaceAll("'", '')))
    assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  }
})
