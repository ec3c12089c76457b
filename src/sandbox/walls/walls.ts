import { release } from 'node:os'
import { behindBubblewrap } from './bubblewrap.ts'
import { behindNamespaces } from './namespaces.ts'
import { type Probed, probe } from './probe.ts'
import { withinResources } from './resources.ts'
import { insideNode, runtimeFiles } from './runtime-files.ts'
import { seccompFilter } from './seccomp.ts'
import { systemTool, versionOf } from './tools.ts'
import { type Exposed, type Wall, type WalledCommand, type WallState, walls } from './wall.ts'

/** What this machine can put around a child. */
export interface Walls {
  /** Every wall, in the order of `walls`. */
  readonly states: readonly WallState[]
  /** Where the child finds something: at its place inside, or, where there is no wall around files, where it is. */
  at(exposed: Exposed): string
  /** Node, as the child finds it. */
  readonly node: string
  /**
   * Puts the walls of the system around a program.
   *
   * @param program Node, its options and its arguments; paths in them are those that `at` answers
   * @param exposed what the program has to see, beside Node
   * @param cpuSeconds processor time that the kernel lets it have in its whole life
   */
  around(program: readonly string[], exposed: readonly Exposed[], cpuSeconds: number): WalledCommand
}

let surveyed: Promise<Walls> | undefined

/** Finds what this machine has, by trying: once in a process, some hundred milliseconds long. */
export function surveyWalls(): Promise<Walls> {
  surveyed ??= survey(machine())
  return surveyed
}

/** What a survey goes by. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly arch: string
  readonly execPath: string
  readonly tool: (name: string) => string | undefined
}

export function machine(): Machine {
  return { platform: process.platform, arch: process.arch, execPath: process.execPath, tool: systemTool }
}

type Dress = (program: readonly string[], exposed: readonly Exposed[]) => WalledCommand

/** For a machine that is told: tests take tools away from it. */
export async function survey(on: Machine): Promise<Walls> {
  const prlimit = on.platform === 'linux' ? on.tool('prlimit') : undefined
  const within = (cpuSeconds: number, walled: WalledCommand) =>
    prlimit === undefined ? walled : withinResources(prlimit, cpuSeconds, walled)
  const runtime = on.platform === 'linux' ? runtimeFiles(on.execPath) : undefined
  const { dress, by, reasons, filtered, found } = await choose(on, runtime ?? [], within)
  const plain: Dress = ([, ...args]) => ({ command: on.execPath, args, feeds: [] })
  const stateOf = (wall: Wall): WallState => {
    if (wall === 'runtime') return { wall, stands: true, by: `the permission model of Node ${process.versions.node}` }
    if (wall === 'interpreter') return { wall, stands: true, by: 'what the interpreter is started without' }
    if (wall === 'resources')
      return prlimit !== undefined
        ? { wall, stands: true, by: versionOf(prlimit) }
        : { wall, stands: false, by: on.platform === 'linux' ? 'install util-linux, for `prlimit`' : reasons }
    if (wall === 'system-calls') {
      if (filtered) return { wall, stands: true, by: `seccomp, by ${by}` }
      const why = seccompFilter(on.arch) === undefined ? `there is no filter for ${on.arch} yet` : reasons
      return { wall, stands: false, by: dress === undefined ? reasons : why }
    }
    return found !== undefined && holds[wall](found)
      ? { wall, stands: true, by }
      : { wall, stands: false, by: found === undefined ? reasons : `${by} does not hold it here` }
  }
  const states = walls.map(stateOf)
  return {
    states,
    at: ({ inside, outside }) => (dress === undefined ? outside : inside),
    node: dress === undefined ? on.execPath : insideNode,
    around: (program, exposed, cpuSeconds) =>
      within(cpuSeconds, (dress ?? plain)(program, [...(runtime ?? []), ...exposed])),
  }
}

interface Chosen {
  readonly dress: Dress | undefined
  readonly by: string
  /** Why there is nothing better, with what to do. */
  readonly reasons: string
  readonly filtered: boolean
  readonly found: Probed | undefined
}

/** The best that works: bubblewrap with a filter, bubblewrap without, what every Linux has, nothing. */
async function choose(
  on: Machine,
  runtime: readonly Exposed[],
  within: (cpuSeconds: number, walled: WalledCommand) => WalledCommand,
): Promise<Chosen> {
  const none = { dress: undefined, by: '', filtered: false, found: undefined }
  if (on.platform !== 'linux')
    return {
      ...none,
      reasons: `there are no walls of the system for ${on.platform} yet: run it on Linux, or in a container of its own`,
    }
  if (runtime.length === 0)
    return { ...none, reasons: 'what Node needs to start cannot be told: `/proc/self/maps` is not to be read' }
  const tried = (dress: Dress) => probe((program) => within(60, dress(program, runtime)), insideNode)
  const reasons: string[] = []

  const bwrap = on.tool('bwrap')
  if (bwrap === undefined)
    reasons.push('install bubblewrap (`apt install bubblewrap`, `dnf install bubblewrap`, `apk add bubblewrap`)')
  else {
    const bare: Dress = (program, exposed) => behindBubblewrap(bwrap, program, exposed, undefined)
    const found = await tried(bare)
    if (typeof found === 'string') reasons.push(`bubblewrap does not start: ${explained(found)}`)
    else {
      const filter = seccompFilter(on.arch)
      const dress: Dress = (program, exposed) => behindBubblewrap(bwrap, program, exposed, filter)
      const again = filter === undefined ? undefined : await tried(dress)
      const filtered =
        again !== undefined && typeof again !== 'string' && !again.started && refusedCall.has(again.connected)
      const why = typeof again === 'string' ? again : 'the kernel passes over the filter'
      return {
        dress: filtered ? dress : bare,
        by: versionOf(bwrap),
        filtered,
        found,
        reasons: `seccomp does not work: ${why}`,
      }
    }
  }

  const [unshare, setpriv] = [on.tool('unshare'), on.tool('setpriv')]
  if (unshare === undefined || setpriv === undefined) reasons.push('install util-linux, for `unshare` and `setpriv`')
  else {
    const dress: Dress = (program, exposed) => behindNamespaces({ unshare, setpriv }, program, exposed)
    const found = await tried(dress)
    if (typeof found !== 'string')
      return { dress, by: versionOf(unshare), filtered: false, found, reasons: reasons.join('; ') }
    reasons.push(`unshare does not work: ${explained(found)}`)
  }
  return { ...none, reasons: reasons.join('; ') }
}

/** What a probe has to have found for a wall to stand. */
const holds: Readonly<Record<'files' | 'network' | 'processes' | 'user', (found: Probed) => boolean>> = {
  files: ({ read, wrote, root }) =>
    !read && !wrote && !root.some((name) => ['etc', 'home', 'root', 'var', 'proc'].includes(name)),
  network: ({ connected }) => connected !== 'yes',
  // In a namespace of its own it is among the first.
  processes: ({ pid }) => pid <= 3,
  user: ({ uid, became }) => uid === 65_534 && !became,
}

const refusedCall = new Set(['ENOSYS', 'EPERM'])

/** What the usual causes of a refusal are, beside what the program says. */
function explained(complaint: string): string {
  const refused = /permit|permission|denied|uid_map|uid map|not permitted|namespace/i.test(complaint)
  return refused
    ? `${complaint} (user namespaces are refused to this process: in a container allow them in its seccomp profile; on Ubuntu see \`kernel.apparmor_restrict_unprivileged_userns\`, elsewhere \`kernel.unprivileged_userns_clone\` and \`user.max_user_namespaces\`; this is Linux ${release()})`
    : complaint
}
