// The thread that keeps the record: how it begins, dies and ends.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { parseConfig } from '../../src/config/parse.ts'
import { whatNeedsARestart } from '../../src/config/restart.ts'
import { receive } from '../audit/following.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startHouse } from '../support/house.ts'
import { command, startProcess } from '../support/process.ts'
import { asked, incidentsSoon } from '../support/record.ts'

/** The threads that begin from now on and keep a record. */
function keepers(context: TestContext): readonly Worker[] {
  const begun: Worker[] = []
  const listen = (message: unknown): void => {
    const { worker } = message as { readonly worker: Worker }
    if (worker.threadName === 'record') begun.push(worker)
  }
  subscribe('worker_threads', listen)
  context.after(() => unsubscribe('worker_threads', listen))
  return begun
}

function linesOf(path: string): readonly number[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { seq: number }).seq]))
  } catch {
    return []
  }
}

test('A61, AU6: a thread that dies is replaced: its sink has everything, and what happens meanwhile is noticed', async (context) => {
  const begun = keepers(context)
  const folder = throwAwayFolder(context)
  const path = join(folder, 'audit.jsonl')
  const house = await startHouse(
    context,
    {
      store: `sqlite:${join(folder, 'gatehouse.db')}`,
      audit: { sinks: [{ kind: 'file', path }] },
      limits: false,
    },
    { roles: ['admin'] },
  )
  const admin = await house.signIn()
  await eventually(() => (linesOf(path).length > 0 ? true : undefined))
  assert.equal(begun.length, 1)
  await begun[0]?.terminate()
  for (let tries = 0; tries < 5; tries++)
    await fetch(`${house.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password: 'wrong wrong wrong' }),
    })
  await eventually(() => (begun.length === 2 ? true : undefined))
  const soon = async (): Promise<true | undefined> => {
    const { incidents } = await asked<{ incidents: unknown[] }>(
      `${house.url}/api/admin/incidents?type=brute-force`,
      admin,
    )
    return incidents.length === 1 ? true : undefined
  }
  await eventually(soon) // who died is succeeded after ten seconds
  assert.equal((await incidentsSoon(house.url, admin, 'brute-force')).length, 1)
  await house.close()
  const seqs = linesOf(path)
  assert.deepEqual(
    [...new Set(seqs)],
    Array.from({ length: new Set(seqs).size }, (_, index) => index + 1),
  )
})

for (const [what, more, message] of [
  [
    'a geolocation file',
    { incidents: { detection: { geolocation: './nowhere.mmdb' } } },
    /geolocation.*`\.\/nowhere\.mmdb` cannot be read/,
  ],
  [
    'a certificate of a sink',
    { audit: { sinks: [{ kind: 'syslog', host: '127.0.0.1', ca: './nowhere.pem' }] } },
    /sink:syslog: `ca`: `\.\/nowhere\.pem` cannot be read/,
  ],
] as const)
  test(`a house that lacks ${what} says so in one line and does not open`, async (context) => {
    const folder = throwAwayFolder(context)
    const config = join(folder, 'gatehouse.config.json')
    writeFileSync(config, JSON.stringify({ routes: [], ...more }))
    const { code, out, err } = await command([
      'start',
      '--config',
      config,
      '--data',
      join(folder, 'data'),
      '--port',
      '0',
    ])
    assert.equal(code, 3, err)
    assert.match(err, message)
    assert.deepEqual([out, err.trimEnd().split('\n').length], ['', 1], err)
  })

test('AU4: sinks and anchors that do not answer hold nobody up who ends; what they missed comes at the next start', async (context) => {
  let isDead = true
  const waiting = new Set<string>()
  const receiver = await receive(context, ({ url }) => {
    waiting.add(url)
    return isDead ? 'never' : 200
  })
  const folder = throwAwayFolder(context)
  const config = join(folder, 'gatehouse.config.json')
  const url = `http://127.0.0.1:${receiver.port}`
  const sinks = [{ kind: 'webhook', url: `${url}/sink`, timeout: '60s' }]
  writeFileSync(
    config,
    JSON.stringify({ routes: [], audit: { sinks, anchors: [{ url: `${url}/anchor` }], checkpoint: '1s' } }),
  )
  const start = () => startProcess(context, ['--config', config], { dataDir: join(folder, 'data') })
  const first = await start()
  await eventually(() => (waiting.size === 2 ? true : undefined))
  const before = performance.now()
  assert.equal(await first.stop(), 0)
  assert.ok(performance.now() - before < 8_000, `it took ${performance.now() - before} ms`)
  isDead = false
  const second = await start()
  await eventually(() => (receiver.received.some(({ url }) => url === '/sink') ? true : undefined))
  assert.equal(await second.stop(), 0)
  const [page] = receiver.received.filter(({ url }) => url === '/sink')
  assert.match(page?.body ?? '', /^\[\{"seq":1,/)
})

test('AU4, AU6: another sink, or another pattern in a rule, needs a restart', () => {
  const settingsOf = (config: object) => {
    const outcome = parseConfig({ routes: [], ...config }, {})
    assert.ok('settings' in outcome, JSON.stringify(outcome))
    return outcome.settings
  }
  const rules = (matches: string) => ({ 'brute-force': { when: { type: 'authentication', address: { matches } } } })
  const watching = (matches: string) => settingsOf({ incidents: { detection: { rules: rules(matches) } } })
  assert.deepEqual(whatNeedsARestart(watching('^10'), watching('^10')), [])
  assert.deepEqual(whatNeedsARestart(watching('^10'), watching('^11')), ['incidents'])
  assert.deepEqual(
    whatNeedsARestart(settingsOf({}), settingsOf({ audit: { sinks: [{ kind: 'file', path: './a' }] } })),
    ['audit'],
  )
})
