import { insideLibraries } from './runtime-files.ts'
import type { Exposed, WalledCommand } from './wall.ts'

/**
 * The same by what every Linux has (unshare(1), setpriv(1), mount(8)): the child is shut into a folder in which only what is exposed has been
 * mounted. There is no seccomp here: util-linux cannot load a filter after the last step that needs one of the calls it refuses.
 */
export function behindNamespaces(
  tools: { readonly unshare: string; readonly setpriv: string },
  program: readonly string[],
  exposed: readonly Exposed[],
): WalledCommand {
  const places = exposed.flatMap(({ outside, inside }) => [outside, inside])
  const args = [
    ...['--pdeathsig', 'KILL', '--no-new-privs', tools.unshare],
    ...['--user', '--map-root-user', '--mount', '--net', '--pid', '--ipc', '--uts', '--cgroup'],
    ...['--fork', '--kill-child=SIGKILL', '--propagation', 'private'],
    ...[
      '/bin/sh',
      '-c',
      script,
      'sh',
      tools.unshare,
      coveredFolder,
      insideLibraries,
      String(exposed.length),
      ...places,
      ...program,
    ],
  ]
  return { command: tools.setpriv, args, feeds: [] }
}

/** What the child's file system is laid over: it is there on every Linux, and nothing that is exposed comes from it. */
const coveredFolder = '/sys'

/**
 * Takes `unshare`, the root, the folder of libraries, how many places there are, the places in pairs, and the program. The second `unshare` goes
 * into a user namespace below, as nobody: what was mounted cannot be undone from there, and a process that is shut into a folder can
 * make no further namespace.
 */
const script = `
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
unshare=$1 root=$2 libraries=$3 count=$4
shift 4
mount -t tmpfs -o mode=755,size=64k,nosuid,nodev sandbox "$root"
while [ "$count" -gt 0 ]; do
  outside=$1 inside=$root$2
  shift 2
  count=$((count - 1))
  if [ -d "$outside" ]; then mkdir -p "$inside"; else mkdir -p "\${inside%/*}"; : > "$inside"; fi
  mount --bind "$outside" "$inside"
  mount -o remount,bind,ro,nosuid,nodev "$inside"
done
mount -o remount,bind,ro,nosuid,nodev "$root"
unset PWD OLDPWD
LD_LIBRARY_PATH=$libraries
export LD_LIBRARY_PATH
exec "$unshare" --user --map-user=65534 --map-group=65534 --root="$root" --wd=/app "$@"
`
