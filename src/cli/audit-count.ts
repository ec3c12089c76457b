import { countedBy } from '../audit/reading/count.ts'
import { countOf } from '../endpoints/api/audit.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { askedBy, filterOptions, filterUsage, harmless, operatorOf, recordOf } from './record-reader.ts'
import { visit } from './visit.ts'

const usage = `usage: gatehouse audit count [--by ${countedBy.join('|')}] [OPTIONS] [--json] [--config FILE] [--data DIR]

${filterUsage}

How many events there are of each. Where there are more than can be counted at once it says since when it counted.`

const listMax = 1_000

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...filterOptions, by: { type: 'string', default: 'type' }, json: { type: 'boolean' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals.length > 0)
    throw new Usage(`expected no more than options, got \`${positionals.join(' ')}\`\n\n${usage}`)
  const by = countedBy.find((word) => word === values.by)
  if (by === undefined) throw new Usage(`--by: expected one of ${countedBy.join(', ')}`)
  const asked = askedBy(values, terminal)
  return visit(values, terminal, async (house) => {
    await house.audit.flush()
    const counted = await recordOf(house).count(operatorOf(house, terminal), asked, by, listMax)
    if (values.json === true) {
      terminal.out(harmless(JSON.stringify({ by, ...countOf(counted) })))
      return true
    }
    const { counts, others, total, exact, since } = counted
    for (const { key, count } of counts)
      terminal.out(
        `${String(count).padStart(9)}  ${harmless(typeof key === 'number' ? new Date(key).toISOString() : key)}`,
      )
    if (others > 0) terminal.out(`${String(others).padStart(9)}  of others`)
    terminal.out(`${String(total).padStart(9)}  in all`)
    if (!exact) terminal.err(`there are more: counted since ${new Date(since ?? 0).toISOString()}, and not before`)
    return true
  })
}
