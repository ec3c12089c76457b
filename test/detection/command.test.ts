// `gatehouse detect`, as an operator calls it; and what the documentation says of the rules.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/event.ts'
import { command as detect } from '../../src/cli/detect.ts'
import { visit } from '../../src/cli/visit.ts'
import { presets } from '../../src/incident/detection/presets.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { failedSignIn, request, start } from './events.ts'

interface Place {
  readonly dir: string
  readonly call: (...args: readonly string[]) => Promise<Outcome>
  readonly fill: (events: readonly AuditEvent[]) => Promise<void>
  readonly actions: () => Promise<readonly string[]>
}

function place(context: TestContext, detection: object = {}): Place {
  const dir = throwAwayFolder(context)
  const config = join(dir, 'gatehouse.config.json')
  const url = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(config, JSON.stringify({ store: url, incidents: { detection } }))
  return {
    dir,
    call: (...args) => run(detect, [...args, '--config', config, '--data', dir]),
    async fill(events) {
      const filled = await run(async (_, terminal) => {
        await visit({ config, data: dir }, terminal, async ({ audit }) => {
          for (const event of events) audit.note(event)
          await audit.flush()
        })
        return true
      }, [])
      assert.equal(filled.code, 0, filled.err)
    },
    async actions() {
      const store = await openStore(url)
      const chained = await store.db.selectFrom('audit_events').select('action').orderBy('seq').execute()
      const waiting = await store.db.selectFrom('audit_outbox').select('body').orderBy('position').execute()
      await store.close()
      return [...chained.map(({ action }) => action), ...waiting.map(({ body }) => JSON.parse(body).action)]
    },
  }
}

/** As `events.ts` has it, but of today. */
const lately = Date.now() - 3_600_000 - start
const guesses = [0, 1, 2, 3, 4].map((at) => failedSignIn(lately + at))

test('AU6: replay shows what rules would have found in the record, does nothing about it, and is itself remembered', async (context) => {
  const { call, fill, actions } = place(context)
  await fill([failedSignIn(lately - 40 * 86_400_000), ...guesses])
  const { code, out, err } = await call('replay')
  assert.deepEqual([code, err], [0, '5 events, 1 finding\n'])
  assert.match(out, /^20[0-9TZ:.-]+\thigh\tbrute-force\tada 203\.0\.113\.9\t5 events\t2–6\n$/)
  assert.equal((await actions()).at(-1), 'audit.search')
  const { events, findings } = JSON.parse((await call('replay', '--json', '--since', '60d')).out)
  assert.deepEqual([events, findings.length, findings[0].rule, findings[0].first_seq], [7, 1, 'brute-force', 2])
  assert.equal((await actions()).filter((action) => action === 'detected').length, 0)
})

test('AU6: replay runs the rules of the configuration, or presets that are named', async (context) => {
  const { call, fill } = place(context, { rules: { 'brute-force': false } })
  await fill([...guesses, ...Array.from({ length: 100 }, (_, at) => request(lately + at, 'gary'))])
  const silent = await call('replay')
  assert.deepEqual([silent.code, silent.out], [0, ''])
  assert.match((await call('replay', '--preset', 'standard')).out, /brute-force/)
  assert.match((await call('replay', '--preset', 'crazy-gary')).out, /\trequest-flood\tgary\t100 events\t/)
})

test('AU6: replay reads an export as it reads the record, and says which line is none', async (context) => {
  const { call, dir } = place(context)
  const path = join(dir, 'export.jsonl')
  const lines = guesses.map((event, index) =>
    JSON.stringify(index % 2 === 0 ? { seq: index + 71, event } : { ...event, seq: index + 71 }),
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  assert.match((await call('replay', '--export', path)).out, /\t71–75\n$/)
  for (const wrong of ['nonsense', '{"type":"authentication"}', 'null', '[]', '{"event":null}']) {
    writeFileSync(path, `${lines[0]}\n${wrong}\n`)
    const { code, err } = await call('replay', '--export', path)
    assert.deepEqual([code, /^--export: line 2 of `.*` is no event of a record/.test(err)], [2, true], wrong)
  }
})

test('AU6: what is wrong with a call or with a rule is told with its place', async (context) => {
  const { call } = place(context)
  for (const [args, message] of [
    [[], /usage/],
    [['undo'], /unknown `detect undo`/],
    [['replay', '--since', 'ever'], /--since: expected a duration/],
    [['replay', '--preset', 'none'], /--preset: expected `standard`/],
    [['replay', '--export', '/nowhere.jsonl'], /no export at/],
    [['rules', '--since', '1d'], /has no `--since`/],
  ] as const) {
    const { code, err } = await call(...args)
    assert.equal(code, 2, err)
    assert.match(err, message)
  }
  const wrong = place(context, { rules: { 'brute-force': { treshold: 3 }, mine: { kind: 'count' } } })
  const { code, err } = await wrong.call('rules')
  assert.equal(code, 2)
  assert.match(err, /incidents\.detection\.rules\.brute-force.*treshold/)
  assert.match(err, /incidents\.detection\.rules\.mine\.threshold/)
})

test('AU6: a misspelt type, action, result or resource is a mistake with its path, and finds nothing in silence nowhere', async (context) => {
  const mistakes: readonly (readonly [when: object, message: RegExp])[] = [
    [{ type: 'authentification' }, /brute-force\.when.*expected what an event has to say|brute-force\.when.*type/],
    [
      { type: 'authentication', action: 'signin' },
      /brute-force\.when.*expected an action of `authentication`, got `signin`/,
    ],
    [
      { type: 'authentication', action: ['sign-in', 'request'] },
      /expected an action of `authentication`, got `request`/,
    ],
    [
      { type: ['api_access', 'consent'], action: { not: 'sign-in' } },
      /expected an action of `api_access`, `consent`, got `sign-in`/,
    ],
    [
      { type: 'admin_action', action: { matches: '^users\\.' } },
      /expected an action of `admin_action`, got `\^users\\\.`/,
    ],
    [{ type: 'admin_action', action: { atLeast: 3 } }, /expected an action of `admin_action`, got `3`/],
    [{ type: 'api_access', result: 'failed' }, /expected a result, got `failed`/],
    [{ type: 'api_access', resource: 'routes' }, /expected a type of resource, got `routes`/],
  ]
  for (const [when, message] of mistakes) {
    const { code, err } = await place(context, { rules: { 'brute-force': { when } } }).call('rules')
    assert.deepEqual([code, message.test(err)], [2, true], err)
    const listed = await place(context, { rules: { 'brute-force': { when: [when] } } }).call('rules')
    assert.deepEqual([listed.code, message.test(listed.err)], [2, true], listed.err)
  }
  const right = { type: 'admin_action', action: { matches: '^user\\.' }, result: { not: 'denied' }, resource: ['user'] }
  assert.equal((await place(context, { rules: { 'brute-force': { when: right } } }).call('rules')).code, 0)
})

test('AU6: the commands of the documentation work as they stand there', async (context) => {
  const { call } = place(context)
  const calls = [...docs.matchAll(/^gatehouse detect (.*)$/gm)].map(([, args = '']) => args.split(' '))
  assert.ok(calls.length > 2)
  for (const args of calls) assert.equal((await call(...args)).code, 0, args.join(' '))
})

test('AU6: the documentation lists every standard rule, with its numbers', async (context) => {
  const rows = [...docs.matchAll(/^\| `([a-z-]+)` \| (low|medium|high|critical) \| (.*) \| (.*) \|$/gm)]
  const { rules } = JSON.parse((await place(context).call('rules', '--json')).out)
  assert.deepEqual(
    rows.map(([, name]) => name),
    Object.keys(presets.standard),
  )
  assert.deepEqual(
    rows.map(([, name, severity, finds, by]) => [name, severity, finds, by]),
    Object.entries(rules as Record<string, Rule>).map(([name, rule]) => [
      name,
      rule.severity,
      findsOf(rule),
      rule.by.join(' '),
    ]),
  )
})

interface Rule {
  readonly [name: string]: unknown
  readonly by: readonly string[]
  readonly kind: string
  readonly window: number
}

function findsOf({
  kind,
  threshold,
  window,
  without,
  distinct,
  factor,
  least,
  kmPerHour,
  value,
  memory,
  most,
  incident,
}: Rule): string {
  const span = window % 3_600_000 === 0 ? `${window / 3_600_000}h` : `${window / 60_000}m`
  switch (kind) {
    case 'count':
      return `${threshold} in ${span}${without === undefined ? '' : ', no success between'}`
    case 'distinct':
      return `${threshold} different ${(distinct as readonly string[]).join(' and ')} in ${span}${without === undefined ? '' : ', that do not get in'}`
    case 'jump':
      return `${factor} times the usual share in ${span}, ${least} at least`
    case 'travel':
      return `faster than ${kmPerHour} km/h`
    default:
      return `${value} not seen for ${(memory as number) / 86_400_000}d, up to ${most} others known${incident ? '' : '; no incident'}`
  }
}

const docs = readFileSync(join(import.meta.dirname, '../../docs/detection.md'), 'utf8')
