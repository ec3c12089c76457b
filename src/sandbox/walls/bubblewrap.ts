import { insideLibraries } from './runtime-files.ts'
import type { Exposed, WalledCommand } from './wall.ts'

/**
 * Node behind every namespace that the kernel has, by bubblewrap (bwrap(1)): in a file system that holds what is exposed and nothing else, as
 * nobody, without a network, and gone when the house is.
 *
 * @param filter what seccomp asks, if anything
 */
export function behindBubblewrap(
  bwrap: string,
  program: readonly string[],
  exposed: readonly Exposed[],
  filter: Uint8Array | undefined,
): WalledCommand {
  const args = [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    ...['--uid', '65534', '--gid', '65534', '--hostname', 'sandbox'],
    ...['--setenv', 'LD_LIBRARY_PATH', insideLibraries],
    ...exposed.flatMap(({ outside, inside }) => ['--ro-bind', outside, inside]),
    ...['--remount-ro', '/', '--chdir', '/app'],
    ...(filter === undefined ? [] : ['--seccomp', '3']),
    ...['--', ...program],
  ]
  return { command: bwrap, args, feeds: filter === undefined ? [] : [filter] }
}
