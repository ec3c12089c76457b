// `gatehouse doctor` and `gatehouse review`, as an operator and a build call them.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as doctor } from '../../src/cli/doctor.ts'
import { command as review } from '../../src/cli/review.ts'
import { command as user } from '../../src/cli/user.ts'
import { openStore } from '../../src/store/database.ts'
import { type Outcome, run } from '../cli/in-process.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { problemIn } from './well-formed.ts'

const password = 'seven violet rivers run'

interface Place {
  readonly dir: string
  readonly store: string
  readonly doctor: (...args: readonly string[]) => Promise<Outcome>
  readonly review: (...args: readonly string[]) => Promise<Outcome>
  readonly user: (...args: readonly string[]) => Promise<Outcome>
  readonly actions: () => Promise<readonly string[]>
}

function place(context: TestContext, config: object = {}): Place {
  const dir = join(throwAwayFolder(context), 'data')
  const file = `${dir}.json`
  const store = `sqlite:${join(dir, 'gatehouse.db')}`
  writeFileSync(file, JSON.stringify({ store, ...config }))
  const args = ['--config', file, '--data', dir]
  return {
    dir,
    store,
    doctor: (...more) => run(doctor, [...more, ...args]),
    review: (...more) => run(review, [...more, ...args]),
    user: (...more) => run(user, [...more, ...args], { GATEHOUSE_USER_PASSWORD: password }),
    async actions() {
      const { db, close } = await openStore(store)
      const rows = [
        ...(await db.selectFrom('audit_events').select('body').execute()),
        ...(await db.selectFrom('audit_outbox').select('body').execute()),
      ]
      await close()
      return rows.map(({ body }) => JSON.parse(body)).map(({ type, action, actor }) => `${type} ${action} ${actor.id}`)
    },
  }
}

interface Line {
  readonly id: string
  readonly outcome: string
  readonly level: string
  readonly found: string
  readonly area: string
}

function linesOf({ out }: Outcome): readonly Line[] {
  return (JSON.parse(out) as { readonly checks: readonly Line[] }).checks
}

test('PO1: where there is no house yet the doctor answers from the configuration, and makes nothing', async (context) => {
  const { dir, doctor } = place(context)
  const answer = await doctor('--json')
  assert.equal(answer.code, 0, answer.err)
  assert.match(linesOf(answer).find(({ id }) => id === 'password-hashes')?.found ?? '', /no store yet/)
  assert.equal(existsSync(dir), false)
})

test('PO1: where no configuration lies the quick start is looked at, before its first start and after', async (context) => {
  const dir = join(throwAwayFolder(context), 'data')
  const before = await run(doctor, ['--json', '--data', dir])
  assert.deepEqual([before.code, existsSync(dir)], [0, false])
  assert.match(before.err, /no configuration lies here: the quick start is looked at/)
  const routes = linesOf(before).find(({ id }) => id === 'routes-there')
  assert.deepEqual([routes?.outcome, routes?.found], ['holds', '3 routes'])
  const made = await run(user, ['create', 'ada@example.com', '--role', 'admin', '--data', dir], {
    GATEHOUSE_USER_PASSWORD: password,
  })
  assert.equal(made.code, 0, made.err)
  const after = await run(doctor, ['--json', '--data', dir])
  assert.equal(after.code, 1, after.err)
  assert.equal(linesOf(after).find(({ id }) => id === 'administrators-second-factor')?.outcome, 'fails')
})

test('PO1: a store without its root secret is left as it is: the doctor makes none', async (context) => {
  const { dir, doctor, user } = place(context)
  assert.equal((await user('create', 'ada@example.com')).code, 0)
  rmSync(join(dir, 'root.key'))
  const answer = await doctor('--json')
  assert.equal(answer.code, 0, answer.err)
  assert.match(linesOf(answer).find(({ id }) => id === 'password-hashes')?.found ?? '', /no root secret here/)
  assert.equal(existsSync(join(dir, 'root.key')), false)
})

test('PO1: an administrator without a second factor fails a `must`: exit 1, with what mends it', async (context) => {
  const { doctor, user, actions } = place(context)
  assert.equal((await user('create', 'ada@example.com', '--role', 'admin')).code, 0)
  const answer = await doctor('--json')
  assert.equal(answer.code, 1)
  const body = JSON.parse(answer.out)
  assert.equal(body.sound, false)
  assert.equal(body.counts.holds + body.counts.fails + body.counts.unknown, body.checks.length)
  const line = body.checks.find(({ id }: Line) => id === 'administrators-second-factor')
  assert.deepEqual([line.outcome, line.level, line.area], ['fails', 'must', 'authentication'])
  assert.deepEqual([line.rows, line.owasp], [['ID7'], ['API2', 'API5']])
  const text = await doctor('--only-failing', '--area', 'authentication')
  assert.equal(text.code, 1)
  assert.match(text.out, /FAILS {3}Whoever administers has a second factor \(must\): 1 of 1 have none/)
  assert.match(text.out, /mend: let them add/)
  assert.doesNotMatch(text.out, /holds {3}|headers/)
  assert.ok(!text.out.includes(String.fromCharCode(27)), 'no colours on a pipe')
  assert.doesNotMatch(text.out + answer.out, new RegExp(password))
  assert.ok((await actions()).includes('data_access posture.read operator'), 'that somebody looked is remembered')
})

test('PO1: a root secret that others may read, and a house that therefore does not open, are told', async (context) => {
  const { dir, doctor, user } = place(context)
  await user('create', 'ada@example.com')
  chmodSync(join(dir, 'root.key'), 0o644)
  const answer = await doctor('--json')
  assert.equal(answer.code, 1, answer.err)
  const lines = linesOf(answer)
  assert.equal(lines.find(({ id }) => id === 'root-secret')?.outcome, 'fails')
  assert.match(
    lines.find(({ id }) => id === 'password-hashes')?.found ?? '',
    /cannot be opened: .*can be read by others/,
  )
})

test('PO1: no secret of a configuration is ever printed', async (context) => {
  const { doctor } = place(context, {
    store: 'postgres://gate:hunter2@127.0.0.1:1/none',
    shared: 'redis://:hunter3@127.0.0.1:1',
  })
  const [json, text] = [await doctor('--json'), await doctor()]
  assert.equal(json.code, 1)
  assert.doesNotMatch(json.out + json.err + text.out + text.err, /hunter[23]/)
})

test('IN4: a review is printed, or written for its owner alone, and that is remembered', async (context) => {
  const { dir, review, user, actions } = place(context)
  await user('create', 'ada@example.com', '--role', 'admin')
  const printed = await review('weekly', '--end', new Date().toISOString().slice(0, 10))
  assert.equal(printed.code, 0, printed.err)
  assert.match(printed.out, /^# Weekly security review \d{4}-W\d\d\n/)
  assert.match(printed.out, /This period is not over/)
  assert.match(printed.out, /ada\\@example\.com/)
  const file = join(dir, 'review.html')
  assert.equal((await review('monthly', '--out', file)).code, 0)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(problemIn(readFileSync(file, 'utf8')), undefined)
  const { period } = JSON.parse((await review('monthly', '--format', 'json', '--end', '2026-02-03')).out)
  assert.deepEqual([period.label, period.begin, period.over], ['2026-02', '2026-02-01T00:00:00.000Z', true])
  assert.equal((await actions()).filter((one) => one === 'data_access review.make operator').length, 3)
})

test('IN4, PO1: what is wrong with a call is told with its reason, and exits 2', async (context) => {
  const at = place(context)
  for (const [outcome, message] of [
    [await at.review(), /usage/],
    [await at.review('daily'), /usage/],
    [await at.review('weekly', '--end', '2026-02-30'), /--end: expected a day such as 2026-11-22, got `2026-02-30`/],
    [await at.review('weekly', '--format', 'pdf'), /--format: expected md, html or json, got `pdf`/],
    [await at.doctor('now'), /usage/],
    [await at.doctor('--area', 'nowhere'), /--area: expected one of authentication, .*, got `nowhere`/],
  ] as const) {
    assert.equal(outcome.code, 2, outcome.err)
    assert.match(outcome.err, message)
  }
  const unwritable = await at.review('weekly', '--out', join(at.dir, 'no', 'such', 'folder.md'))
  assert.deepEqual([unwritable.code, /cannot write/.test(unwritable.err)], [3, true])
})
