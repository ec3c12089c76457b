import { type Command, readArgs, Usage } from './command.ts'
import { findConfig, loadConfig, mistakesText } from './load.ts'

const usage =
  'usage: gatehouse check [--config FILE]\n\nParses and cross-checks the configuration, and lists every mistake with its path.'

export const command: Command = async (args, terminal) => {
  const { values } = readArgs(args, { config: { type: 'string' }, help: { type: 'boolean' } }, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const path = findConfig(values.config)
  if (path === undefined) throw new Usage('no configuration lies in this folder; name one with --config')
  const outcome = await loadConfig(path, terminal.environment)
  if ('mistakes' in outcome) {
    const count = outcome.mistakes.length
    throw new Usage(`${path} has ${count} ${count === 1 ? 'mistake' : 'mistakes'}:\n${mistakesText(outcome.mistakes)}`)
  }
  terminal.out(
    `${path} holds together: ${outcome.settings.routes.length} routes, ${Object.keys(outcome.settings.roles).length} roles, ${Object.keys(outcome.settings.upstreams).length} upstreams`,
  )
  return true
}
