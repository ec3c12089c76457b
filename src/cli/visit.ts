import { resolve } from 'node:path'
import { parseConfig } from '../config/parse.ts'
import type { Settings } from '../config/settings.ts'
import { type House, openHouse } from '../house.ts'
import { openLogger } from '../kernel/logger.ts'
import type { Terminal } from './command.ts'
import { findConfig, loadConfig, settled } from './load.ts'
import { version } from './version.ts'

/** The options by which every tool finds its house. */
export const houseOptions = {
  config: { type: 'string' },
  data: { type: 'string', default: './data' },
  help: { type: 'boolean' },
} as const

/** Opens the house that the options name, for as long as `work` takes. It may be serving in another process meanwhile. */
export async function visit<T>(
  options: { readonly config?: string | undefined; readonly data: string },
  terminal: Terminal,
  work: (house: House) => Promise<T>,
): Promise<T> {
  const house = await openHouse(await settingsOf(options.config, terminal), {
    clock: terminal.clock,
    random: terminal.random,
    log: openLogger('warn'),
    environment: terminal.environment,
    dataDir: resolve(options.data),
    version: version(),
    role: 'tool',
  })
  try {
    return await work(house)
  } finally {
    await house.close()
  }
}

async function settingsOf(named: string | undefined, terminal: Terminal): Promise<Settings> {
  const path = findConfig(named)
  return path === undefined
    ? settled(parseConfig({}, terminal.environment), 'the empty configuration')
    : settled(await loadConfig(path, terminal.environment), path)
}
