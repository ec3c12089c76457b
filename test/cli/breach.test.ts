import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { breachCommand } from '../../src/cli/breach.ts'
import type { Terminal } from '../../src/cli/command.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { throwAwayFolder } from '../support/folder.ts'
import { command } from '../support/process.ts'

interface Told {
  readonly yes: boolean
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], { input = '', isTerminal = false } = {}): Promise<Told> {
  const [out, err]: [string[], string[]] = [[], []]
  let ms = 0
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    isTerminal,
    environment: {},
    clock: { now: () => ms, monotonic: () => (ms += 2_000) },
    random: systemRandom,
  }
  async function* typed(): AsyncGenerator<Buffer> {
    if (input !== '') yield Buffer.from(input)
  }
  const yes = await breachCommand(typed)(args, terminal)
  return { yes, out: out.join('\n'), err: err.join('\n') }
}

function lineOf(password: string, count: number): string {
  return `${hash('sha1', password, 'hex').toUpperCase()}:${count}\n`
}

test('A38: `breach build` makes a list, `breach check` answers no for what is on it, and `breach verify` reads it over', async (context) => {
  const folder = throwAwayFolder(context)
  const [dump, list] = [join(folder, 'dump.txt'), join(folder, 'list')]
  writeFileSync(dump, lineOf('hunter2', 20_000) + lineOf('once is enough', 1))
  const built = await run(['build', dump, '--out', list])
  assert.equal(built.yes, true)
  assert.match(built.out, /has 2 passwords, of 2 lines of hashes$/)
  assert.equal(built.err, '', 'no progress where nobody looks')
  for (const input of ['hunter2', 'hunter2\n', 'hunter2\r\n', 'once is enough\n'])
    assert.equal((await run(['check', list], { input })).yes, false, input)
  const free = await run(['check', list], { input: ' hunter2\n' })
  assert.equal(free.yes, true)
  assert.doesNotMatch(free.out + free.err, /hunter2/)
  assert.match((await run(['verify', list])).out, /is whole: 2 passwords$/)
  assert.equal((await run(['build', dump, '--out', list, '--min-count', '2'])).yes, true)
  assert.equal((await run(['check', list], { input: 'once is enough' })).yes, true)
  assert.deepEqual(readdirSync(folder).toSorted(), ['dump.txt', 'list'])
})

test('`breach build -` reads the standard input; a mixed dump is a no that names the line', async (context) => {
  const list = join(throwAwayFolder(context), 'list')
  assert.equal((await run(['build', '-', '--out', list], { input: 'hunter2\nletmein\n' })).yes, true)
  assert.equal((await run(['check', list], { input: 'letmein' })).yes, false)
  const mixed = await run(['build', '-', '--out', list], { input: `hunter2\n${lineOf('x', 1)}` })
  assert.equal(mixed.yes, false)
  assert.match(mixed.err, /^`-`, line 2: /)
  assert.equal((await run(['check', list], { input: 'letmein' })).yes, false, 'and the list is as it was')
})

test('progress is told to a terminal now and then', async (context) => {
  const folder = throwAwayFolder(context)
  const dump = join(folder, 'dump.txt')
  writeFileSync(dump, 'some password\n'.repeat(500_000))
  const { err } = await run(['build', dump, '--out', join(folder, 'list')], { isTerminal: true })
  assert.match(err, /^[\d,]+ lines read(\n[\d,]+ lines read)*$/)
})

test('a wrong call is a usage error, and a list that is missing or damaged is a fault', async (context) => {
  const folder = throwAwayFolder(context)
  const [dump, list] = [join(folder, 'dump.txt'), join(folder, 'list')]
  writeFileSync(dump, 'hunter2\n')
  const wrong: readonly (readonly [args: readonly string[], why: RegExp])[] = [
    [[], /expected `breach build FILE`/],
    [['burn', dump], /expected `breach build FILE`/],
    [['build', dump, 'more', '--out', list], /expected `breach build FILE`/],
    [['build', dump], /--out/],
    [['build', dump, '--out', dump], /another file than the dump/],
    [['build', join(folder, 'absent'), '--out', list], /no dump at/],
    [['build', folder, '--out', list], /is a folder/],
    [['build', dump, '--out', list, '--min-count', '0'], /--min-count: expected a number/],
    [['build', dump, '--out', list, '--min-count', '1e3'], /--min-count: expected a number/],
    [['build', dump, '--outt', list], /--outt/],
    [['check', list, '--min-count', '2'], /belong to `breach build`/],
  ]
  for (const [args, why] of wrong) await assert.rejects(run(args), { name: 'Usage', message: why }, args.join(' '))
  assert.equal(readFileSync(dump, 'utf8'), 'hunter2\n')
  await assert.rejects(run(['check', list], { input: 'hunter2' }), { name: 'Fault', message: /list/ })
  await assert.rejects(run(['verify', dump]), { name: 'Fault', message: /dump\.txt` is/ })
  assert.equal((await run(['build', dump, '--out', list])).yes, true)
  for (const [input, why] of [
    ['', /got nothing/],
    ['\n', /got nothing/],
    ['hunter2\nhunter3\n', /more than one line/],
    ['x'.repeat(5_000), /more than 4096 bytes/],
  ] as const)
    await assert.rejects(run(['check', list], { input }), { name: 'Usage', message: why })
  assert.match((await run(['--help'])).out, /^usage: gatehouse breach build/)
})

test('the command keeps the exit codes: 0 done, 1 no, 2 a wrong call, 3 a list that is missing', async (context) => {
  const folder = throwAwayFolder(context)
  const [dump, list] = [join(folder, 'dump.txt'), join(folder, 'list')]
  writeFileSync(dump, 'hunter2\n')
  writeFileSync(`${dump}.mixed`, `hunter2\n${lineOf('x', 1)}`)
  const calls: readonly (readonly [args: readonly string[], code: number])[] = [
    [['verify', list], 3],
    [['build', dump], 2],
    [['build', `${dump}.mixed`, '--out', list], 1],
    [['build', dump, '--out', list], 0],
    [['verify', list], 0],
    [['check', list], 2],
  ]
  for (const [args, code] of calls) {
    const outcome = await command(['breach', ...args])
    assert.equal(outcome.code, code, `${args.join(' ')}: ${outcome.err}`)
  }
})
