// The filter, asked as the kernel asks it: a small machine for classic BPF goes through its instructions.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { seccompFilter } from '../../src/sandbox/walls/seccomp.ts'

const audit = { x64: 0xc000003e, arm64: 0xc00000b7 }
const [allow, kill] = [0x7fff0000, 0x80000000]
const refused = (error: number) => 0x00050000 + error

test('CT6: a child’s system calls are those of a program that computes: sockets, programs, namespaces and other processes are not there', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const ask = (name: string, ...args: number[]) => asked(arch, numbers[arch][name] ?? assert.fail(name), args)
    for (const name of ['read', 'write', 'futex', 'mmap', 'exit_group', 'getrandom', 'clock_gettime', 'tgkill'])
      assert.equal(ask(name), allow, `${arch} ${name}`)
    for (const name of refusedCalls) assert.equal(ask(name), refused(38), `${arch} ${name}`)
  }
})

test('a thread may be begun, a process and a namespace may not', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const clone = (flags: number) => asked(arch, numbers[arch]['clone'] ?? 0, [flags])
    const thread = 0x003d0f00
    assert.equal(clone(thread), allow)
    assert.equal(clone(17), refused(1), 'fork')
    assert.equal(clone(0x4111), refused(1), 'vfork')
    for (const namespace of [0x80, 0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
      assert.equal(clone((thread | namespace) >>> 0), refused(1), `${arch} ${namespace.toString(16)}`)
  }
})

test('of ioctl, prctl and prlimit64 only what Node needs goes through', () => {
  const { x64 } = numbers
  const tiocsti = 0x5412
  assert.equal(asked('x64', x64['ioctl'] ?? 0, [1, 0x5421]), allow)
  assert.equal(asked('x64', x64['ioctl'] ?? 0, [1, tiocsti]), refused(25))
  assert.equal(asked('x64', x64['prctl'] ?? 0, [15]), allow)
  for (const option of [4, 22, 24, 38, 59]) assert.equal(asked('x64', x64['prctl'] ?? 0, [option]), refused(22))
  assert.equal(asked('x64', x64['prlimit64'] ?? 0, [0]), allow)
  assert.equal(asked('x64', x64['prlimit64'] ?? 0, [1]), refused(1))
})

test('a call by the numbers of another processor, or of the x32 kind, is no way round', () => {
  assert.equal(run(program('x64'), { arch: 0x40000003, nr: 1, args: [] }), kill)
  assert.equal(run(program('x64'), { arch: audit.arm64, nr: 0, args: [] }), kill)
  assert.equal(asked('x64', 0x40000000 + 0, []), refused(38))
  assert.equal(seccompFilter('riscv64'), undefined)
})

test('no jump of the filter leaves it, and it always comes to a verdict', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const instructions = program(arch)
    assert.ok(instructions.length < 4096, 'as many as the kernel takes')
    for (let nr = 0; nr < 600; nr++) {
      const verdict = asked(arch, nr, [0, 0, 0])
      assert.ok(verdict === allow || (verdict & 0xffff0000) === 0x00050000, `${arch} ${nr}`)
    }
  }
})

test('the numbers are those of this machine’s own headers', (context) => {
  let header: string
  try {
    header = readFileSync('/usr/include/x86_64-linux-gnu/asm/unistd_64.h', 'utf8')
  } catch {
    return context.skip('the kernel’s headers are not installed here: `apt install linux-libc-dev`')
  }
  const known = new Map([...header.matchAll(/#define __NR_(\w+) (\d+)/g)].map(([, name, nr]) => [name, Number(nr)]))
  for (const [name, nr] of Object.entries(numbers.x64)) assert.equal(known.get(name), nr, name)
  // What it lets through by number is what the test lets through by name.
  const through = [...known].filter(([, nr]) => asked('x64', nr, [0, 0]) === allow).map(([name]) => name)
  for (const name of [
    ...refusedCalls,
    'execveat',
    'kill',
    'memfd_create',
    'process_madvise',
    'setuid',
    'chmod',
    'unlink',
  ])
    assert.ok(!through.includes(name), name)
})

// biome-ignore format: a table
const numbers: Record<'x64' | 'arm64', Record<string, number>> = {
  x64: { read: 0, write: 1, mmap: 9, ioctl: 16, socket: 41, connect: 42, accept: 43, sendto: 44, sendmsg: 46, bind: 49, listen: 50, socketpair: 53,
    clone: 56, kill: 62, ptrace: 101, setuid: 105, prctl: 157, pivot_root: 155, chroot: 161, mount: 165, umount2: 166, init_module: 175, futex: 202,
    clock_gettime: 228, exit_group: 231, tgkill: 234, add_key: 248, request_key: 249, keyctl: 250, unshare: 272, perf_event_open: 298,
    open_by_handle_at: 304, prlimit64: 302, setns: 308, process_vm_readv: 310, process_vm_writev: 311, finit_module: 313, getrandom: 318, bpf: 321,
    execveat: 322, userfaultfd: 323, io_uring_setup: 425, clone3: 435, open_tree: 428, fsopen: 430, memfd_create: 319 },
  arm64: { read: 63, write: 64, mmap: 222, ioctl: 29, socket: 198, connect: 203, accept: 202, sendto: 206, sendmsg: 211, bind: 200, listen: 201,
    socketpair: 199, clone: 220, kill: 129, ptrace: 117, setuid: 146, prctl: 167, pivot_root: 41, chroot: 51, mount: 40, umount2: 39,
    init_module: 105, futex: 98, clock_gettime: 113, exit_group: 94, tgkill: 131, add_key: 217, request_key: 218, keyctl: 219, unshare: 97,
    perf_event_open: 241, open_by_handle_at: 265, prlimit64: 261, setns: 268, process_vm_readv: 270, process_vm_writev: 271, finit_module: 273,
    getrandom: 278, bpf: 280, execveat: 281, userfaultfd: 282, io_uring_setup: 425, clone3: 435, open_tree: 428, fsopen: 430, memfd_create: 279 },
}
const refusedCalls = [
  ...['socket', 'connect', 'accept', 'sendto', 'sendmsg', 'bind', 'listen', 'socketpair', 'kill', 'ptrace', 'setuid'],
  ...['pivot_root', 'chroot', 'mount', 'umount2', 'init_module', 'finit_module', 'add_key', 'request_key', 'keyctl'],
  ...['unshare', 'perf_event_open', 'open_by_handle_at', 'setns', 'process_vm_readv', 'process_vm_writev', 'bpf'],
  ...['execveat', 'userfaultfd', 'io_uring_setup', 'clone3', 'open_tree', 'fsopen', 'memfd_create'],
]

interface Call {
  readonly arch: number
  readonly nr: number
  readonly args: readonly number[]
}

function asked(arch: 'x64' | 'arm64', nr: number, args: readonly number[]): number {
  return run(program(arch), { arch: audit[arch], nr, args })
}

function program(arch: string): { code: number; jt: number; jf: number; k: number }[] {
  const bytes = Buffer.from(seccompFilter(arch) ?? assert.fail(`no filter for ${arch}`))
  assert.equal(bytes.length % 8, 0)
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: bytes.readUInt16LE(index * 8),
    jt: bytes.readUInt8(index * 8 + 2),
    jf: bytes.readUInt8(index * 8 + 3),
    k: bytes.readUInt32LE(index * 8 + 4),
  }))
}

/** Classic BPF, as far as filters of system calls use it. */
function run(instructions: ReturnType<typeof program>, { arch, nr, args }: Call): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(nr >>> 0, 0)
  data.writeUInt32LE(arch >>> 0, 4)
  for (const [index, arg] of args.entries()) data.writeUInt32LE(arg >>> 0, 16 + 8 * index)
  let accumulator = 0
  for (let at = 0; at < instructions.length; at++) {
    const { code, jt, jf, k } = instructions[at] ?? assert.fail('past its end')
    if (code === 0x20) accumulator = data.readUInt32LE(k)
    else if (code === 0x06) return k
    else if (code === 0x15) at += accumulator === k ? jt : jf
    else if (code === 0x35) at += accumulator >= k ? jt : jf
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jt : jf
    else assert.fail(`an instruction that is not expected: ${code}`)
  }
  return assert.fail('it ended without a verdict')
}
