import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { lockoutOptions } from '../../src/authn/attempts/options.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { attemptCases } from './attempt-cases.ts'

suite('attempts, on SQLite in memory', () => attemptCases(async () => 'sqlite::memory:'))
suite('attempts, on SQLite in a file', () =>
  attemptCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

test('ID3: a rule that means nothing is a mistake that says where it stands', () => {
  const good = { per: 'pair', failures: 5, within: '15m', for: '15m' }
  assert.equal(lockoutOptions.safeParse([good]).success, true)
  assert.equal(lockoutOptions.safeParse([{ ...good, locks: 'account' }]).success, true)
  assert.equal(lockoutOptions.safeParse([]).success, true)
  for (const [rule, path, message] of [
    [{ ...good, per: 'account', locks: 'pair' }, '0.locks', /expected `account`/],
    [{ ...good, per: 'address', locks: 'account' }, '0.locks', /expected `address`/],
    [{ ...good, for: undefined, locks: 'address' }, '0.for', /beside `locks`/],
    [{ ...good, failures: 0 }, '0.failures', /1/],
    [{ ...good, failures: 101 }, '0.failures', /100/],
    [{ ...good, within: '8d' }, '0.within', /`7d`/],
    [{ ...good, within: '1ms' }, '0.within', /`1s`/],
    [{ ...good, for: 'soon' }, '0.for', /duration/],
    [{ ...good, per: 'planet' }, '0.per', /`address`/],
    [{ ...good, locked: true }, '0', /locked/],
  ] as const) {
    const issues = lockoutOptions.safeParse([rule]).error?.issues ?? []
    assert.deepEqual(
      issues.map((issue) => issue.path.join('.')),
      [path],
      JSON.stringify(rule),
    )
    assert.match(issues[0]?.message ?? '', message)
  }
  assert.equal(lockoutOptions.safeParse(Array.from({ length: 17 }, () => good)).success, false)
})

test('ID3: left out, five failures lock a pair, twenty an account and fifty an address', () => {
  assert.deepEqual(lockoutOptions.parse(undefined), [
    { per: 'pair', failures: 5, within: 900_000, for: 900_000, notify: false },
    { per: 'account', failures: 20, within: 3_600_000, for: 900_000, notify: true },
    { per: 'address', failures: 50, within: 3_600_000, for: 3_600_000, notify: false },
  ])
})
