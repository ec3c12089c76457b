import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Fault } from '../../src/kernel/error.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import type { Log, LogFields } from '../../src/kernel/log.ts'
import { DenyFiles, readDenyList } from '../../src/shield/deny-files.ts'
import { throwAwayFolder } from '../support/folder.ts'

function place(context: TestContext): {
  readonly path: (name: string) => string
  readonly write: (name: string, text: string) => string
  readonly open: (...names: string[]) => Promise<DenyFiles>
  readonly logged: string[]
} {
  const folder = throwAwayFolder(context)
  const logged: string[] = []
  const say = (fields: LogFields, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say }
  const path = (name: string): string => join(folder, name)
  return {
    path,
    logged,
    write(name, text) {
      writeFileSync(path(name), text)
      return path(name)
    },
    open: (...names) => DenyFiles.open(names.map(path), { random: systemRandom, log }),
  }
}

test('TR7: known bad actors are read from files, one a line, with whatever is said of them', async (context) => {
  const { write, open } = place(context)
  write('a.txt', '\u{feff}# bad actors\n192.0.2.0/24\r\n\n  198.51.100.7 # says who\n1.10.16.0/20 ; SBL256894\n')
  write('b.txt', '2001:db8:bad::/48\n::ffff:203.0.113.9')
  const files = await open('a.txt', 'b.txt')
  assert.equal(files.size, 5)
  for (const address of ['192.0.2.255', '198.51.100.7', '1.10.31.255', '2001:db8:bad::1', '203.0.113.9'])
    assert.equal(files.contains(address), true, address)
  for (const address of ['192.0.3.0', '198.51.100.8', '2001:db8:bae::1', '203.0.113.10', 'unknown'])
    assert.equal(files.contains(address), false, address)
})

test('TR7: a file that is wrong stops the start, with its line', async (context) => {
  const { write, open, path } = place(context)
  write('good.txt', '192.0.2.1\n')
  for (const [text, message] of [
    [
      '192.0.2.1\n# fine\n192.0.2.300\n',
      /line 3: expected an address or a network such as `10\.0\.0\.0\/8`, got `192\.0\.2\.300`/,
    ],
    ['192.0.2.1/24\n', /line 1: expected an address/], // a bit behind the prefix: which of the two was meant?
    ['\n\nexample.com', /line 3: /],
    ['10.0.0.1 10.0.0.2\n', /line 1: /],
    [`${'x'.repeat(5_000)}\n`, /line 1: expected at most 4096 characters/],
    ['x'.repeat(100_000), /line 1: expected at most 4096 characters/],
    ['192.0.2.1\n\0\u{1b}[2J\n', /line 2: expected an address .*, got `\?\?\[2J`/],
  ] as const) {
    write('wrong.txt', text)
    await assert.rejects(open('good.txt', 'wrong.txt'), (error) => {
      assert.ok(error instanceof Fault)
      assert.match(error.message, message)
      assert.ok(error.message.includes(path('wrong.txt')))
      return true
    })
  }
  await assert.rejects(open('absent.txt'), /absent\.txt` cannot be read \(ENOENT\)/)
  mkdirSync(path('folder'))
  await assert.rejects(open('folder'), /folder` cannot be read \(EISDIR\)/)
})

test('TR7: a list that changes is read again, all of it or nothing', async (context) => {
  const { write, open, path, logged } = place(context)
  write('a.txt', '192.0.2.1\n')
  write('b.txt', '192.0.2.2\n')
  const files = await open('a.txt', 'b.txt')
  const denied = (): readonly boolean[] => ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((one) => files.contains(one))
  await files.look()
  assert.equal(logged.length, 0, 'what has not changed is not read')

  write('a.txt', '192.0.2.3\n')
  await files.look()
  assert.deepEqual(denied(), [false, true, true])

  write('a.txt', '192.0.2.1\n')
  write('b.txt', '192.0.2.2\nnonsense\n')
  await files.look()
  assert.deepEqual(denied(), [false, true, true], 'the good file alone is not taken over either')
  const complaints = (): number => logged.filter((line) => line.includes('line 2')).length
  await files.look()
  assert.equal(complaints(), 1, 'it is told once')
  write('b.txt', '192.0.2.2\n')
  await files.look()
  assert.deepEqual(denied(), [true, true, false])

  // As editors and mounted configuration do it: another file under the same name.
  write('next.txt', '192.0.2.3\n')
  renameSync(path('next.txt'), path('a.txt'))
  await files.look()
  assert.deepEqual(denied(), [false, true, true])
  renameSync(path('a.txt'), path('gone.txt'))
  await files.look()
  assert.deepEqual(denied(), [false, true, true], 'a file that is gone takes nobody off the list')
  symlinkSync(path('b.txt'), path('a.txt'))
  await files.look()
  assert.deepEqual(denied(), [false, true, false])
})

test('TR7: a list has a million networks at most', async (context) => {
  const { write } = place(context)
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, n) => `${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.7\n`).join('')
  const half = write('half.txt', lines(500_000))
  const rest = write('rest.txt', lines(500_000).replaceAll('.7\n', '.8\n'))
  const full = await readDenyList([half, rest], systemRandom)
  assert.ok('networks' in full)
  assert.equal(full.networks.size, 1_000_000)
  assert.equal(full.networks.contains('20.0.0.8') && full.networks.contains('27.161.31.7'), true)
  assert.equal(full.networks.contains('20.0.0.9'), false)
  const more = await readDenyList([half, rest, write('more.txt', '# one more\n9.9.9.9\n')], systemRandom)
  assert.ok('mistake' in more)
  assert.match(more.mistake, /more\.txt`, line 2: expected no more than 1000000 networks in all files/)
})
