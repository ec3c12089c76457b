import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const nodePackage = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

const made: string[] = []
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})

test('an installed project starts quietly and quickly', () => {
  const clone = installedClone()
  const { status, output, tookMs } = setup(clone)
  assert.equal(status, 0)
  assert.equal(output, '')
  assert.deepEqual(installs(clone), [])
  assert.ok(tookMs < 1000, `took ${tookMs} ms`)
})

test('a fresh clone is installed, with one line said, and the second start finds nothing to do', () => {
  const clone = freshClone()
  const first = setup(clone)
  assert.equal(first.status, 0, first.output)
  assert.match(first.output, /^setup: installing .*nothing is installed yet.*\n$/)
  assert.deepEqual(installs(clone), ['ci --include=dev --include=optional'])
  assert.equal(existsSync(join(clone, '.setup-lock')), false)
  assert.equal(setup(clone).output, '')
})

const gaps: Record<string, (clone: string) => void> = {
  'a package is missing': (clone) => rmSync(join(clone, 'node_modules/@scope/part'), { recursive: true }),
  'a nested package is missing': (clone) =>
    rmSync(join(clone, 'node_modules/plain/node_modules/part'), { recursive: true }),
  'a package has another version': (clone) => writePackage(clone, 'node_modules/plain', '0.9.0'),
  'a package is half written': (clone) => writeFileSync(join(clone, 'node_modules/plain/package.json'), '{"vers'),
  'an install was interrupted': (clone) => rmSync(join(clone, 'node_modules/.package-lock.json')),
  'Node itself is missing': (clone) => rmSync(join(clone, 'node_modules', nodePackage), { recursive: true }),
}

for (const [gap, make] of Object.entries(gaps)) {
  test(`an install follows when ${gap}`, () => {
    const clone = installedClone()
    make(clone)
    const { status, output } = setup(clone)
    assert.equal(status, 0, output)
    assert.equal(installs(clone).length, 1)
    assert.equal(setup(clone).output, '')
  })
}

test('an optional package of another platform is not missed', () => {
  const clone = installedClone()
  rmSync(join(clone, 'node_modules/elsewhere'), { recursive: true })
  assert.equal(setup(clone).output, '')
})

test('where the lock has no Node for the platform, a new enough Node will do and an old one is told what to do', () => {
  const clone = installedClone({ nodeVersion: undefined, engine: '>=24' })
  assert.deepEqual([setup(clone).status, setup(clone).output], [0, ''])
  const later = installedClone({ nodeVersion: undefined, engine: '>=9999' })
  const { status, output } = setup(later)
  assert.equal(status, 3)
  assert.match(output, /needs Node 9999 or newer, and this is Node .* install Node 9999 there, then start again/)
  assert.deepEqual(installs(later), [])
})

test('a failed install shows the words of npm, says what to do, and exits 3', () => {
  const clone = freshClone()
  const { status, output } = setup(clone, { npm: `console.error('npm error code ENETUNREACH'); process.exit(1)` })
  assert.equal(status, 3)
  assert.match(output, /npm error code ENETUNREACH\nsetup: `npm ci` failed, .* then start again\.\n$/)
  assert.equal(existsSync(join(clone, '.setup-lock')), false)
})

test('an install that leaves a gap behind is a failure, not an endless round', () => {
  const clone = freshClone()
  const { status, output } = setup(clone, { npm: `console.log('added 0 packages')` })
  assert.equal(status, 3)
  assert.match(output, /added 0 packages\nsetup: `npm ci` went well, and yet nothing is installed/)
})

test('the lock of a process that was killed is taken over', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  for (const owner of [String(dead), '']) {
    const clone = freshClone()
    writeFileSync(join(clone, '.setup-lock'), owner)
    makeOlder(join(clone, '.setup-lock'), 5)
    assert.equal(setup(clone).status, 0)
    assert.equal(installs(clone).length, 1)
    assert.equal(existsSync(join(clone, '.setup-lock')), false)
  }
})

test('a lock that nobody could need so long is taken over, though a process has its number', () => {
  const clone = freshClone()
  writeFileSync(join(clone, '.setup-lock'), String(process.pid))
  makeOlder(join(clone, '.setup-lock'), 16 * 60)
  assert.equal(setup(clone).status, 0)
  assert.equal(installs(clone).length, 1)
})

test('of two starts at once one installs, and the other waits for it', async () => {
  const clone = freshClone()
  const npm = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600); ${installing}`
  const both = await Promise.all([setupBeside(clone, npm), setupBeside(clone, npm)])
  assert.deepEqual(
    both.map(({ status }) => status),
    [0, 0],
  )
  assert.equal(installs(clone).length, 1)
  assert.match(both.map(({ output }) => output).join(''), /waiting for process \d+/)
})

test('several starts that find the same dead lock install once', async () => {
  const clone = freshClone()
  writeFileSync(join(clone, '.setup-lock'), String(spawnSync(process.execPath, ['-e', '']).pid))
  const all = await Promise.all([1, 2, 3].map(() => setupBeside(clone, installing)))
  assert.deepEqual(
    all.map(({ status }) => status),
    [0, 0, 0],
  )
  assert.equal(installs(clone).length, 1)
})

/** Stands in for npm: notes how it was called and installs what the lock lists, the file that npm writes last included. */
const installing = `
  const fs = await import('node:fs')
  fs.appendFileSync('installs', process.argv.slice(2).join(' ') + '\\n')
  const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
  for (const [path, { version }] of Object.entries(packages)) {
    if (path === '') continue
    fs.mkdirSync(path, { recursive: true })
    fs.writeFileSync(path + '/package.json', JSON.stringify({ version }))
  }
  fs.writeFileSync('node_modules/.package-lock.json', '{}')
`

interface Lock {
  /** Undefined: the lock has no Node for this platform. */
  readonly nodeVersion: string | undefined
  readonly engine: string
}

function freshClone(lock: Lock = { nodeVersion: '24.0.0', engine: '>=24' }): string {
  const clone = mkdtempSync(join(tmpdir(), 'setup-'))
  made.push(clone)
  mkdirSync(join(clone, 'scripts'))
  copyFileSync(new URL('../scripts/setup.mjs', import.meta.url), join(clone, 'scripts/setup.mjs'))
  const packages: Record<string, object> = {
    '': { engines: { node: lock.engine } },
    'node_modules/plain': { version: '1.0.0' },
    'node_modules/plain/node_modules/part': { version: '1.1.0', dev: true },
    'node_modules/@scope/part': { version: '2.0.0' },
    'node_modules/elsewhere': { version: '3.0.0', optional: true },
  }
  if (lock.nodeVersion !== undefined)
    packages[`node_modules/${nodePackage}`] = { version: lock.nodeVersion, optional: true }
  writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
  return clone
}

function installedClone(lock?: Lock): string {
  const clone = freshClone(lock)
  const { packages } = JSON.parse(readFileSync(join(clone, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>
  }
  for (const [path, { version }] of Object.entries(packages))
    if (version !== undefined) writePackage(clone, path, version)
  writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{}')
  return clone
}

function writePackage(clone: string, path: string, version: string): void {
  mkdirSync(join(clone, path), { recursive: true })
  writeFileSync(join(clone, path, 'package.json'), JSON.stringify({ version }))
}

function makeOlder(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds
  utimesSync(path, then, then)
}

/** How the stand-in for npm was called, one line a time. */
function installs(clone: string): string[] {
  const path = join(clone, 'installs')
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
}

function environment(clone: string, npm: string): NodeJS.ProcessEnv {
  writeFileSync(join(clone, 'npm.mjs'), npm)
  return { ...process.env, npm_node_execpath: process.execPath, npm_execpath: join(clone, 'npm.mjs') }
}

function setup(clone: string, { npm = installing } = {}): { status: number | null; output: string; tookMs: number } {
  const before = performance.now()
  const env = environment(clone, npm)
  const child = spawnSync(process.execPath, [join(clone, 'scripts/setup.mjs')], {
    env,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status: child.status, output: child.stdout + child.stderr, tookMs: performance.now() - before }
}

function setupBeside(clone: string, npm: string): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, [join(clone, 'scripts/setup.mjs')], {
    env: environment(clone, npm),
    timeout: 20_000,
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk))
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, output })))
}
