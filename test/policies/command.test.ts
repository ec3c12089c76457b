// `gatehouse policy`, as an operator calls it about the policies of a house.
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { command as policy } from '../../src/cli/policy.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { mirror, startHouse, startUpstream } from '../support/house.ts'
import { allowing } from './scene.ts'

interface Place {
  readonly dir: string
  file(name: string, content: unknown): string
  run(...args: readonly string[]): Promise<Outcome>
}

function place(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const file: Place['file'] = (name, content) => {
    const path = join(dir, name)
    writeFileSync(path, JSON.stringify(content))
    return path
  }
  const config = file('gatehouse.config.json', {
    policies: [
      { name: 'documents', managed: true },
      { name: 'own', ...allowing('ada') },
    ],
  })
  return { dir, file, run: (...args) => run(policy, [...args, '--config', config, '--data', dir]) }
}

test('A56: a policy is put, tried out, adopted and removed by command, and what is there can be had again', async () => {
  const { run, file, dir } = place()
  assert.equal((await run('list')).out, 'documents\tmanaged\tunwritten\nown\tconfiguration\t1 rule\n')
  const first = file('first.json', allowing('ada'))
  const second = file('second.json', allowing('ada', 'bob'))
  const put = await run('put', 'documents', first)
  assert.deepEqual([put.code, put.out, put.err], [0, '', 'done: put documents\n'])
  assert.equal((await run('try', 'documents', second)).code, 0)
  assert.equal((await run('try', 'own', second)).code, 0)
  assert.equal((await run('list')).out, 'documents\tmanaged\t1 rule\ttrial\nown\tconfiguration\t1 rule\ttrial\n')
  const shown = await run('show', 'documents')
  assert.deepEqual(JSON.parse(shown.out), allowing('ada'))
  assert.deepEqual(JSON.parse((await run('show', 'documents', '--trial')).out), allowing('ada', 'bob'))
  const [listed] = JSON.parse((await run('list', '--json')).out) as {
    fingerprint: string
    trial: { fingerprint: string }
  }[]
  assert.equal((await run('adopt', 'documents', '--expect', listed?.fingerprint ?? '')).code, 1)
  assert.equal((await run('adopt', 'documents', '--expect', listed?.trial.fingerprint ?? '')).code, 0)
  assert.deepEqual(JSON.parse((await run('show', 'documents')).out), allowing('ada', 'bob'))
  assert.equal((await run('put', 'documents', first, '--expect', listed?.fingerprint ?? '')).code, 1)
  assert.equal((await run('end-trial', 'own')).code, 0)
  assert.equal((await run('end-trial', 'own')).code, 1)
  assert.equal((await run('remove', 'documents')).code, 0)
  assert.equal((await run('remove', 'documents')).code, 1)

  const store = await openStore(`sqlite:${join(dir, 'gatehouse.db')}`)
  try {
    const rows = await store.db.selectFrom('audit_events').select('body').orderBy('seq').execute()
    const waiting = await store.db.selectFrom('audit_outbox').selectAll().execute()
    const told = [...rows.map(({ body }) => body), ...waiting.map((row) => JSON.stringify(row))].join('\n')
    for (const action of ['create', 'trial-begin', 'trial-adopt', 'trial-end', 'remove'])
      assert.match(told, new RegExp(`policy\\.${action}`))
    assert.match(told, /operator/)
  } finally {
    await store.close()
  }
})

test('A56: a house that serves hears within a second what was put at the command line', async (context) => {
  const dir = throwAwayFolder(context)
  const upstream = await startUpstream(context, mirror)
  const written = {
    store: `sqlite:${join(dir, 'gatehouse.db')}`,
    upstreams: { api: upstream.url },
    policies: [{ name: 'documents', managed: true as const }],
    routes: [{ path: '/documents', access: 'authenticated' as const, policy: 'documents', to: 'api' }],
  }
  const [config, document] = [join(dir, 'gatehouse.config.json'), join(dir, 'policy.json')]
  writeFileSync(config, JSON.stringify(written))
  const house = await startHouse(context, written, { dataDir: dir })
  const headers = { authorization: `Bearer ${await house.signIn()}` }
  const me = (await (await fetch(`${house.url}/api/auth/me`, { headers })).json()) as { id: string }
  writeFileSync(document, JSON.stringify(allowing(me.id)))
  const becomes = (status: number): Promise<true> =>
    eventually(async () => ((await fetch(`${house.url}/documents`, { headers })).status === status ? true : undefined))
  await becomes(403)
  const put = await run(policy, ['put', 'documents', document, '--config', config, '--data', dir])
  assert.equal(put.code, 0, put.err)
  await becomes(200)
  await run(policy, ['remove', 'documents', '--config', config, '--data', dir])
  await becomes(403)
})

test('AZ4: what is wrong with a call is told with its reason and exits 2; what is not there exits 1', async () => {
  const { run, file } = place()
  const good = file('good.json', allowing('ada'))
  const wrong = file('wrong.json', { ...allowing('ada'), owner: 'me' })
  for (const [args, code, message] of [
    [['put'], 2, /usage/],
    [['put', 'documents'], 2, /usage/],
    [['constructor'], 2, /unknown `policy constructor`/],
    [['put', 'documents', wrong], 2, /wrong\.json has 1 mistake:\n {2}owner: /],
    [['put', 'documents', '/nowhere.json'], 2, /ENOENT/],
    [['put', 'own', good], 1, /stands in the configuration/],
    [['put', 'nobody', good], 1, /no policy of the configuration has this name/],
    [['put', 'documents', good, '--trial'], 2, /has no `--trial`/],
    [['try', 'documents', good, '--against', good], 2, /has no `--against`/],
    [['adopt', 'documents'], 1, /nothing is tried out/],
    [['adopt', 'own'], 1, /stands in the configuration/],
    [['remove', 'own'], 1, /stands in the configuration/],
    [['show', 'documents'], 1, /has no document/],
    [['show', 'own', '--trial'], 1, /nothing is tried out/],
    [['show', 'nobody'], 1, /no policy is called `nobody`/],
  ] as const) {
    const outcome = await run(...args)
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
    assert.match(outcome.err, message, args.join(' '))
    assert.equal(outcome.out, '', args.join(' '))
  }
})
