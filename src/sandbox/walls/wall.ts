// The walls around a child. Each is tested with the others off; none but those of the system is relied on alone.

/**
 * What each wall keeps from the code, and who holds it up.
 *
 * - `files`: a file system of its own, in which stands nothing but its interpreter, and nothing can be written (mount namespace).
 * - `network`: a network of its own, in which there is nobody (network namespace).
 * - `processes`: it neither sees nor signals any other process (process namespace).
 * - `user`: a user of its own without any privilege (user namespace).
 * - `system-calls`: what an interpreter never needs is refused by the kernel: sockets, programs, namespaces (seccomp).
 * - `resources`: processor time, open files, core dumps and file sizes have ends that the kernel keeps (setrlimit).
 * - `runtime`: Node's own permission model: no file but the interpreter's, no program.
 * - `interpreter`: its bridges out are gone before any code runs.
 */
export const walls = [
  'files',
  'network',
  'processes',
  'user',
  'system-calls',
  'resources',
  'runtime',
  'interpreter',
] as const
export type Wall = (typeof walls)[number]

/** Without these nothing is run, unless the operator says by name that it shall be: only the system can hold them. */
export const essentialWalls: readonly Wall[] = ['files', 'network', 'processes', 'user']

/** A wall that stands, or why it does not. */
export interface WallState {
  readonly wall: Wall
  readonly stands: boolean
  /** What holds it up: `bubblewrap 0.8.0`. Or what is missing, and how it is had: `install bubblewrap`. */
  readonly by: string
}

/** A command that starts a child behind walls. Its environment has to be empty. */
export interface WalledCommand {
  readonly command: string
  readonly args: readonly string[]
  /** What it reads to the end from descriptor 3, from 4 and so on, each a pipe of its own. */
  readonly feeds: readonly Uint8Array[]
}

/** What has to be seen from inside: a file or a folder, as it is outside, and as the child finds it. Nothing of it can be written. */
export interface Exposed {
  readonly outside: string
  readonly inside: string
}
