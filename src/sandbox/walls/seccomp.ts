/**
 * The filter that the kernel asks about every system call of a child (seccomp(2), `SECCOMP_SET_MODE_FILTER`), as the classic BPF program
 * that bubblewrap loads.
 *
 * It lets through what Node, V8 and their C library use to compute and to talk over pipes that are open already. Whatever it does not know is
 * said not to exist (`ENOSYS`): libraries then fall back to what they did before there was such a call. `execve` is let through, since the
 * filter stands before Node does: there is no program inside but Node itself, and no new process to start it in.
 *
 * `undefined` for a processor whose calls we have no numbers of.
 */
export function seccompFilter(arch: string): Uint8Array | undefined {
  const machine = machines[arch as keyof typeof machines]
  if (machine === undefined) return undefined
  const numberOf = ([, x64, arm64]: Row) => (arch === 'x64' ? x64 : arm64)
  const program: Instruction[] = [
    load(offsets.arch),
    jumpUnless(bpf.equal, machine.audit, 1, 0),
    give(verdicts.kill),
    load(offsets.number),
  ]
  // Programs of the x32 kind have numbers of their own on the same processor.
  if (arch === 'x64') program.push(jumpUnless(bpf.atLeast, x32Bit, 0, 1), give(refused(errors.ENOSYS)))
  for (const row of plain) {
    const number = numberOf(row)
    if (number !== null) program.push(jumpUnless(bpf.equal, number, 0, 1), give(verdicts.allow))
  }
  for (const { call, argument, ...rule } of conditional) {
    const number = numberOf(call)
    if (number === null) continue
    const body: Instruction[] = [load(offsets.arguments + 8 * argument)]
    if ('among' in rule) {
      for (const value of rule.among) body.push(jumpUnless(bpf.equal, value, 0, 1), give(verdicts.allow))
      body.push(give(refused(rule.otherwise)))
    } else {
      body.push(
        jumpUnless(bpf.anyBit, rule.without, 2, 0),
        jumpUnless(bpf.anyBit, rule.having, 0, 1),
        give(verdicts.allow),
        give(refused(rule.otherwise)),
      )
    }
    program.push(jumpUnless(bpf.equal, number, 0, body.length), ...body)
  }
  program.push(give(refused(errors.ENOSYS)))
  return assemble(program)
}

/** A call, and its number on x86-64 and on arm64; `null` where there is none. */
type Row = readonly [name: string, x64: number, arm64: number | null]

/** Calls that are let through whatever they are about: the frequent ones first. */
// biome-ignore format: a table
const plain: readonly Row[] = [
  ['futex', 202, 98], ['read', 0, 63], ['write', 1, 64], ['mprotect', 10, 226], ['munmap', 11, 215], ['mmap', 9, 222],
  ['madvise', 28, 233], ['epoll_wait', 232, null], ['epoll_pwait', 281, 22], ['epoll_pwait2', 441, 441], ['close', 3, 57],
  ['statx', 332, 291], ['openat', 257, 56], ['getpid', 39, 172], ['rt_sigprocmask', 14, 135], ['rt_sigaction', 13, 134],
  ['rt_sigreturn', 15, 139],
  // Pipes that are open, and files of the inside, which cannot be written.
  ['readv', 19, 65], ['writev', 20, 66], ['pread64', 17, 67], ['pwrite64', 18, 68], ['lseek', 8, 62], ['fstat', 5, 80],
  ['newfstatat', 262, 79], ['stat', 4, null], ['lstat', 6, null], ['access', 21, null], ['faccessat', 269, 48],
  ['faccessat2', 439, 439], ['readlink', 89, null], ['readlinkat', 267, 78], ['getdents64', 217, 61], ['getcwd', 79, 17],
  ['open', 2, null], ['fcntl', 72, 25], ['dup', 32, 23], ['dup2', 33, null], ['dup3', 292, 24], ['pipe', 22, null],
  ['pipe2', 293, 59], ['poll', 7, null], ['ppoll', 271, 73], ['select', 23, null], ['pselect6', 270, 72],
  ['epoll_create1', 291, 20], ['epoll_ctl', 233, 21], ['eventfd2', 290, 19], ['timerfd_create', 283, 85],
  ['timerfd_settime', 286, 86], ['close_range', 436, 436],
  // Node's pipes to a child are pairs of sockets: what they are may be asked. None can be made, bound or connected.
  ['getsockname', 51, 204], ['getpeername', 52, 205], ['getsockopt', 55, 209], ['shutdown', 48, 210],
  // Memory and threads.
  ['brk', 12, 214], ['mremap', 25, 216], ['mincore', 27, 232], ['membarrier', 324, 283], ['rseq', 334, 293],
  ['set_robust_list', 273, 99], ['get_robust_list', 274, 100], ['set_tid_address', 218, 96], ['sigaltstack', 131, 132],
  ['restart_syscall', 219, 128], ['futex_waitv', 449, 449], ['pkey_alloc', 330, 289], ['pkey_free', 331, 290],
  ['pkey_mprotect', 329, 288], ['arch_prctl', 158, null], ['tgkill', 234, 131], ['rt_sigtimedwait', 128, 137],
  // Who and where it is, how late it is, and chance.
  ['gettid', 186, 178], ['getppid', 110, 173], ['getuid', 102, 174], ['geteuid', 107, 175], ['getgid', 104, 176],
  ['getegid', 108, 177], ['getpgrp', 111, null], ['capget', 125, 90], ['getrusage', 98, 165], ['getrlimit', 97, 163],
  ['times', 100, 153], ['sysinfo', 99, 179], ['uname', 63, 160], ['getcpu', 309, 168], ['sched_yield', 24, 124],
  ['sched_getaffinity', 204, 123], ['sched_getparam', 143, 121], ['sched_getscheduler', 145, 120],
  ['sched_get_priority_max', 146, 125], ['sched_get_priority_min', 147, 126], ['clock_gettime', 228, 113],
  ['clock_getres', 229, 114], ['clock_nanosleep', 230, 115], ['nanosleep', 35, 101], ['gettimeofday', 96, 169],
  ['time', 201, null], ['getrandom', 318, 278],
  // Its beginning and its end, and that of bubblewrap's own process beside it.
  ['execve', 59, 221], ['wait4', 61, 260], ['exit', 60, 93], ['exit_group', 231, 94],
]

const errors = { EPERM: 1, EINVAL: 22, ENOTTY: 25, ENOSYS: 38 }

/** Calls that depend on one of their arguments, of which the lower 32 bits count: the kernel reads no more of these. */
const conditional: readonly ({ readonly call: Row; readonly argument: number; readonly otherwise: number } & (
  | { readonly among: readonly number[] }
  | { readonly having: number; readonly without: number }
))[] = [
  // Threads, and no process: CLONE_THREAD, and none of the flags that make a namespace.
  { call: ['clone', 56, 220], argument: 0, having: 0x0001_0000, without: 0x7e02_0080, otherwise: errors.EPERM },
  // TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
  {
    call: ['ioctl', 16, 29],
    argument: 1,
    among: [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451],
    otherwise: errors.ENOTTY,
  },
  // PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
  { call: ['prctl', 157, 167], argument: 0, among: [15, 16, 0x5356_4d41], otherwise: errors.EINVAL },
  // Of itself alone.
  { call: ['prlimit64', 302, 261], argument: 0, among: [0], otherwise: errors.EPERM },
]

/** `AUDIT_ARCH_…` of linux/audit.h. */
const machines = { x64: { audit: 0xc000_003e }, arm64: { audit: 0xc000_00b7 } } as const
const x32Bit = 0x4000_0000
/** Into `struct seccomp_data`. */
const offsets = { number: 0, arch: 4, arguments: 16 }
const verdicts = { allow: 0x7fff_0000, kill: 0x8000_0000 }
const refused = (error: number) => 0x0005_0000 | error

/** `struct sock_filter`: what to do, where to go on when it holds and when not, and with what. */
interface Instruction {
  readonly code: number
  readonly holds: number
  readonly fails: number
  readonly value: number
}

/** BPF_JMP | BPF_K with BPF_JEQ, BPF_JGE and BPF_JSET (linux/bpf_common.h). */
const bpf = { equal: 0x15, atLeast: 0x35, anyBit: 0x45 }

function load(offset: number): Instruction {
  return { code: 0x20, holds: 0, fails: 0, value: offset }
}

function jumpUnless(code: number, value: number, holds: number, fails: number): Instruction {
  return { code, holds, fails, value }
}

function give(verdict: number): Instruction {
  return { code: 0x06, holds: 0, fails: 0, value: verdict }
}

/** In the byte order of both processors, which is little-endian. */
function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, { code, holds, fails, value }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(holds, index * 8 + 2)
    bytes.writeUInt8(fails, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  }
  return bytes
}
