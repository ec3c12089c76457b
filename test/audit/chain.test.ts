import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { genesis, link } from '../../src/audit/chain.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { chainCases } from './cases.ts'

suite('the chain on SQLite in memory', () => chainCases(async () => 'sqlite::memory:'))

suite('the chain on SQLite in a file', () =>
  chainCases(async (context) => `sqlite:${join(throwAwayFolder(context), 'gatehouse.db')}`))

test('A60: the link is what `sha256sum` says of the bytes', () => {
  // printf '%064d' 0 | xxd -r -p | cat - <(printf '{"a":1}') | sha256sum
  const first = 'b06a229070741292512e8760f470dd7a4c46ccfdf253df781d88dabe58c1ccb1'
  assert.equal(link(genesis, '{"a":1}'), first)
  // printf b06a229070741292512e8760f470dd7a4c46ccfdf253df781d88dabe58c1ccb1 | xxd -r -p | cat - <(printf '{"é":"€"}') | sha256sum
  assert.equal(link(first, '{"é":"€"}'), '97e051abc46579cfa68412003558b1ed453f6acacb09013d7317772e8dde09c5')
  assert.equal(link(genesis, 'x'.repeat(100_000)), '58d113e44c5dbfbec87a69324a076c7dc38f41aeb788d72d8e624346f945c33e')
})
