// What playbooks do and undo, through the front door, on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { outcomes, playbookScene, type RunBody } from './playbook-scene.ts'
import type { FreshStore } from './scene.ts'

export function playbookCases(fresh: FreshStore): void {
  test('IN2: brute force locks for half an hour, ends sessions and blocks the address; the lock ends by itself', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    assert.deepEqual([await at.enters(victim), await at.enters(victim, at.there)], [200, 200])
    const user = { type: 'user', id: victim.id }
    const incident = await at.incident('brute-force', user, { type: 'address', id: '203.0.113.9' })
    const run = await at.run('brute-force', { incident })
    assert.deepEqual(outcomes(run), [
      'account.lock done: 1 account locked, 1 session ended',
      'sessions.end done: 0 sessions ended, and every token of theirs',
      'address.block done: 1 network blocked for 3600 s',
    ])
    assert.equal(run.status, 'done')
    assert.equal(await at.enters(victim), 401)
    assert.equal(await at.refreshes(victim), 401)
    await eventually(async () => ((await at.enters(victim, at.there)) === 401 ? true : undefined))
    const blocked = await at.ask('GET', '/addresses?address=203.0.113.9')
    assert.equal((blocked.body['addresses'] as unknown[]).length, 1)

    await at.advance(30 * 60_000 - 1)
    await at.turn()
    const status = async (): Promise<unknown> =>
      (await at.ask('GET', `/users/${victim.id}`, undefined, await at.somebody('admin'))).body['status']
    assert.equal(await status(), 'locked')
    await at.advance(1)
    await at.turn() // on two nodes at one moment: one unlocks
    assert.equal(await status(), 'active')
    assert.equal((await at.events('user.unlock')).length, 1)
    const [undone] = await at.events('playbook.undo')
    assert.deepEqual([undone?.actor.id, undone?.details['because']], ['gatehouse', 'its time is up'])
    assert.deepEqual((await at.timeline(incident)).slice(1), [
      'playbook: playbook brute-force begun: begun by hand',
      'playbook: step 1 done (account.lock): 1 account locked, 1 session ended',
      'playbook: step 2 done (sessions.end): 0 sessions ended, and every token of theirs',
      'playbook: step 3 done (address.block): 1 network blocked for 3600 s',
      'playbook: playbook brute-force done',
      'playbook: step 1 undone (account.lock): 1 account unlocked',
    ])
    const told = (await at.events('playbook.step')).map(({ details }) => details['do'])
    assert.deepEqual(told, ['account.lock', 'sessions.end', 'address.block'])
  })

  test('IN2: a dry run says what would be done, changes nothing, and is remembered', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const targets = [
      { type: 'user', id: victim.id },
      { type: 'address', id: '203.0.113.9' },
    ]
    const answer = await at.ask('POST', '/playbooks/brute-force/run', { targets, dry_run: true })
    const { steps } = answer.body as unknown as RunBody
    assert.deepEqual(
      steps.map(({ outcome }) => outcome),
      [
        '1 account locked, 1 session ended',
        '0 sessions ended, and every token of theirs',
        '1 network blocked for 3600 s',
      ],
    )
    assert.deepEqual([await at.enters(victim), await at.refreshes(victim)], [200, 200])
    assert.equal((await at.ask('GET', '/playbooks/runs')).body['runs']?.toString(), '')
    assert.deepEqual((await at.ask('GET', '/addresses?address=203.0.113.9')).body['addresses'], [])
    const [run, ...more] = await at.events('playbook.run')
    assert.deepEqual([run?.details['dry_run'], run?.details['playbook'], more.length], [true, 'brute-force', 0])
    assert.deepEqual(await at.events('user.lock'), [])
  })

  test('IN2: undoing unlocks what the step locked, and leaves what somebody has locked since', async (context) => {
    const at = await playbookScene(context, fresh)
    const [one, other, before] = [await at.somebody('user'), await at.somebody('user'), await at.somebody('user')]
    await at.ask('POST', `/users/${before.id}/lock`, { reason: 'before' })
    const targets = [one, other, before].map(({ id }) => ({ type: 'user', id }))
    const run = await at.run('unauthorised-access', { targets })
    assert.match(run.steps[0]?.outcome ?? '', /^2 accounts locked.*; an account was locked already$/)
    await at.ask('POST', `/users/${other.id}/lock`, { reason: 'by somebody' })
    const undone = (await at.step(run, 1, 'undo')).body as unknown as RunBody
    assert.equal(
      undone.steps[0]?.undone,
      '1 account unlocked; 1 left as it is: somebody has locked or unlocked it since',
    )
    const { accounts, store } = at.here.house
    const states = await Promise.all(
      [one, other, before].map(async ({ id }) => (await accounts.byId(store.db, id))?.status),
    )
    assert.deepEqual(states, ['active', 'locked', 'locked'])
    const again = await at.step(run, 1, 'undo')
    assert.deepEqual([again.status, again.body['detail']], [409, 'The step is undone: there is nothing to undo'])
  })

  test('IN2: a lock that another step has taken over ends with the later one', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const targets = [{ type: 'user', id: victim.id }]
    await at.run('brute-force', { targets })
    await at.advance(20 * 60_000)
    const { accounts, store } = at.here.house
    const root = await at.somebody('admin')
    await at.run('brute-force', { targets }, root)
    await at.advance(10 * 60_000)
    await at.turn()
    assert.equal((await accounts.byId(store.db, victim.id))?.status, 'locked')
    await at.advance(20 * 60_000)
    await at.turn()
    assert.equal((await accounts.byId(store.db, victim.id))?.status, 'active')
  })

  test('IN2: no playbook that begins by itself locks an administrator; nobody locks themself, the last one, or who may more', async (context) => {
    const at = await playbookScene(context, fresh, {
      incidents: {
        playbooks: { guard: { for: ['guessing'], automatic: true, steps: [{ do: 'account.lock', for: '30m' }] } },
      },
    })
    const victim = await at.somebody('user')
    const users = [at.second, victim].map(({ id }) => ({ type: 'user', id }))
    const incident = await at.incident('guessing', ...users)
    await at.turn()
    const [run] = (await at.ask('GET', `/playbooks/runs?incident=${incident}`)).body['runs'] as RunBody[]
    assert.deepEqual(outcomes(run as RunBody), [
      'account.lock done: 1 account locked, 1 session ended; an administrator is not locked by itself',
    ])
    // Either node may have done it: the other hears within a second.
    await eventually(async () => ((await at.enters(victim)) === 401 ? true : undefined))
    assert.equal(await at.enters(at.second), 200)

    const own = await at.run('guard', { targets: [{ type: 'user', id: at.root.id }] })
    assert.deepEqual(outcomes(own), ['account.lock skipped: no account is locked; nobody locks themself out'])
    const responder = await at.somebody('responder')
    const up = await at.ask('POST', '/playbooks/guard/run', { targets: [{ type: 'user', id: at.root.id }] }, responder)
    assert.deepEqual([up.status, up.body['code']], [403, 'permission-required'])
  })

  test('IN2: a step that needs approval waits, for somebody else than who began it', async (context) => {
    const at = await playbookScene(context, fresh)
    const incident = await at.incident('data-breach')
    await at.turn()
    const [run] = (await at.ask('GET', `/playbooks/runs?incident=${incident}`)).body['runs'] as [RunBody]
    assert.deepEqual(
      run.steps.map(({ status }) => status),
      ['done', 'skipped', 'done', 'waiting', 'pending'],
      'what harms nobody is done by itself',
    )
    assert.match(run.steps[2]?.report ?? '', /72 hours\): 7[12] hours are left/)
    assert.equal(run.status, 'waiting')

    const own = await at.run('data-breach', { incident })
    const refused = await at.step(own, 4, 'approve', at.root)
    assert.deepEqual([refused.status, (await at.ask('GET', '/freeze')).body['frozen']], [409, false])
    assert.match(String(refused.body['detail']), /somebody else has to/)
    // Of many at one moment, one approves.
    const [root, second] = [at.root, at.second]
    const all = await Promise.all([at.step(run, 4, 'approve', root), at.step(run, 4, 'approve', second)])
    assert.deepEqual(all.map(({ status }) => status).toSorted(), [200, 409])
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], true)
    assert.equal((await at.events('changes.freeze')).length, 1)
    await at.step(own, 4, 'reject')
    const rejected = (await at.step(own, 5, 'reject')).body as unknown as RunBody
    assert.deepEqual([rejected.status, rejected.steps[3]?.status], ['done', 'rejected'])
    const thawed = (await at.step(run, 4, 'undo')).body as unknown as RunBody
    assert.equal(thawed.steps[3]?.undone, 'changes thawed')
    assert.equal((await at.ask('GET', '/freeze')).body['frozen'], false)
  })

  test('IN2: a step that fails half-way is undone whole, those behind it go on, and it can be tried again', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const { tickets } = at.here.house.people
    const real = tickets.void.bind(tickets)
    tickets.void = async () => {
      throw new Error('the disk is full')
    }
    const run = await at.run('brute-force', {
      targets: [
        { type: 'user', id: victim.id },
        { type: 'address', id: '203.0.113.9' },
      ],
    })
    assert.deepEqual(
      run.steps.map(({ status }) => status),
      ['failed', 'done', 'done'],
    )
    assert.deepEqual(
      [run.status, run.steps[0]?.outcome],
      ['failed', 'something failed inside: the log of the house has it'],
    )
    const { accounts, store } = at.here.house
    assert.equal((await accounts.byId(store.db, victim.id))?.status, 'active', 'half of a step is none')
    assert.deepEqual(await at.events('user.lock'), [])
    tickets.void = real
    const again = await at.ask('POST', `/playbooks/runs/${run.id}/retry`)
    assert.deepEqual([again.status, again.body['status']], [200, 'done'])
    assert.equal((await accounts.byId(store.db, victim.id))?.status, 'locked')
    assert.equal((await at.ask('POST', `/playbooks/runs/${run.id}/retry`)).status, 409)
    assert.equal((await at.events('address.block')).length, 1, 'what was done is not done again')
  })

  test('IN2: of two nodes one carries a run out; another goes on where one has ended', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const { store, playbooks } = at.here.house
    const targets = [
      { type: 'user' as const, id: victim.id },
      { type: 'address' as const, id: '203.0.113.9' },
    ]
    const draft = {
      playbook: 'brute-force',
      steps: playbooks.playbooks.get('brute-force')?.steps ?? [],
      onFailure: 'continue' as const,
    }
    const begin = (): Promise<string> =>
      store.transaction((trx) =>
        playbooks.runBook.begin(trx, { ...draft, incident: undefined, targets, startedBy: 'gatehouse', reason: '' }),
      )
    const first = await begin()
    await Promise.all([at.turn(), at.turn(), at.turn()])
    assert.equal((await playbooks.runBook.find(store.db, first))?.status, 'done')
    assert.equal((await at.events('playbook.step')).length, 3)

    // A process that took it and ended: nobody touches it until its lease is over.
    const second = await begin()
    const book = playbooks.runBook
    assert.equal(await book.take(store.db, second, 'a process that was killed', 30_000), true)
    await book.write(store.db, second, 1, {
      status: 'done',
      told: { told: 'before it was killed', facts: { locked: [] } },
    })
    await at.advanceRuns()
    assert.equal((await playbooks.runBook.find(store.db, second))?.steps[1]?.status, 'pending')
    await at.advance(30_000)
    await at.advanceRuns()
    const gone = await playbooks.runBook.find(store.db, second)
    assert.deepEqual([gone?.status, gone?.steps[0]?.outcome.told], ['done', 'before it was killed'])
    assert.equal(gone?.steps[1]?.status, 'done')
  })

  test('IN2: keys get an end, or end; clients are turned away; each is undone where it can be', async (context) => {
    const at = await playbookScene(context, fresh, {
      incidents: {
        playbooks: {
          leak: { for: [], steps: [{ do: 'keys.rotate', within: '2h' }] },
          gone: { for: [], steps: [{ do: 'keys.revoke' }] },
        },
      },
    })
    const owner = await at.somebody('user')
    const made = await at.here.api(
      'POST',
      '/api/keys',
      { name: 'a key', permissions: ['notes:read'] },
      { authorization: `Bearer ${owner.access_token}` },
    )
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const key = String(made.body['key'])
    const enters = async (house = at.here): Promise<number> =>
      (await house.api('GET', '/notes', undefined, { 'x-api-key': key })).status
    assert.equal(await enters(), 200)
    const targets = [{ type: 'user', id: owner.id }]
    const run = await at.run('leak', { targets })
    assert.match(run.steps[0]?.outcome ?? '', /^1 key end by .*Z, 0 keys of the house made anew$/)
    await at.advance(7_200_000)
    assert.equal(await enters(), 401)
    const root = await at.somebody('admin')
    assert.equal((await at.step(run, 1, 'undo', root)).status, 200)
    assert.equal(await enters(), 200)
    const gone = await at.run('gone', { targets }, root)
    assert.equal(gone.steps[0]?.outcome, '1 key revoked')
    assert.equal(await enters(), 401)
    const undo = await at.step(gone, 1, 'undo', root)
    assert.deepEqual([undo.status, undo.body['detail']], [409, '`keys.revoke` cannot be undone'])
    const none = await at.run('gone', {}, root)
    assert.deepEqual(outcomes(none), ['keys.revoke skipped: no living API key is known'])
  })

  test('IN2: an address that holds whoever asks is not blocked unknowingly', async (context) => {
    const at = await playbookScene(context, fresh)
    const targets = [{ type: 'address', id: '127.0.0.1' }]
    const refused = await at.ask('POST', '/playbooks/brute-force/run', { targets })
    assert.deepEqual([refused.status, refused.body['code']], [409, 'conflict'])
  })

  test('A68: while changes are frozen nothing is changed on any node, and what takes access away goes on', async (context) => {
    const at = await playbookScene(context, fresh)
    const victim = await at.somebody('user')
    const incident = await at.incident('data-breach')
    assert.equal((await at.ask('POST', '/freeze', { reason: 'we look into it', incident })).status, 200)
    const again = await at.ask('POST', '/freeze', { reason: 'me too' }, at.second, at.there)
    assert.equal(again.status, 409)
    for (const house of [at.here, at.there]) {
      const refused = await at.ask('PUT', `/users/${victim.id}/roles`, { roles: [] }, at.root, house)
      assert.deepEqual([refused.status, refused.body['code']], [409, 'changes-frozen'])
      assert.match(
        String(refused.body['detail']),
        new RegExp(`^changes are frozen since .*Z by ${at.root.id} for incident ${incident}: we look into it`),
      )
      const role = await at.ask('POST', '/roles', { name: `role-${house.port}` }, at.root, house)
      assert.equal(role.body['code'], 'changes-frozen')
    }
    const { accounts, store } = at.here.house
    assert.deepEqual((await accounts.byId(store.db, victim.id))?.roles, ['user'], 'it was rolled back')
    assert.equal(
      (await at.ask('POST', '/addresses', { address: '203.0.113.9', reason: 'guesses', duration: '1h' })).status,
      201,
    )
    assert.equal((await at.ask('DELETE', '/addresses/203.0.113.9_32')).body['code'], 'changes-frozen')
    assert.equal(
      (await at.ask('POST', `/users/${victim.id}/lock`, { reason: 'for a test' }, at.root, at.there)).status,
      200,
    )
    assert.equal((await at.ask('POST', `/users/${victim.id}/unlock`)).body['code'], 'changes-frozen')
    assert.equal((await at.ask('POST', '/revocations', { user: victim.id })).status, 200)
    assert.equal((await at.ask('DELETE', '/freeze', undefined, at.second, at.there)).status, 200)
    assert.equal((await at.ask('POST', `/users/${victim.id}/unlock`)).status, 200)
    assert.equal((await at.ask('DELETE', '/freeze')).status, 409)
    assert.deepEqual(
      (await at.timeline(incident)).filter((line) => line.startsWith('freeze')),
      ['freeze: changes frozen: we look into it', 'freeze: changes thawed'],
    )
  })
}
