// Each wall of the system by itself: plain Node behind it, with none of its own walls, tries what user code would.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { behindBubblewrap } from '../../src/sandbox/walls/bubblewrap.ts'
import { behindNamespaces } from '../../src/sandbox/walls/namespaces.ts'
import { withinResources } from '../../src/sandbox/walls/resources.ts'
import { runtimeFiles } from '../../src/sandbox/walls/runtime-files.ts'
import { seccompFilter } from '../../src/sandbox/walls/seccomp.ts'
import { systemTool } from '../../src/sandbox/walls/tools.ts'
import { type Exposed, essentialWalls, type Wall, type WalledCommand } from '../../src/sandbox/walls/wall.ts'
import { machine, survey } from '../../src/sandbox/walls/walls.ts'
import { eventually } from '../support/eventually.ts'
import { throwAwayFolder } from '../support/folder.ts'

const tools = {
  bwrap: systemTool('bwrap'),
  unshare: systemTool('unshare'),
  setpriv: systemTool('setpriv'),
  prlimit: systemTool('prlimit'),
}
const here = await survey(machine())
const unprovided = await survey({ ...machine(), tool: (name) => (name === 'bwrap' ? undefined : systemTool(name)) })
const standing = (walls: typeof here, wall: Wall) => walls.states.find((state) => state.wall === wall)?.stands === true
const whyNot = (walls: typeof here, wall: Wall) => walls.states.find((state) => state.wall === wall)?.by ?? ''
const files = runtimeFiles(process.execPath) ?? []

type Dress = (program: readonly string[], exposed: readonly Exposed[]) => WalledCommand
const dresses: readonly { readonly name: string; readonly dress: Dress; readonly skip: string | false }[] = [
  {
    name: 'bubblewrap, without a filter',
    dress: (program, exposed) => behindBubblewrap(tools.bwrap ?? '', program, [...files, ...exposed], undefined),
    skip: standing(here, 'files') && tools.bwrap !== undefined ? false : whyNot(here, 'files'),
  },
  {
    name: 'namespaces, without bubblewrap',
    dress: (program, exposed) =>
      behindNamespaces({ unshare: tools.unshare ?? '', setpriv: tools.setpriv ?? '' }, program, [...files, ...exposed]),
    skip: standing(unprovided, 'files') ? false : whyNot(unprovided, 'files'),
  },
]

for (const { name, dress, skip } of dresses) {
  test(`CT6 ${name}: no file of the machine is there, by no name, and none can be written`, {
    skip,
  }, async (context) => {
    const secret = join(throwAwayFolder(context), 'secret')
    writeFileSync(secret, 'the house’s own', { mode: 0o644 })
    const found = await tell(
      context,
      dress,
      `
      const fs = require('node:fs')
      const read = (path) => { try { return String(fs.readFileSync(path)).slice(0, 20) } catch (error) { return error.code } }
      const write = (path) => { try { fs.writeFileSync(path, 'x'); return 'written' } catch (error) { return error.code } }
      const list = (path) => { try { return fs.readdirSync(path) } catch (error) { return error.code } }
      tell({
        root: list('/'), app: list('/app'), up: list('/app/../../..'), cwd: process.cwd(),
        read: ['/etc/passwd', '/proc/self/environ', '/proc/1/root/etc/passwd', ${JSON.stringify(secret)}, '/dev/mem', '/root', '/sys/kernel'].map(read),
        write: ['/x', '/app/x', '/app/node', '/app/lib/x', '/tmp/x', '/dev/shm/x', '/app/given/file'].map(write),
        given: read('/app/given/file'),
      })`,
      [{ outside: givenFolder(context), inside: '/app/given' }],
    )
    assert.deepEqual(
      found['root'].filter((entry: string) => !['app', 'lib', 'lib64', 'usr', 'nix'].includes(entry)),
      [],
    )
    assert.deepEqual(found['up'], found['root'])
    assert.deepEqual(found['app'].toSorted(), ['given', 'lib', 'node', 'program.cjs'])
    assert.deepEqual(
      [...new Set(found['read'])].filter((code) => code !== 'ENOENT'),
      [],
      JSON.stringify(found['read']),
    )
    for (const code of found['write']) assert.match(code, /^(?:EROFS|ENOENT|EACCES|EPERM|ETXTBSY|EFBIG)$/)
    assert.equal(found['given'], 'given')
  })

  test(`CT6 ${name}: there is nobody on its network, by TCP, UDP, a name or a socket of the machine`, {
    skip,
  }, async (context) => {
    const server = createServer((socket) => socket.end('reached'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const abstract = createServer((socket) => socket.end('reached')).listen(`\0gatehouse-${process.pid}`)
    await once(abstract, 'listening')
    context.after(() => [server.close(), abstract.close()])
    const { port } = server.address() as { readonly port: number }
    const found = await tell(
      context,
      dress,
      `
      const net = require('node:net'), dgram = require('node:dgram'), os = require('node:os'), dns = require('node:dns')
      const reach = (...where) => new Promise((resolve) => { const socket = net.connect(...where); socket.on('data', (text) => resolve(String(text))).on('error', (error) => resolve(error.code)); setTimeout(resolve, 3000, 'silence').unref() })
      const send = new Promise((resolve) => { try { const socket = dgram.createSocket('udp4'); socket.on('error', (error) => resolve(error.code)); socket.send('x', 53, '192.0.2.1', (error) => { socket.close(); resolve(error?.code ?? 'sent') }) } catch (error) { resolve(error.code ?? error.message) } })
      const interfaces = () => { try { return Object.entries(os.networkInterfaces()).filter(([, all]) => all.some(({ internal }) => !internal)).length } catch { return 0 } }
      ;(async () => tell({ tcp: await reach(${port}, '127.0.0.1'), six: await reach(${port}, '::1'), abstract: await reach('\\0gatehouse-${process.pid}'), out: await reach(80, '192.0.2.1'), udp: await send, interfaces: interfaces() }))()`,
    )
    for (const kind of ['tcp', 'six', 'abstract', 'out', 'udp']) assert.match(found[kind], /^E[A-Z]+$/, kind)
    assert.equal(found['interfaces'], 0)
  })

  test(`CT6 ${name}: it sees and signals nobody, is nobody, and cannot become anybody`, { skip }, async (context) => {
    const found = await tell(
      context,
      dress,
      `
      const tried = (act) => { try { act(); return 'done' } catch (error) { return error.code ?? error.message } }
      tell({ pid: process.pid, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups?.().length,
        house: tried(() => process.kill(${process.pid}, 0)), all: tried(() => process.kill(-1, 'SIGUSR2')),
        setuid: tried(() => process.setuid(0)), setgid: tried(() => process.setgid(0)), environment: Object.keys(process.env) })`,
    )
    assert.ok(found['pid'] <= 3, `among the first of its own: ${found['pid']}`)
    assert.deepEqual([found['uid'], found['gid']], [65534, 65534])
    for (const attempt of ['house', 'setuid', 'setgid']) assert.notEqual(found[attempt], 'done', attempt)
    assert.deepEqual(
      found['environment'].filter((name: string) => name !== 'LD_LIBRARY_PATH' && name !== 'PWD'),
      [],
    )
  })

  test(`${name}: a child that computes for ever is gone when the house is killed`, { skip }, async (context) => {
    const walled = dress(['/app/node', '-e', 'console.log("begun"); for (;;) {}'], [])
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `const child = require('node:child_process').spawn(${JSON.stringify(walled.command)}, ${JSON.stringify(walled.args)}, { env: {}, stdio: ['pipe', 'pipe', 'inherit'] }); child.stdout.on('data', () => console.log(child.pid))`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    context.after(() => parent.kill('SIGKILL'))
    const [told] = await once(parent.stdout, 'data')
    const pid = Number(String(told).trim())
    assert.ok(existsSync(`/proc/${pid}`))
    const family = familyOf(pid)
    parent.kill('SIGKILL')
    await eventually(() => (family.some((one) => isAlive(one)) ? undefined : true))
  })
}

test('CT6 seccomp: behind the filter there is no socket, no program and no signal, and Node computes as ever', {
  skip: standing(here, 'system-calls') ? false : whyNot(here, 'system-calls'),
}, async (context) => {
  const filtered: Dress = (program, exposed) =>
    behindBubblewrap(tools.bwrap ?? '', program, [...files, ...exposed], seccompFilter(process.arch))
  const found = await tell(
    context,
    filtered,
    `
    const net = require('node:net'), { Worker } = require('node:worker_threads'), child = require('node:child_process')
    const tried = (act) => { try { act(); return 'done' } catch (error) { return error.code ?? error.message } }
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true })
    const computed = new Promise((resolve) => worker.once('message', resolve))
    const connected = new Promise((resolve) => net.connect(9, '127.0.0.1').on('error', (error) => resolve(error.code)).on('connect', () => resolve('connected')))
    const listened = new Promise((resolve) => net.createServer().listen(0).on('error', (error) => resolve(error.code)).on('listening', () => resolve('listening')))
    ;(async () => tell({ computed: await computed, connected: await connected, listened: await listened, program: child.spawnSync('/app/node', ['-e', '0']).error?.code,
      kill: tried(() => process.kill(process.ppid, 0)), sorted: Array.from({ length: 1000 }, (_, i) => 999 - i).sort((a, b) => a - b)[0], wasm: WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) }))()`,
  )
  assert.deepEqual(found, {
    computed: 42,
    connected: 'ENOSYS',
    listened: 'ENOSYS',
    program: 'ENOSYS',
    kill: 'ENOSYS',
    sorted: 0,
    wasm: true,
  })
})

test('CT6 resources: a child that computes past its processor time is ended by the kernel', {
  skip: tools.prlimit === undefined ? whyNot(here, 'resources') : false,
}, async () => {
  const walled = withinResources(tools.prlimit ?? '', 1, {
    command: process.execPath,
    args: ['-e', 'for (;;) {}'],
    feeds: [],
  })
  const [, signal] = await once(spawn(walled.command, walled.args, { env: {}, stdio: 'ignore' }), 'exit')
  assert.match(signal, /^SIG(?:XCPU|KILL)$/)
})

test('CT6 runtime: Node’s permission model alone lets a program read what it was given, write nothing, and start nothing', async (context) => {
  const folder = throwAwayFolder(context)
  const [secret, program] = [join(folder, 'secret'), join(folder, 'given', 'program.cjs')]
  mkdirSync(join(folder, 'given'))
  writeFileSync(secret, 'the house’s own')
  writeFileSync(
    program,
    `const fs = require('node:fs'), child = require('node:child_process'), { Worker } = require('node:worker_threads')
     const tried = (act) => { try { act(); return 'done' } catch (error) { return error.code ?? error.message } }
     console.log(JSON.stringify({
       own: tried(() => fs.readFileSync(__filename)), secret: tried(() => fs.readFileSync(${JSON.stringify(secret)})),
       link: tried(() => fs.symlinkSync(${JSON.stringify(secret)}, __dirname + '/link')), write: tried(() => fs.writeFileSync(__dirname + '/x', '')),
       spawn: tried(() => child.spawnSync(process.execPath, ['--version'])), exec: tried(() => child.execSync('id')),
       worker: tried(() => new Worker('0', { eval: true })), addon: tried(() => process.dlopen({ exports: {} }, '/nowhere.node')),
       wasi: tried(() => new (require('node:wasi').WASI)({ version: 'preview1' })), inspector: tried(() => new (require('node:inspector').Session)().connect()),
       code: tried(() => new Function('return 1')()) }))`,
  )
  const options = [
    '--permission',
    `--allow-fs-read=${join(folder, 'given')}/*`,
    '--disallow-code-generation-from-strings',
    '--no-warnings',
  ]
  const child = spawn(process.execPath, [...options, program], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  child.stdout.on('data', (text) => (told += text))
  await once(child, 'close')
  const { own, code, ...refused } = JSON.parse(told)
  assert.equal(own, 'done')
  assert.match(code, /Code generation from strings disallowed/)
  for (const [attempt, answer] of Object.entries(refused))
    assert.equal(answer, attempt === 'addon' ? 'ERR_DLOPEN_DISABLED' : 'ERR_ACCESS_DENIED', attempt)
})

test('CT6: what this machine lacks is said with how it is had, and no wall is said to stand without having been tried', async () => {
  const bare = await survey({ ...machine(), tool: () => undefined })
  for (const wall of essentialWalls) {
    const state = bare.states.find((one) => one.wall === wall)
    assert.equal(state?.stands, false)
    assert.match(state?.by ?? '', process.platform === 'linux' ? /install bubblewrap .*install util-linux/ : /Linux/)
  }
  const mac = await survey({ ...machine(), platform: 'darwin' })
  assert.match(mac.states.find(({ wall }) => wall === 'network')?.by ?? '', /no walls of the system for darwin yet/)
  assert.equal(mac.at({ outside: '/here', inside: '/app/there' }), '/here')
})

test('CT6: a tool that answers to the name and puts up no wall is found out', {
  skip: process.platform === 'linux' ? false : 'the walls of the system are Linux’s',
}, async (context) => {
  // A bubblewrap that leaves out every wall, and runs the program all the same.
  const sham = join(throwAwayFolder(context), 'bwrap')
  writeFileSync(sham, `#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift 2\nexec ${process.execPath} "$@"\n`, {
    mode: 0o755,
  })
  const walls = await survey({ ...machine(), tool: (name) => (name === 'bwrap' ? sham : systemTool(name)) })
  for (const wall of essentialWalls) assert.equal(standing(walls, wall), false, wall)
})

test('only programs that none but the administrator can have put there are taken', () => {
  assert.equal(systemTool('no-such-tool-of-any-system'), undefined)
  assert.equal(systemTool('../../tmp/anything'), undefined)
  if (tools.prlimit !== undefined) assert.match(tools.prlimit, /^\/(?:usr\/)?s?bin\//)
})

/** Runs a program behind a dress, and hears what it tells. */
async function tell(context: TestContext, dress: Dress, source: string, exposed: readonly Exposed[] = []) {
  const program = join(throwAwayFolder(context), 'program.cjs')
  writeFileSync(program, `const tell = (found) => { console.log(JSON.stringify(found)); process.exit(0) }\n${source}`, {
    mode: 0o644,
  })
  const walled = dress(
    ['/app/node', '/app/program.cjs'],
    [{ outside: program, inside: '/app/program.cjs' }, ...exposed],
  )
  const child: ChildProcess = spawn(walled.command, walled.args, {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', ...walled.feeds.map(() => 'pipe' as const)],
  })
  for (const [index, feed] of walled.feeds.entries()) {
    const pipe = child.stdio[3 + index]
    if (pipe !== null && pipe !== undefined && 'end' in pipe) pipe.end(feed)
  }
  let [told, complained] = ['', '']
  child.stdout?.on('data', (text) => (told += text))
  child.stderr?.on('data', (text) => (complained += text))
  await once(child, 'close')
  assert.notEqual(told, '', complained)
  return JSON.parse(told)
}

function givenFolder(context: TestContext): string {
  const folder = throwAwayFolder(context)
  writeFileSync(join(folder, 'file'), 'given', { mode: 0o666 })
  return folder
}

function familyOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
    return [pid, ...children.flatMap(familyOf)]
  } catch {
    return [pid]
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
