// The only ways out of Python’s module: the functions that it imports. Each is answered here or refused; none leads to a file, a
// socket, a process or an object of JavaScript.
import { getRandomValues } from 'node:crypto'
import type { ChildClock } from './clock.ts'

/** What the gates need of the machine around them. Its memory moves when it grows, so that it is asked for each time. */
export interface GateKeeper {
  readonly clock: ChildClock
  memory(): ArrayBuffer
  /** Whether memory could be made so large. */
  grow(bytes: number): boolean
  /** Lets Python have a little more, so that it can say that it had too much. */
  giveReserve(): void
  print(bytes: Uint8Array): void
  /** A signal for Python, or 0. */
  signal(): number
  sleep(ms: number): void
  found(name: string): void
  callByNumber(number: number, args: readonly number[]): number
}

/** Python went through a door that is walled up: the run ends there. */
export class WalledUp extends Error {
  readonly door: string
  constructor(door: string) {
    super(`it reached for \`${door}\`, which is not to be had from here`)
    this.door = door
  }
}

/** Python ended itself. */
export class Ended extends Error {}

/** Numbers of files by which the trusted part speaks to its machine. Anybody may: each does no more than its line says. */
export const doors = {
  /** Eight bytes: how many milliseconds to wait. */
  sleep: 1000,
  /** Anything: a reserve of memory, once a run. */
  reserve: 1001,
} as const

const errno = { access: 2, badFile: 8, invalid: 28, noEntry: 44, noSystemCall: 52, readOnly: 69, noSeek: 70 } as const

type Gate = (...args: number[]) => number | bigint | undefined

/** What honest code never asks for: refused, and told by this name. */
const walledUp: Readonly<Record<string, string>> = {
  __syscall_mkdirat: 'files',
  __syscall_mknodat: 'files',
  __syscall_unlinkat: 'files',
  __syscall_rmdir: 'files',
  __syscall_renameat: 'files',
  __syscall_symlinkat: 'files',
  __syscall_linkat: 'files',
  __syscall_truncate64: 'files',
  __syscall_ftruncate64: 'files',
  __syscall_utimensat: 'files',
  __syscall_chmod: 'files',
  __syscall_fchmod: 'files',
  __syscall_fchmodat2: 'files',
  __syscall_fchownat: 'files',
  __syscall_chdir: 'files',
  __syscall_getdents64: 'files',
  __syscall_dup: 'files',
  __syscall_dup3: 'files',
  __syscall_pipe: 'pipe',
  __syscall_socket: 'socket',
  __syscall_connect: 'socket',
  __syscall_bind: 'socket',
  __syscall_listen: 'socket',
  __syscall_sendto: 'socket',
}

/** What ends the run, by its beginning. The rest of what is not answered belongs to the bridge to JavaScript. */
const ends: readonly (readonly [RegExp, string])[] = [
  [/^_emscripten_system$/, 'system'],
  [/^(_dlopen_js|_emscripten_dlopen_js|_dlsym_js)$/, 'dlopen'],
  [/^(getaddrinfo|getnameinfo|getprotobyname|_maybe_\w+|_try_shutdown)$/, 'socket'],
  [/^ffi_/, 'ffi'],
  [/^(_mmap_js|_munmap_js|_msync_js)$/, 'mmap'],
  [/^(__call_sighandler|_setitimer_js)$/, 'signal'],
]

/** An answer to every function that the module imports. */
export function gatesTo(keeper: GateKeeper): (name: string) => Gate {
  const answers = answersOf(keeper)
  return (name) => {
    const answer = Object.hasOwn(answers, name) ? answers[name] : undefined
    if (answer !== undefined) return answer
    if (name.startsWith('__syscall_')) return refusal(keeper, walledUp[name], -errno.noSystemCall)
    if (name.startsWith('fd_')) return () => errno.badFile
    const door = ends.find(([pattern]) => pattern.test(name))?.[1] ?? 'javascript'
    return () => {
      keeper.found(door)
      throw new WalledUp(door)
    }
  }
}

function refusal(keeper: GateKeeper, name: string | undefined, answer: number): Gate {
  if (name === undefined) return () => answer
  const refused = name === 'files' ? -errno.readOnly : answer
  return () => {
    keeper.found(name)
    return refused
  }
}

function answersOf(keeper: GateKeeper): Readonly<Record<string, Gate>> {
  const view = () => new DataView(keeper.memory())
  const ended = () => {
    throw new Ended('its interpreter ended')
  }
  const nothing = () => 0
  return {
    _Py_CheckEmscriptenSignals_Helper: () => keeper.signal(),
    _PyEM_TrampolineCall_JS: (number = 0, ...args) => keeper.callByNumber(number, args),
    emscripten_resize_heap: (bytes = 0) => Number(keeper.grow(bytes >>> 0)),
    emscripten_date_now: () => keeper.clock.now(),
    emscripten_get_now: () => keeper.clock.monotonic(),
    clock_time_get: (which, _precision, at = 0) => {
      const ms = which === 0 ? keeper.clock.now() : keeper.clock.monotonic()
      view().setBigInt64(at >>> 0, BigInt(Math.round(ms * 1e6)), true)
      return 0
    },
    clock_res_get: (_which, at = 0) => {
      view().setBigInt64(at >>> 0, 1000n, true)
      return 0
    },
    random_get: (at = 0, bytes = 0) => {
      // Web Crypto hands out no more at once.
      for (let done = 0; done < bytes; done += 65_536)
        getRandomValues(new Uint8Array(keeper.memory(), (at >>> 0) + done, Math.min(65_536, bytes - done)))
      return 0
    },
    fd_write: (file = 0, vectors = 0, count = 0, written = 0) =>
      write(keeper, file, vectors >>> 0, count, written >>> 0),
    fd_seek: () => errno.noSeek,
    fd_read: (_file, _vectors, _count, read = 0) => {
      view().setUint32(read >>> 0, 0, true)
      return 0
    },
    fd_close: nothing,
    fd_sync: nothing,
    environ_sizes_get: (count = 0, size = 0) => {
      view().setUint32(count >>> 0, 0, true)
      view().setUint32(size >>> 0, 0, true)
      return 0
    },
    environ_get: nothing,
    __syscall_stat64: () => -errno.noEntry,
    __syscall_lstat64: () => -errno.noEntry,
    __syscall_newfstatat: () => -errno.noEntry,
    __syscall_faccessat: () => -errno.noEntry,
    __syscall_readlinkat: () => -errno.noEntry,
    __syscall_openat: (_folder, path = 0, _flags) => {
      // The compiler looks for the text of a line that it complains of: code has a name that no file has.
      if (new Uint8Array(keeper.memory())[path >>> 0] === '<'.charCodeAt(0)) return -errno.noEntry
      keeper.found('open')
      return -errno.access
    },
    __syscall_getuid32_js: nothing,
    _try_fcntl64: nothing,
    ...utcGates(() => keeper.memory()),
    _emscripten_lookup_name: nothing,
    emscripten_runtime_keepalive_push: nothing,
    emscripten_runtime_keepalive_pop: nothing,
    _emscripten_runtime_keepalive_clear: nothing,
    emscripten_log_impl_js: nothing,
    _emscripten_log_formatted: nothing,
    emscripten_debugger: nothing,
    _Py_emscripten_runtime: nothing,
    emscripten_get_heap_max: () => keeper.memory().byteLength,
    exit: ended,
    proc_exit: ended,
    _abort_js: ended,
    __assert_fail: ended,
  }
}

/** The calendar. Wherever the machine stands, code of strangers need not know: its time zone is UTC. */
export function utcGates(memory: () => ArrayBuffer): Readonly<Record<string, Gate>> {
  const view = () => new DataView(memory())
  return {
    _gmtime_js: (seconds = 0, at = 0) => writeTime(view(), Number(seconds), at >>> 0, false),
    _localtime_js: (seconds = 0, at = 0) => writeTime(view(), Number(seconds), at >>> 0, true),
    _timegm_js: (at = 0) => readTime(view(), at >>> 0),
    _mktime_js: (at = 0) => readTime(view(), at >>> 0),
    _tzset_js: (offset = 0, daylight = 0, standard = 0, summer = 0) => {
      view().setInt32(offset >>> 0, 0, true)
      view().setInt32(daylight >>> 0, 0, true)
      for (const at of [standard, summer]) new Uint8Array(memory(), at >>> 0, 4).set([0x55, 0x54, 0x43, 0])
      return undefined
    },
  }
}

function write(keeper: GateKeeper, file: number, vectors: number, count: number, written: number): number {
  let total = 0
  for (let index = 0; index < count; index++) {
    const view = new DataView(keeper.memory())
    const at = view.getUint32(vectors + 8 * index, true)
    const length = view.getUint32(vectors + 8 * index + 4, true)
    total += length
    if (file === 1 || file === 2) keeper.print(new Uint8Array(view.buffer, at, length))
    else if (file === doors.sleep && length === 8) keeper.sleep(view.getFloat64(at, true))
    else if (file === doors.reserve) keeper.giveReserve()
    else if (length > 0) return errno.badFile
  }
  new DataView(keeper.memory()).setUint32(written, total, true)
  return 0
}

// `struct tm` of musl: nine numbers of 32 bits, and for local time its distance to UTC.
function writeTime(view: DataView, seconds: number, at: number, local: boolean): undefined {
  const date = new Date(seconds * 1000)
  const year = date.getUTCFullYear()
  const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / 86_400_000)
  const fields = [
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    year - 1900,
    date.getUTCDay(),
    // `Date.UTC` takes years below 100 for those of the last century.
    year >= 0 && year < 100 ? dayOfYearBefore100(date) : dayOfYear,
    ...(local ? [0, 0] : []),
  ]
  for (const [index, value] of fields.entries()) view.setInt32(at + 4 * index, Number.isNaN(value) ? 0 : value, true)
  return undefined
}

function dayOfYearBefore100(date: Date): number {
  const first = new Date(date)
  first.setUTCMonth(0, 1)
  first.setUTCHours(0, 0, 0, 0)
  return Math.floor((date.getTime() - first.getTime()) / 86_400_000)
}

function readTime(view: DataView, at: number): bigint {
  const field = (index: number) => view.getInt32(at + 4 * index, true)
  const date = new Date(0)
  date.setUTCFullYear(field(5) + 1900, field(4), field(3))
  date.setUTCHours(field(2), field(1), field(0))
  const seconds = Math.floor(date.getTime() / 1000)
  if (Number.isNaN(seconds)) return -1n
  writeTime(view, seconds, at, true)
  return BigInt(seconds)
}
