import { parseConfig } from './config/parse.ts'
import type { Config } from './config/settings.ts'
import { type House, openHouse } from './house.ts'
import { systemClock } from './kernel/clock.ts'
import { systemRandom } from './kernel/id.ts'
import { openLogger } from './kernel/logger.ts'

export type { Principal } from './authn/principal.ts'
export type { Decision } from './authz/decision.ts'
export type { AskedResource } from './authz/question.ts'
export { type Config, defineConfig, env, file } from './config/settings.ts'
export type { Embedded, Visit } from './endpoints/embedded/embedded.ts'
export { NotAllowed } from './endpoints/embedded/not-allowed.ts'
export { SandboxRefused } from './endpoints/embedded/sandbox-functions.ts'
export { type Listener, listen } from './endpoints/listener.ts'
export type { House } from './house.ts'

/**
 * Opens a house inside this process: `app.use((await gatehouse(config)).express())`. Throws with every mistake of the
 * configuration at once. `dataDir` holds the root key, and the store where the configuration names none.
 */
export async function gatehouse(config: Config, options: { readonly dataDir?: string } = {}): Promise<House> {
  const outcome = parseConfig(config, process.env)
  if ('mistakes' in outcome) {
    throw new TypeError(
      `the configuration has mistakes:\n${outcome.mistakes.map(({ path, message }) => `  ${path}: ${message}`).join('\n')}`,
    )
  }
  return openHouse(outcome.settings, {
    clock: systemClock,
    random: systemRandom,
    log: openLogger(outcome.settings.log.level),
    environment: process.env,
    dataDir: options.dataDir ?? './data',
    version: 'embedded',
    role: 'gate',
  })
}
