import { existsSync, readFileSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse as parseYaml } from 'yaml'
import { parseConfig } from '../config/parse.ts'
import type { Environment, Mistake, Settings } from '../config/settings.ts'
import { Usage } from './command.ts'

const names = [
  'gatehouse.config.ts',
  'gatehouse.config.js',
  'gatehouse.config.mjs',
  'gatehouse.config.json',
  'gatehouse.config.yaml',
  'gatehouse.config.yml',
]

/** The configuration file that is meant: the one that was named, or the one that lies in this folder; undefined when none does. */
export function findConfig(named: string | undefined): string | undefined {
  if (named !== undefined) {
    if (!existsSync(named)) throw new Usage(`no configuration at \`${named}\``)
    return resolve(named)
  }
  const found = names.filter((name) => existsSync(name))
  if (found.length > 1)
    throw new Usage(`more than one configuration lies here: ${found.join(', ')}; name one with --config`)
  return found[0] === undefined ? undefined : resolve(found[0])
}

/** Reads, parses and cross-checks a configuration file. */
export async function loadConfig(path: string, environment: Environment): Promise<Outcome> {
  return parseConfig(await readConfig(path), environment)
}

/** What a configuration file says, not parsed yet. */
export async function readConfig(path: string): Promise<unknown> {
  const kind = extname(path)
  try {
    switch (kind) {
      case '.json':
        return JSON.parse(readFileSync(path, 'utf8'))
      case '.yaml':
      case '.yml':
        return parseYaml(readFileSync(path, 'utf8'), { uniqueKeys: true, strict: true })
      case '.ts':
      case '.js':
      case '.mjs': {
        ourselvesByName()
        // The query makes a changed file a new module: imports are cached for ever otherwise.
        const module = (await import(`${pathToFileURL(path).href}?at=${statSync(path).mtimeMs}`)) as {
          default?: unknown
        }
        if (module.default === undefined) throw new Error('expected `export default defineConfig({ … })`')
        return module.default
      }
    }
  } catch (error) {
    throw new Usage(`cannot read \`${path}\`: ${(error as Error).message}`)
  }
  throw new Usage(`\`${path}\` is neither .ts, .js, .json nor .yaml`)
}

let hooked = false

/** A configuration file says `import … from 'gatehouse'` wherever it lies: it gets the house that reads it. */
function ourselvesByName(): void {
  if (hooked) return
  hooked = true
  const index = new URL(import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js', import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'gatehouse' ? { url: index, shortCircuit: true } : next(specifier, context),
  })
}

/** What came of parsing a configuration. */
type Outcome = { readonly settings: Settings } | { readonly mistakes: readonly Mistake[] }

/** The settings, or a `Usage` that lists every mistake, one a line. */
export function settled(outcome: Outcome, from: string): Settings {
  if ('settings' in outcome) return outcome.settings
  const { mistakes } = outcome
  const count = `${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}`
  throw new Usage(`${from} has ${count}:\n${mistakes.map(({ path, message }) => `  ${path}: ${message}`).join('\n')}`)
}
