// `gatehouse audit search`, `count` and `export`, as an operator calls them.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { appendBatch } from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/audit/event.ts'
import { eventText } from '../../src/audit/event-text.ts'
import { command as audit } from '../../src/cli/audit.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { numbers, sampleEvent } from './sample.ts'

interface Place {
  readonly dir: string
  readonly call: (...args: readonly string[]) => Promise<Outcome>
  /** The same on a terminal, and not into a pipe. */
  readonly shown: (...args: readonly string[]) => Promise<Outcome>
  readonly last: () => Promise<AuditEvent>
}

async function place(context: TestContext, events: readonly AuditEvent[]): Promise<Place> {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const url = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store: url }))
  const store = await openStore(url)
  await appendBatch(store, events.map(eventText))
  await store.close()
  return {
    dir,
    call: (...args) => run(audit, [...args, '--config', config, '--data', dir]),
    shown: (...args) => run(audit, [...args, '--config', config, '--data', dir], {}, true),
    async last() {
      const { db, close } = await openStore(url)
      const chained = await db.selectFrom('audit_events').select('body').orderBy('seq').execute()
      const waiting = await db.selectFrom('audit_outbox').select('body').orderBy('position').execute()
      await close()
      return JSON.parse([...chained, ...waiting].at(-1)?.body ?? '')
    },
  }
}

test('AU3: an operator finds, counts and exports events, and is remembered', async (context) => {
  const { dir, call, last } = await place(context, numbers(450).map(sampleEvent))
  const found = await call('search', '--actor', 'user-3', '--limit', '2')
  assert.deepEqual([found.code, found.err], [0, ''])
  const lines = found.out.trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(
    lines[0] ?? '',
    /^2026-01-01T00:00:00\.444Z {2}#444 {2}api_access\/request {2}success {2}user:user-3 {2}203\.0\.113\.188 {2}route:GET \/api\/tasks\/:id {2}/,
  )
  const { type, actor, details } = await last()
  assert.deepEqual(
    [type, actor, details],
    ['data_access', { id: 'operator', type: 'system' }, { actor: 'user-3', events: 2 }],
  )

  const all = await call(
    'search',
    '--type',
    'api_access',
    '--type',
    'consent',
    '--limit',
    '100000',
    '--order',
    'oldest',
    '--json',
  )
  const events = all.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly seq: number })
  assert.deepEqual(
    events.map(({ seq }) => seq),
    numbers(450),
    'over several pages',
  )

  const counted = await call('count', '--by', 'day', '--type', 'api_access')
  assert.equal(counted.out, '      450  2026-01-01T00:00:00.000Z\n      450  in all\n')

  const out = join(dir, 'export.csv')
  const exported = await call('export', '--format', 'csv', '--out', out, '--address', '203.0.113.0/30')
  assert.deepEqual([exported.code, exported.out, exported.err], [0, '', `done: export to ${out}\n`])
  assert.equal(statSync(out).mode & 0o777, 0o600)
  assert.equal(readFileSync(out, 'utf8').trimEnd().split('\r\n').length, 1 + 7)
  assert.equal((await call('export', '--format', 'csv', '--address', '203.0.113.0/30')).out, readFileSync(out, 'utf8'))
})

test('AU3: an export is there whole or not at all', async (context) => {
  const { dir, call } = await place(context, numbers(5).map(sampleEvent))
  const folder = join(dir, 'taken')
  mkdirSync(folder)
  writeFileSync(join(folder, 'inside'), '')
  const refused = await call('export', '--out', folder)
  assert.equal(refused.code, 3)
  assert.match(refused.err, /cannot write the export to/)
  const elsewhere = await call('export', '--out', join(dir, 'no', 'such', 'folder'))
  assert.equal(elsewhere.code, 3)
  assert.ok(!existsSync(join(dir, 'no')))
  chmodSync(folder, 0o700)
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('taken')),
    ['taken'],
    'nothing is left beside it',
  )
})

test('AU3: what strangers wrote cannot steer the terminal of whoever looks', async (context) => {
  const hostile = '\u001b]0;owned\u0007\u009b2J\r\n#1  system/stop \u202eevil\u2028\u200b'
  const { call, shown: onTerminal } = await place(context, [
    { ...sampleEvent(1), actor: { id: hostile, type: 'user' }, details: { path: hostile } },
  ])
  for (const args of [
    ['search', '--type', 'api_access'],
    ['search', '--type', 'api_access', '--json'],
    ['count', '--by', 'actor', '--type', 'api_access'],
  ]) {
    const { out } = await call(...args)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, args.join(' '))
  }
  for (const format of ['jsonl', 'csv', 'ocsf']) {
    const { out } = await onTerminal('export', '--type', 'api_access', '--format', format)
    assert.match(out, /evil/)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, format)
  }
  const shown = await call('search', '--type', 'api_access')
  assert.equal(shown.out.split('\n').length, 2, 'one event, one line')
  const { actor } = JSON.parse((await call('search', '--type', 'api_access', '--json')).out)
  assert.equal(actor.id, hostile, 'in JSON it is the same text')
})

test('a wrong call names the option, before anything is opened', async (context) => {
  const { call } = await place(context, [])
  // biome-ignore format: a table
  const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['search', '--type', 'signin'],           /^--type: expected some of authentication/],
    [['search', '--since', 'yesterday'],       /^--since: expected a time/],
    [['search', '--since', '1h', '--until', '2h'], /^--until: expected a time later/],
    [['search', '--limit', '0'],               /^--limit: expected 1 to 100000/],
    [['search', '--order', 'random'],          /^--order/],
    [['search', 'authentication'],             /^expected no more than options/],
    [['count', '--by', 'user_agent'],          /^--by: expected one of type/],
    [['export', '--format', 'xml'],            /^--format: expected one of jsonl/],
    [['export', '--request', ''],              /^--request: expected the id/],
  ]
  for (const [args, said] of wrong) {
    const { code, err } = await call(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(err, said)
  }
})
