import { readFileSync } from 'node:fs'

/** The version of the package that this file belongs to, in the sources as in the published form. */
export function version(): string {
  const manifest = import.meta.url.endsWith('.ts') ? '../../package.json' : '../package.json'
  return (JSON.parse(readFileSync(new URL(manifest, import.meta.url), 'utf8')) as { version: string }).version
}
