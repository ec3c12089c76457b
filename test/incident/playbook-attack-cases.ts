// What people, incidents and broken parts do to playbooks, through the front door, on every store.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { outcomes, playbookScene, type RunBody } from './playbook-scene.ts'
import type { FreshStore } from './scene.ts'

export function playbookAttackCases(fresh: FreshStore): void {
  test('IN2: a shorter lock takes nothing from a longer one: whoever is locked cannot guess themself free', async (context) => {
    const at = await playbookScene(context, fresh, {
      incidents: {
        playbooks: {
          guessing: { for: ['guessing'], automatic: true, steps: [{ do: 'account.lock', for: '30m' }] },
          endless: { for: [], steps: [{ do: 'account.lock' }] },
        },
      },
    })
    const [victim, forever] = [await at.somebody('user'), await at.somebody('user')]
    const [one, other] = [victim, forever].map(({ id }) => ({ type: 'user', id }))
    const long = await at.run('unauthorised-access', { targets: [one] })
    assert.match(outcomes(long)[0] ?? '', /1 account locked/)
    await at.run('endless', { targets: [other] })
    const incident = await at.incident('guessing', one ?? {}, other ?? {})
    await at.turn()
    const [short] = (await at.ask('GET', `/playbooks/runs?incident=${incident}`)).body['runs'] as [RunBody]
    assert.deepEqual(outcomes(short), ['account.lock skipped: no account is locked; an account was locked already'])
    await at.advance(30 * 60_000)
    await at.turn()
    const { accounts, store } = at.here.house
    const status = async (id: string): Promise<unknown> => (await accounts.byId(store.db, id))?.status
    assert.deepEqual([await status(victim.id), await status(forever.id)], ['locked', 'locked'])
    await at.advance(23.5 * 3_600_000)
    await at.turn()
    assert.deepEqual([await status(victim.id), await status(forever.id)], ['active', 'locked'])
  })

  test('IN2: whoever opens an incident does not approve what began with it by itself', async (context) => {
    const at = await playbookScene(context, fresh)
    const incident = await at.incident('data-breach')
    await at.turn()
    const [run] = (await at.ask('GET', `/playbooks/runs?incident=${incident}`)).body['runs'] as [RunBody]
    const own = await at.step(run, 4, 'approve', at.root)
    assert.deepEqual([own.status, own.body['code']], [409, 'conflict'])
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], false)
    assert.equal((await at.step(run, 4, 'approve', at.second)).status, 200)
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], true)
  })

  test('IN2: those who are concerned are written to, once an hour, and told nothing that a stranger chose', async (context) => {
    const at = await playbookScene(context, fresh)
    const [one, other] = [await at.somebody('user'), await at.somebody('user')]
    const targets = [one, other, { id: 'nobody' }].map(({ id }) => ({ type: 'user', id }))
    const run = await at.run('privilege-escalation', { targets, reason: 'click www.evil.example' })
    assert.equal(outcomes(run)[1], 'notify done: 2 letters written')
    const [letter = '', ...more] = await at.here.letters(one.email)
    assert.match(letter, /Something may concern your account/)
    assert.match(letter, /https:\/\/gate\.example\.com\/auth\/forgot/)
    assert.doesNotMatch(letter, /evil/)
    assert.equal(more.length, 0)
    const again = await at.run('privilege-escalation', { targets: targets.slice(0, 1) })
    assert.equal(outcomes(again)[1], 'notify skipped: nobody is known to write to; an account was told within the hour')
    assert.equal((await at.here.letters(one.email)).length, 1)
  })

  test('IN2: a letter that cannot be written takes nothing back of the steps before it, and is tried again', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const { store } = at.here.house
    await sql`alter table mail_outbox rename to mail_outbox_gone`.execute(store.db)
    const run = await at.run('unauthorised-access', { targets: [{ type: 'user', id: victim.id }] })
    await sql`alter table mail_outbox_gone rename to mail_outbox`.execute(store.db)
    assert.deepEqual(
      run.steps.map(({ status }) => status),
      ['done', 'failed', 'skipped'],
    )
    assert.equal(await at.enters(victim), 401)
    const { body } = await at.ask('POST', `/playbooks/runs/${run.id}/retry`)
    assert.deepEqual(
      [body['status'], outcomes(body as unknown as RunBody)[1]],
      ['done', 'notify done: 1 letter written'],
    )
    assert.equal((await at.here.letters(victim.email)).length, 1)
  })

  test('IN2: nobody is woken up by a run of an incident that is resolved', async (context) => {
    const at = await playbookScene(context, fresh, {
      incidents: {
        alerts: { console: { kind: 'console' } },
        playbooks: { told: { for: [], steps: [{ do: 'alert' }] } },
      },
    })
    const incident = await at.incident('something')
    assert.equal(
      (await at.ask('POST', `/incidents/${incident}/resolve`, { version: 1, text: 'it is over' })).status,
      200,
    )
    assert.deepEqual(outcomes(await at.run('told', { incident })), ['alert skipped: the incident is resolved'])
  })

  test('IN2: all that is named is a target, however many the incident has', async (context) => {
    const at = await playbookScene(context, fresh, {
      incidents: { playbooks: { block: { for: [], steps: [{ do: 'address.block', for: '1h' }] } } },
    })
    const addresses = (net: number): readonly object[] =>
      Array.from({ length: 100 }, (_, host) => ({ type: 'address', id: `203.0.${net}.${host}` }))
    const incident = await at.incident('flood', ...addresses(1))
    const run = await at.run('block', { incident, targets: addresses(2) })
    assert.deepEqual(outcomes(run), ['address.block done: 200 networks blocked for 3600 s'])
  })

  test('IN2: what a run has begun it ends as it was, though its playbook is gone', async (context) => {
    const at = await playbookScene(context, fresh)
    const { store, playbooks } = at.here.house
    const draft = { playbook: 'gone', onFailure: 'continue' as const, incident: undefined, startedBy: 'gatehouse' }
    const id = await store.transaction((trx) =>
      playbooks.runBook.begin(trx, {
        ...draft,
        reason: '',
        targets: [],
        steps: [{ do: 'changes.freeze', for: 60_000 }],
      }),
    )
    await at.turn()
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], true)
    await at.advance(60_000)
    await at.turn()
    const run = await playbooks.runBook.find(store.db, id)
    assert.deepEqual([run?.status, run?.steps[0]?.outcome.undone], ['undone', 'changes thawed'])
  })

  test('IN2: a lock of somebody who is gone is undone as nothing, and stops no other', async (context) => {
    const at = await playbookScene(context, fresh)
    const [gone, other] = [await at.somebody('user'), await at.somebody('user')]
    await at.run('brute-force', { targets: [gone, other].map(({ id }) => ({ type: 'user', id })) })
    const { accounts, store } = at.here.house
    await store.db.deleteFrom('users').where('id', '=', gone.id).execute()
    await at.ask('POST', '/freeze', { reason: 'the house still undoes what is due' })
    await at.advance(30 * 60_000)
    await at.turn()
    assert.equal((await accounts.byId(store.db, other.id))?.status, 'active')
  })

  test('IN2: a client is turned away with its tokens, and comes again by undoing, but not with those from before', async (context) => {
    const at = await playbookScene(context, fresh, {
      oauth: { scopes: { 'notes:read': { description: 'See your notes' } } },
      incidents: { playbooks: { away: { for: [], steps: [{ do: 'client.disable', for: '1h' }] } } },
    })
    const said = { client_name: 'Reports', grant_types: ['client_credentials'], scope: 'notes:read' }
    const made = await at.ask('POST', '/clients', said)
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const [id, secret] = [String(made.body['client_id']), String(made.body['client_secret'])]
    const token = async (house = at.here): Promise<number> => {
      const answer = await fetch(`${house.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      return answer.status
    }
    assert.equal(await token(), 200)
    const targets = [id, 'nobody', '\u0301'].map((one) => ({ type: 'client', id: one }))
    const run = await at.run('away', { targets })
    assert.deepEqual(outcomes(run), ['client.disable done: 1 client disabled'])
    assert.equal(await token(), 401)
    await eventually(async () => ((await token(at.there)) === 401 ? true : undefined))
    assert.deepEqual(outcomes(await at.run('away', { targets })), [
      'client.disable skipped: no client of the store is known that was not disabled already',
    ])
    await at.advance(3_600_000)
    await at.turn()
    await eventually(async () => ((await token()) === 200 ? true : undefined))
    // Somebody else turns it away again: what undid itself once does no more.
    const root = await at.somebody('admin')
    assert.equal((await at.ask('POST', `/clients/${encodeURIComponent(id)}/disable`, {}, root)).status, 200)
    await at.advance(3_600_000)
    await at.turn()
    assert.equal(await token(), 401)
  })

  test('IN2: a key that the house keeps is made anew at once, and what it was ends', async (context) => {
    const file = join(throwAwayFolder(context), 'ci.key')
    const at = await playbookScene(context, fresh, {
      keys: { managed: { ci: { permissions: ['notes:read'], file } } },
    })
    const text = (): string => readFileSync(file, 'utf8').trim()
    const enters = async (key: string): Promise<number> =>
      (await at.here.api('GET', '/notes', undefined, { 'x-api-key': key })).status
    const before = text()
    assert.equal(await enters(before), 200)
    const row = await at.here.house.store.db.selectFrom('api_keys').select('id').executeTakeFirstOrThrow()
    const run = await at.run('data-leak', { targets: [{ type: 'api-key', id: row.id }] })
    assert.match(outcomes(run)[0] ?? '', /^keys\.rotate done: 0 keys end by .*, 1 key of the house made anew$/)
    assert.equal(await enters(before), 401)
  })

  test('IN2: the report of a breach says its 72 hours, and nothing that somebody wrote is markup in it', async (context) => {
    const at = await playbookScene(context, fresh)
    const body = {
      type: 'data-breach',
      severity: 'critical',
      title: '# <img src=x> [click](https://evil.example)',
      description: '- a list\n1. another &lt;b&gt; www.evil.example',
    }
    const { body: incident } = await at.ask('POST', '/incidents', body)
    await at.turn()
    const path = `/playbooks/runs?incident=${String(incident['id'])}`
    const [run] = (await at.ask('GET', path)).body['runs'] as [RunBody]
    const report = run.steps[2]?.report ?? ''
    const due = new Date(Date.parse(String(incident['detected_at'])) + 72 * 3_600_000).toISOString()
    assert.ok(report.includes(`To be reported by **${due}**`), report)
    assert.ok(report.includes('# Report of a breach: \\# \\<img src=x\\> \\[click\\](https\\://evil.example)'), report)
    assert.match(report, /^\\- a list 1\. another \\&lt;b\\&gt; www\\\.evil\.example$/m)
  })
}
