import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

const folders = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']

/** A program of the system: where nobody but its administrator can have put it. */
export function systemTool(name: string): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find(isAdministrators)
}

function isAdministrators(path: string): boolean {
  try {
    const { mode, uid } = statSync(path)
    return (mode & 0o111) !== 0 && (mode & 0o022) === 0 && uid === 0
  } catch {
    return false
  }
}

/** `bubblewrap 0.8.0`: what a program says of its version, in its first line. */
export function versionOf(path: string): string {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000, env: {}, maxBuffer: 64 * 1024 })
  return stdout?.split('\n')[0]?.slice(0, 80) || 'of an unknown version'
}
