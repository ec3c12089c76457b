import { warningsOf } from '../config/warnings.ts'
import { oneLine } from '../kernel/one-line.ts'
import { surveyWalls } from '../sandbox/walls/walls.ts'
import { wallWarnings } from '../sandbox/warnings.ts'
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
  const settings = settled(await loadConfig(path, terminal.environment), path)
  const { routes, roles, upstreams, documents, sandbox } = settings
  const counts = `${routes.length} routes, ${Object.keys(roles).length} roles, ${Object.keys(upstreams).length} upstreams`
  terminal.out(`${path} holds together: ${counts}`)
  for (const { file, routes: imported, left } of documents) {
    terminal.out(`${file}: ${imported.length} operations`)
    for (const line of left) terminal.out(`  ${oneLine(line)}`)
  }
  const ofWalls = sandbox.enabled ? wallWarnings(sandbox, (await surveyWalls()).states) : []
  for (const warning of [...warningsOf(settings), ...ofWalls]) terminal.out(oneLine(`warning: ${warning}`))
  return true
}
