import { verifyChain } from '../audit/verify.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse audit verify [--config FILE] [--data DIR]

Recomputes the chain of audit events, and names the first one that was altered, removed, inserted or cut off. Exit 1 when there is one.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, houseOptions, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  if (positionals[0] !== 'verify' || positionals.length > 1)
    throw new Usage(`expected \`audit verify\`, got \`audit ${positionals.join(' ')}\`\n\n${usage}`)
  return visit(values, terminal, async (house) => {
    await house.audit.flush()
    const outcome = await verifyChain(house.store.db)
    if (outcome.ok) {
      terminal.out(`the chain is whole: ${outcome.events} events, the last one has hash ${outcome.lastHash}`)
      return true
    }
    terminal.err(`the chain is broken at event ${outcome.seq}: ${outcome.what}: ${outcome.detail}`)
    return false
  })
}
