import { openSync, readdirSync, readFileSync } from 'node:fs'

type Stdio = 'pipe' | 'ignore' | number

/**
 * The three pipes of a child, one for each feed from descriptor 3 on, and nothing in place of what this process would hand down beside: whoever
 * started it may have left files open that are not its own (Node shuts the first few against its children, and no others).
 */
export function childStdio(feeds: number): ['pipe', 'pipe', 'pipe', ...Stdio[]] {
  const more: Stdio[] = Array.from({ length: feeds }, () => 'pipe' as const)
  for (const descriptor of (handedDown ??= descriptorsHandedDown())) {
    const at = descriptor - 3
    if (at < feeds) continue
    while (more.length < at) more.push('ignore')
    more[at] = nothing ??= openSync('/dev/null', 'r')
  }
  return ['pipe', 'pipe', 'pipe', ...more]
}

/** Looked for once: whatever Node opens later is its own alone. */
let handedDown: readonly number[] | undefined
let nothing: number | undefined

/** Those that are open across execve(2), as `flags` in /proc/self/fdinfo says (proc_pid_fdinfo(5)). Where there is no such list, there is no wall either. */
function descriptorsHandedDown(): readonly number[] {
  let names: readonly string[]
  try {
    names = readdirSync('/proc/self/fdinfo')
  } catch {
    return []
  }
  return names
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isHandedDown(descriptor))
    .sort((a, b) => a - b)
}

function isHandedDown(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closedOnExec) === 0
  } catch {
    return false // the one that the list was read by
  }
}

const closedOnExec = 0o2000000
