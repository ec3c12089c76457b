import type { WalledCommand } from './wall.ts'

/**
 * Ends that the kernel keeps (prlimit(1)): they hold also for a child whose house was killed. Address space has none: V8 reserves far more than it
 * uses.
 */
export function withinResources(prlimit: string, cpuSeconds: number, walled: WalledCommand): WalledCommand {
  const ends = [`--cpu=${cpuSeconds}`, '--core=0', '--fsize=0', '--nofile=128', '--memlock=65536']
  return { ...walled, command: prlimit, args: [...ends, walled.command, ...walled.args] }
}
