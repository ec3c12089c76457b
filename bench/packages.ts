import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Installs what bench/package-lock.json asks for, where it is not there yet. It is no part of the project's own install. */
export function installPackages(): void {
  if (areInstalled()) return
  process.stdout.write('bench: installing the stacks to compare with (bench/package-lock.json)\n')
  const { status, stdout, stderr, error } = spawnSync('npm', ['ci', '--omit=dev'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`\`npm ci\` in bench/ failed: ${error?.message ?? stderr + stdout}`)
}

function areInstalled(): boolean {
  const installed = join(import.meta.dirname, 'node_modules/.package-lock.json') // npm writes it last
  if (!existsSync(installed)) return false
  const there = versionsIn(installed)
  return [...versionsIn(join(import.meta.dirname, 'package-lock.json'))].every(
    ([path, version]) => there.get(path) === version,
  )
}

function versionsIn(lock: string): ReadonlyMap<string, string> {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages: Record<string, { version: string; optional?: true }>
  }
  return new Map(
    Object.entries(packages).flatMap(([path, { version, optional }]) =>
      path === '' || optional ? [] : [[path, version]],
    ),
  )
}
