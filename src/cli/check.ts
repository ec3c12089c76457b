import { type Command, readArgs, Usage } from './command.ts'
import { findConfig, loadConfig, settled } from './load.ts'

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
  const { routes, roles, upstreams } = settled(await loadConfig(path, terminal.environment), path)
  const counts = `${routes.length} routes, ${Object.keys(roles).length} roles, ${Object.keys(upstreams).length} upstreams`
  terminal.out(`${path} holds together: ${counts}`)
  return true
}
