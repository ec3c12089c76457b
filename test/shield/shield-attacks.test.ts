// What hostile files, addresses and administrators could make of the shield.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { DenyFiles } from '../../src/shield/deny-files.ts'
import { isWithin } from '../../src/shield/networks.ts'
import { newBlockBody } from '../../src/wire/addresses.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { startHouse } from '../support/house.ts'

/** A named pipe that nobody writes to: whoever opens it waits for ever. */
function pipe(context: TestContext): string {
  const path = join(throwAwayFolder(context), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

test('TR7 C: a deny file that is a pipe, or a device without an end, is a mistake and holds nobody up', async (context) => {
  for (const path of [pipe(context), '/dev/zero'])
    await assert.rejects(
      startHouse(context, { shield: { addresses: { denyFiles: [path] } } }),
      (error) => error instanceof Error && error.message.includes(`\`${path}\` is no file`),
    )
})

test('TR7 C: a deny file that becomes a pipe leaves the list as it was, and the next file is read', async (context) => {
  const path = join(throwAwayFolder(context), 'list.txt')
  writeFileSync(path, '192.0.2.1\n')
  const logged: LogFields[] = []
  const say = (fields: LogFields): void => void logged.push(fields)
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const files = await DenyFiles.open([path], { random: systemRandom, log })
  renameSync(pipe(context), path)
  await files.look()
  assert.equal(files.contains('192.0.2.1'), true)
  assert.match(JSON.stringify(logged), /is no file/)
  const next = `${path}.next`
  writeFileSync(next, '192.0.2.2\n')
  renameSync(next, path)
  await files.look()
  assert.deepEqual([files.contains('192.0.2.1'), files.contains('192.0.2.2')], [false, true])
})

test('TR7: an administrator on a link-local address is asked as well before they block themself', () => {
  assert.equal(isWithin('fe80::1%eth0', 'fe80::/10'), true)
  assert.equal(isWithin('fe80::1%eth0', 'fe80::/64'), true)
  assert.equal(isWithin('fe80::1%eth0', 'fe81::/16'), false)
})

test('TR7: a reason cannot break its line or turn around what stands beside it, and an end has a year that can be written', () => {
  const block = { network: '192.0.2.0/24', reason: 'abuse', permanent: true }
  const isTaken = (changes: object): boolean => newBlockBody.safeParse({ ...block, ...changes }).success
  assert.equal(isTaken({}), true)
  assert.equal(isTaken({ reason: 'grüße, 悪用 🙂' }), true)
  for (const character of ['\n', '\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{d800}'])
    assert.equal(isTaken({ reason: `abuse${character}by` }), false, JSON.stringify(character))
  const until = (text: string): boolean => isTaken({ permanent: undefined, until: text })
  assert.equal(until('9999-12-31T23:59:59Z'), true)
  assert.equal(until('9999-12-31T23:59:59-00:01'), false)
})
