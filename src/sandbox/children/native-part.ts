import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Fault } from '../../kernel/error.ts'

/** The native part of `isolated-vm` for this Node, this processor and this C library. Throws a `Fault` where the package has none. */
export function nativePartOf(): string {
  const folder = dirname(createRequire(import.meta.url).resolve('isolated-vm/package.json'))
  const libc = process.platform === 'linux' ? (isGlibc() ? '.glibc' : '.musl') : ''
  const name = `isolated-vm.abi${process.versions.modules}${libc}.node`
  const path = join(folder, 'prebuilds', `${process.platform}-${process.arch}`, name)
  if (existsSync(path)) return path
  throw new Fault(
    'sandbox-unavailable',
    `isolated-vm has no part for Node ${process.versions.node} on ${process.platform} ${process.arch}: use Node 24, or leave \`javascript\` out of \`sandbox.languages\``,
  )
}

function isGlibc(): boolean {
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime !== undefined
}
