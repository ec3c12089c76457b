import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { resolveSecret, Secret } from '../../src/kernel/secret.ts'
import { throwAwayFolder } from '../support/folder.ts'

test('DP6: a secret is not shown by printing, joining, logging or serialising it', () => {
  const secret = new Secret('hunter2')
  const shown = [
    String(secret),
    `${secret}`,
    `a${secret as unknown as string}`,
    JSON.stringify({ secret, list: [secret] }),
    inspect(secret),
    inspect({ deep: { secret } }, { showHidden: true, depth: null }),
    Object.entries(secret).join(),
    new Error('failed', { cause: secret }).stack ?? '',
    inspect(new Error('failed', { cause: secret })),
  ]
  for (const text of shown) assert.doesNotMatch(text, /hunter2/)
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}')
  assert.equal(secret.reveal(), 'hunter2')
})

test('DP6: a secret comes from the environment or from a file that only its owner reads, and else the problem is named', (context) => {
  const folder = throwAwayFolder(context)
  const write = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  const outcome = (ref: { env: string } | { file: string }): string => {
    const found = resolveSecret(ref, { SET: 'a value\n', EMPTY: '' })
    return found instanceof Secret ? found.reveal() : `problem: ${found.problem}`
  }
  assert.equal(outcome({ env: 'SET' }), 'a value\n')
  assert.equal(outcome({ env: 'UNSET' }), 'problem: the environment variable `UNSET` is not set')
  assert.equal(outcome({ env: 'EMPTY' }), 'problem: the environment variable `EMPTY` is not set')
  assert.equal(outcome({ file: write('unix', 'two\nlines\n') }), 'two\nlines')
  assert.equal(outcome({ file: write('windows', ' spaces kept \r\n') }), ' spaces kept ')
  assert.match(outcome({ file: write('empty', '\n') }), /^problem: `.*empty` is empty$/)
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    assert.match(
      outcome({ file: write(`mode-${mode.toString(8)}`, 'readable', mode) }),
      /^problem: `.*` can be read by others: `chmod 600` it$/,
    )
  }
  assert.match(outcome({ file: join(folder, 'absent') }), /^problem: `.*absent` cannot be read \(ENOENT\)$/)
  assert.match(outcome({ file: folder }), /^problem: `.*` can/)
})
