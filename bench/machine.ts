import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { delimiter, join } from 'node:path'

/** The path of a program, or undefined where it is not installed. Servers often lie outside a user's PATH. */
export function programAt(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Who gets which core. */
export interface Cores {
  /** For whoever is being measured. */
  readonly measured: number
  /** For the upstream and the load. */
  readonly others: number
}

/** Two cores of those that this process may use; undefined where nothing can be pinned. */
export function twoCores(): Cores | undefined {
  if (programAt('taskset') === undefined) return undefined
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const allowed = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
  })
  const [measured, others] = allowed
  return measured === undefined || others === undefined ? undefined : { measured, others }
}

/** Processor seconds that a process has used so far, all its threads together; undefined where the kernel does not tell. */
export function cpuSeconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / 100 // utime, stime in hundredths (proc_pid_stat(5))
}

/** The machine in one line, as far as it matters for the figures. */
export function machineText(): string {
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown processor'}), Node ${process.version}, ${process.platform} ${release()}`
}

/** What a program says its version is, in its own first words. */
export function versionOf(path: string, flag: string): string {
  const { stdout, stderr } = spawnSync(path, [flag], { encoding: 'utf8' })
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0] ?? 'of unknown version'
}
